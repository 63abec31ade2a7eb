"""Read and make the messages that the readers of catalog questions are fitted on.

`catalog_questions.jsonl` has a message `q` and what it asks of the catalog, `kind`. In the message [brackets] stand
around a paper or a topic and <angles> around a person; {p}, {t} and {n} are slots for a paper, a topic and a person.
Other messages that are read here have {braces} around the column of a table.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from assistant.errors import InputError
from assistant.question.catalog_question import CatalogKind
from assistant.question.subject import WordRole, split
from eval.suites.parts import Part, part_of_text
from eval.training.examples import read_lines
from eval.training.phrasings import topics

MESSAGES = Path(__file__).with_name("catalog_questions.jsonl")
NAMES = Path(__file__).with_name("names.toml")
_SEED = 20261127
# Messages made of one with a slot.
_OF_TEMPLATE = 8
# How much all of them count together.
_TEMPLATE = 2.0
_SLOT = re.compile(r"\{([ptn])\}")
_MARKED = re.compile(r"\[([^\]]*)\]|<([^>]*)>|\{([^}]*)\}")
_MARKED_ROLES = (WordRole.SUBJECT, WordRole.NAME, WordRole.COLUMN)
_MARKS = re.compile(r"[<>{}\[\]]")
# Shares of titles that are given by their names alone, of at most so many words, and in lower case.
_NAMED, _MAX_NAME, _LOWER = 0.45, 3, 0.4
# Shares of messages that are written in capitals, and with a letter left out.
_CAPITALS, _TYPING_ERROR = 0.08, 0.12


@dataclass(frozen=True, slots=True)
class CatalogMessage:
    """A message, its kind, and the role of each of its words; `origin` is the line that it was made of."""

    text: str
    kind: CatalogKind
    roles: tuple[WordRole, ...]
    origin: str
    importance: float = 1.0

    @property
    def part(self) -> Part:
        """Return train, dev or test, by a hash of the origin."""
        return part_of_text(self.origin)


def read_catalog_messages(titles: Sequence[str]) -> list[CatalogMessage]:
    """Return the messages, those with slots filled several times, also by these titles. Raises InputError."""
    random = Random(_SEED)  # noqa: S311 - reproducible, not secret
    names = tomllib.loads(NAMES.read_text(encoding="utf-8"))
    messages = []
    for number, row in enumerate(read_lines(MESSAGES, "q", "kind"), start=1):
        count = _OF_TEMPLATE if _SLOT.search(row["q"]) else 1
        for _ in range(count):
            filled = _SLOT.sub(lambda slot: _filler(slot[1], titles, names, random), row["q"])
            messages.append(_message(filled, row["kind"], row["q"], _TEMPLATE / count if count > 1 else 1.0, number))
    return [*messages, *_roughened(messages, random)]


def research_message(text: str, importance: float) -> CatalogMessage:
    """Return a question about research; what its words do is not known."""
    return CatalogMessage(text, CatalogKind.NONE, (), text, importance)


def _message(marked: str, kind: str, origin: str, importance: float, number: int) -> CatalogMessage:
    text, roles = unmarked(marked)
    # What the words of a question about research do was not marked.
    roles = roles if kind != CatalogKind.NONE or marked != origin else ()
    try:
        return CatalogMessage(text, CatalogKind(kind), roles, origin, importance)
    except ValueError as error:
        raise InputError(str(MESSAGES), f"the kind has to be one of {', '.join(CatalogKind)}", number) from error


def unmarked(marked: str) -> tuple[str, tuple[WordRole, ...]]:
    """Return a message without its marks, and the role of each of its words."""
    text, spans, end = "", [], 0
    for match in _MARKED.finditer(marked):
        text += marked[end : match.start()]
        inner = match[match.lastindex or 0]
        spans.append((len(text), len(text) + len(inner), _MARKED_ROLES[(match.lastindex or 1) - 1]))
        text, end = text + inner, match.end()
    text += marked[end:]
    return text, tuple(_role(word.start, spans) for word in split(text))


def _role(start: int, spans: Sequence[tuple[int, int, WordRole]]) -> WordRole:
    return next((role for first, last, role in spans if first <= start < last), WordRole.WORDING)


def _filler(slot: str, titles: Sequence[str], names: dict[str, list[str]], random: Random) -> str:
    if slot == "n":
        return f"<{_name(names, random)}>"
    text = random.choice(topics()) if slot == "t" else _title(titles, random)
    return f"[{_MARKS.sub('', text)}]"


def _name(names: dict[str, list[str]], random: Random) -> str:
    given, family = random.choice(names["given"]), random.choice(names["family"])
    name = random.choice(
        [f"{given} {family}", f"{given} {family}", family, f"{given[0]}. {family}", f"{family} {given}"]
    )
    return name.lower() if random.random() < 0.3 else name


def _title(titles: Sequence[str], random: Random) -> str:
    """Return a title as people type it: whole, the name before its colon, or some words of it."""
    if random.random() < _NAMED:
        names = [title.split(":")[0] for title in titles if ":" in title]
        text = random.choice([name for name in names if len(name.split()) <= _MAX_NAME])
    else:
        title = random.choice(titles)
        words = title.split()
        start = random.randrange(max(1, len(words) - 2))
        text = random.choice([title, " ".join(words[start : start + random.randint(1, 5)])])
    text = text.strip(" .,:;?!-")
    return text.lower() if random.random() < _LOWER else text


def _roughened(messages: Sequence[CatalogMessage], random: Random) -> Iterator[CatalogMessage]:
    """Yield some of the messages in capitals, and some with a letter left out of a word."""
    for message in messages:
        if random.random() < _CAPITALS and len(split(message.text.upper())) == len(message.roles):
            yield _changed(message, message.text.upper())
        elif random.random() < _TYPING_ERROR and (text := _with_typing_error(message.text, random)):
            yield _changed(message, text)


def _changed(message: CatalogMessage, text: str) -> CatalogMessage:
    return CatalogMessage(text, message.kind, message.roles, message.origin, message.importance / 2)


def _with_typing_error(text: str, random: Random) -> str | None:
    """Return the text with one letter of a long word left out; None without such a word."""
    long = [word for word in split(text) if word.end - word.start > 4]
    if not long:
        return None
    word = random.choice(long)
    at = random.randrange(word.start + 1, word.end - 1)
    changed = text[:at] + text[at + 1 :]
    return changed if len(split(changed)) == len(split(text)) else None
