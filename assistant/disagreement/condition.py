"""Find the condition under which a sentence takes its side: "only [in patients older than 65]".

A classifier of words (`python -m eval.training.conditions --data DATA`) reads each word with its neighbours. A setting
that the sentence names in passing ("on ImageNet") is no condition: what restricts the statement or reverses it is.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from assistant.question import subject
from assistant.question.subject import WordReader, WordRole

_FOLDER = Path(__file__).parent / "weights"
WEIGHTS, WORDING = _FOLDER / "conditions.npz", _FOLDER / "conditions.txt"
# Words of the shortest condition: a single word is more often a mistake.
LEAST_WORDS = 2


def condition(sentence: str) -> str | None:
    """Return the words of the sentence that name its condition; None without one. Raises ModelError."""
    return longest_condition(sentence, _words())


def longest_condition(sentence: str, reader: WordReader) -> str | None:
    """Return the longest run of words that this reader takes for a condition; None where all are shorter."""
    words = subject.split(sentence)
    runs: list[list[subject.Word]] = [[]]
    for word, role in zip(words, subject.roles(sentence, words, reader), strict=True):
        if role is WordRole.WORDING:
            runs.append([])
        else:
            runs[-1].append(word)
    longest = max(runs, key=len)
    return sentence[longest[0].start : longest[-1].end] if len(longest) >= LEAST_WORDS else None


@cache
def _words() -> WordReader:
    return subject.load(WEIGHTS, WORDING)
