"""Compute features of the form of a message: its length, its script, its words and letters in order.

A pooled vector says what a message is about, and says little about how it is put: "is it" and "what is", or a
keyboard that a cat walked over, lie close to one another in it.
"""

from __future__ import annotations

import itertools
import math
import re
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# Characters that are read: a long message shows its form at its start.
_MAX_CHARACTERS = 400
_MAX_WORDS = 40
# Buckets of the hashed words and pairs of words, and of the hashed runs of two to four characters.
_WORD_BUCKETS, _CHARACTER_BUCKETS = 1024, 1024
_RUNS = (2, 3, 4)
# What a run of characters counts in `occurrences`, beside a word: a word has many runs.
_RUN_WEIGHT = 0.3
_WORD = re.compile(r"\w+|[^\w\s]")
# The last code points of ASCII and of the Latin letters with marks.
_ASCII, _LATIN = 0x7F, 0x24F


def form(message: str) -> Vectors:
    """Return the features of form: the counts of `_shape`, then hashed words, then hashed characters, float32."""
    text = message[:_MAX_CHARACTERS]
    words = _hashed(_word_runs(text.casefold()), _WORD_BUCKETS)
    characters = _hashed(_character_runs(f" {text.casefold()} "), _CHARACTER_BUCKETS)
    return np.concatenate([_shape(message, text), words, characters])


def occurrences(message: str, buckets: int) -> Vectors:
    """Return which words, pairs of words and runs of characters occur, hashed, shape (2 * buckets,), float32.

    Unlike in `form`, a word weighs the same in a short message and in a long one: 1, and a run `_RUN_WEIGHT`.
    """
    text = message[:_MAX_CHARACTERS].casefold()
    words = _indexes(_word_runs(text), buckets)
    runs = [buckets + index for index in _indexes(_character_runs(f" {text} "), buckets)]
    vector = np.zeros(2 * buckets, np.float32)
    vector[words], vector[runs] = 1.0, _RUN_WEIGHT
    return vector


def _shape(message: str, text: str) -> Vectors:
    """Return the length of the message, and shares of kinds of characters in the text at its start, about 0..1."""
    letters = [character for character in text if character.isalpha()]
    length, words = max(1, len(text)), text.split()
    shape = [
        math.log1p(len(message)) / 6,
        math.log1p(len(words)) / 4,
        len(letters) / length,
        sum(map(str.isdigit, text)) / length,
        sum(not character.isalnum() and not character.isspace() for character in text) / length,
        _share(sum(ord(character) > _LATIN for character in letters), letters),
        _share(sum(_ASCII < ord(character) <= _LATIN for character in letters), letters),
        _share(sum(character in "aeiouy" for character in text.casefold()), letters),
        len(set(text.casefold())) / length,
        max(map(len, words), default=0) / 20,
        float(len(words) <= 1),
        float(text.rstrip().endswith("?")),
        float(text[:1].isupper()),
    ]
    return np.array(shape, dtype=np.float32)


def _share(count: int, letters: list[str]) -> float:
    return count / max(1, len(letters))


def _word_runs(text: str) -> Iterator[str]:
    """Yield each word and each pair of neighbours, the start and the end of the text among them."""
    words = ["^", *_WORD.findall(text)[:_MAX_WORDS], "$"]
    yield from words
    yield from map(" ".join, itertools.pairwise(words))


def _character_runs(text: str) -> Iterator[str]:
    for length in _RUNS:
        yield from (text[start : start + length] for start in range(len(text) - length + 1))


def _hashed(runs: Iterator[str], buckets: int) -> Vectors:
    """Return the square roots of the counts of the runs by bucket, scaled to length one."""
    counts: Vectors = np.sqrt(np.bincount(_indexes(runs, buckets), minlength=buckets)).astype(np.float32)
    length = max(1e-9, float(np.linalg.norm(counts)))
    scaled: Vectors = counts / np.float32(length)
    return scaled


def _indexes(runs: Iterator[str], buckets: int) -> list[int]:
    return [zlib.crc32(run.encode("utf-8", "replace")) % buckets for run in runs]
