"""Mark the words of a message to the catalog that name a paper, a topic or a person.

"who wrote the [Goedel-Prover] paper", "did <Kahneman> write anything on [noise]": a classifier
(`python -m eval.training.catalog_questions`) reads each word with its neighbours and tells wording, subject and name
apart. It reads no meaning: which paper or author that is, the catalog tells.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ModelError
from assistant.question import fitted

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.question.linear import LinearClassifier

WEIGHTS = fitted.PACKAGED / "catalog_words.npz"
# The words that wording is made of, which the training found; any other word is read by its form and its neighbours.
WORDING = fitted.PACKAGED / "catalog_words.txt"
# Words that are read: a longer message is no question to a catalog.
_MAX_WORDS = 60
_BUCKETS = 4096
_OTHER = "?"
_WORD = re.compile(r"[^\W_]+(?:[-'’./+][^\W_]+)*")


class WordRole(StrEnum):
    """What a word of a message does: it words the question, names a paper or a topic, a person, or a table's column."""

    WORDING = "wording"
    SUBJECT = "subject"
    NAME = "name"
    COLUMN = "column"


# What stands in a masked message for a run of words.
_PLACEHOLDERS = {WordRole.SUBJECT: "xthingx", WordRole.NAME: "xpersonx", WordRole.COLUMN: "xcolumnx"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word at `start` to `end` of a message."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Marked:
    """A message with the words that name a paper or a topic, and the people that it names.

    `masked` has a placeholder for each of them, so that only the wording is left.
    """

    subject: str
    names: tuple[str, ...]
    masked: str


@dataclass(frozen=True, slots=True)
class WordReader:
    """A classifier of the roles of words, with the words whose identity it reads."""

    classifier: LinearClassifier
    wording: frozenset[str]


def mark(message: str, reader: WordReader | None = None, least_wording: float = 0.0) -> Marked:
    """Return the message, marked by the packaged reader of words or by this one. Raises ModelError where weights fail.

    `least_wording` is the probability from which a word is taken for wording, where it is the likeliest.
    """
    words = split(message)
    by_word = roles(message, words, reader or _packaged(), least_wording)
    pairs = groupby(zip(by_word, words, strict=True), lambda pair: pair[0])
    runs = [(role, [word for _, word in run]) for role, run in pairs]
    subjects = [_text(message, run) for role, run in runs if role is WordRole.SUBJECT]
    names = tuple(name for role, run in runs if role is WordRole.NAME for name in _people(message, run))
    return Marked(" ".join(subjects), names, mask(message, words, by_word))


def split(message: str) -> list[Word]:
    """Return the words of the message, those at its start if it is long."""
    matches = list(_WORD.finditer(message))[:_MAX_WORDS]
    return [Word(match[0], *match.span()) for match in matches]


def mask(message: str, words: Sequence[Word], by_word: Sequence[WordRole]) -> str:
    """Return the message with a placeholder for each run of words that is not wording."""
    parts, end = [], 0
    for role, run in groupby(zip(by_word, words, strict=True), lambda pair: pair[0]):
        marked = [word for _, word in run]
        if role is not WordRole.WORDING:
            parts += [message[end : marked[0].start], _PLACEHOLDERS[role]]
            end = marked[-1].end
    return "".join([*parts, message[end:]])


def word_features(
    message: str, words: Sequence[Word], position: int, previous: WordRole | None, wording: frozenset[str]
) -> Vectors:
    """Return the features of one word among its neighbours, hashed, shape (features,), float32.

    `previous` is the role of the word before it, None for the first; words that are not in `wording` count as one.
    """
    import numpy as np

    row = np.zeros(_BUCKETS, dtype=np.float32)
    texts = [text if (text := word.text.casefold()) in wording else _OTHER for word in words]
    for feature in (
        *_features(message, words, texts, position),
        *_role_features(message, words, texts, position, previous),
    ):
        row[zlib.crc32(feature.encode("utf-8", "replace")) % _BUCKETS] += 1.0
    return row / np.float32(np.linalg.norm(row))


def roles(message: str, words: Sequence[Word], reader: WordReader, least_wording: float = 0.0) -> list[WordRole]:
    """Return the role of each word, from left to right."""
    by_word: list[WordRole] = []
    for position in range(len(words)):
        previous = by_word[-1] if by_word else None
        features = word_features(message, words, position, previous, reader.wording)
        probabilities = reader.classifier.probabilities(features)
        if probabilities[WordRole.WORDING] < least_wording:
            del probabilities[WordRole.WORDING]
        by_word.append(WordRole(max(probabilities, key=probabilities.__getitem__)))
    return by_word


def _features(message: str, words: Sequence[Word], texts: Sequence[str], position: int) -> Iterator[str]:
    """Yield the word, its neighbours, its form and where it stands."""
    before2, before, text, after, after2 = ["^2", "^1", *texts, "$1", "$2"][position : position + 5]
    word = words[position]
    yield from (f"w {text}", f"p {before}", f"n {after}", f"pw {before} {text}", f"wn {text} {after}")
    yield from (f"pp {before2} {before}", f"nn {after} {after2}", f"q {before2}", f"m {after2}")
    shape = _shape(word.text, message)
    yield from (f"s {word.text.casefold()[-3:]}", f"form {shape} {position == 0}", f"form {shape}")
    yield f"at {min(position, 4)}"
    yield f"to {min(len(words) - position, 4)}"
    yield f"between {message[max(0, word.start - 1) : word.start].strip()} {message[word.end : word.end + 1].strip()}"
    yield f"quoted {_is_quoted(message, word)}"


def _role_features(
    message: str, words: Sequence[Word], texts: Sequence[str], position: int, previous: WordRole | None
) -> Iterator[str]:
    """Yield what the role of the word before tells: the words of one title stand side by side."""
    yield from (f"r {previous}", f"rr {previous}", f"rw {previous} {texts[position]}")
    yield f"rf {previous} {_shape(words[position].text, message)}"


def _shape(text: str, message: str) -> str:
    """Return how a word is written: capitals say nothing where all letters are capitals."""
    if text.isdigit():
        return f"digits {len(text)}"
    if message.isupper():
        return "any"
    if text[:1].isupper() and text[1:].islower():
        return "name"
    return "lower" if text.islower() else "mixed"


def _is_quoted(message: str, word: Word) -> bool:
    return sum(message.count(mark, 0, word.start) for mark in '"“”') % 2 == 1


def _text(message: str, run: Sequence[Word]) -> str:
    return message[run[0].start : run[-1].end]


def _people(message: str, run: Sequence[Word]) -> Iterator[str]:
    """Yield the names of a run of words: "Card and Krueger" are two, with wording between them."""
    start = 0
    for position in range(1, len(run) + 1):
        if position == len(run) or message[run[position - 1].end : run[position].start].strip():
            yield re.sub(r"['’]s$", "", _text(message, run[start:position]))
            start = position


@cache
def _packaged() -> WordReader:
    return load(WEIGHTS, WORDING)


def load(weights: Path, wording: Path) -> WordReader:
    """Return the reader of words in two files. Raises ModelError where one is missing or damaged."""
    from assistant.question import linear

    return WordReader(linear.load(weights), read_vocabulary(wording))


def read_vocabulary(file: Path) -> frozenset[str]:
    """Return the words whose identity a classifier of words reads. Raises ModelError for a missing or damaged file."""
    try:
        return frozenset(file.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{file} is missing or damaged: reinstall paperchat") from error
