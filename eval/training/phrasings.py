"""Make messages: phrasings of each intent filled with topics, and keyboard mash."""

from __future__ import annotations

import random
import string
import tomllib
from pathlib import Path

from assistant.question.intent import Intent
from eval.training.messages import IntentMessage

PHRASINGS = Path(__file__).parent / "phrasings.toml"
_SEED = 20261126
# Messages made of a phrasing with a slot for a topic.
_OF_PHRASING = 3
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", ",.;:!?-_()[]/\\#+*~")


def phrasings() -> list[tuple[IntentMessage, float]]:
    """Return messages made of the phrasings with topics drawn for them, each with its share of a phrasing."""
    generator = random.Random(_SEED)  # noqa: S311 - no secret
    listed = tomllib.loads(PHRASINGS.read_text(encoding="utf-8"))
    subjects, made = listed.pop("topics"), []
    for intent, texts in listed.items():
        for text in texts:
            count = _OF_PHRASING if "{t}" in text else 1
            for _ in range(count):
                first, second = generator.sample(subjects, 2)
                filled = text.replace("{t}", first).replace("{u}", second)
                made.append((IntentMessage(filled, Intent(intent)), 1 / count))
    return made


def keyboard_mash(count: int) -> list[str]:
    """Return messages of neighbouring keys, random letters or symbols, the same on every call."""
    generator = random.Random(_SEED)  # noqa: S311 - no secret
    pools = [*_KEYS, string.ascii_lowercase, string.hexdigits, string.punctuation]
    return [
        " ".join(
            "".join(generator.choices(generator.choice(pools), k=generator.randint(1, 9)))
            for _ in range(generator.randint(1, 4))
        )
        for _ in range(count)
    ]


def topics() -> list[str]:
    """Return the topics of the phrasings, which people also type alone."""
    listed: list[str] = tomllib.loads(PHRASINGS.read_text(encoding="utf-8"))["topics"]
    return listed
