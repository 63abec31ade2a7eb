"""Compute features of how a sentence hangs together with the text around it: its words of function, in order.

What makes a sentence lean on another one ("These results", "the latter", "such models") is told by its closed-class
words, by where they stand, and by whether the noun behind a determiner is known from the title or from the sentence.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.text.function_words import DETERMINERS, FUNCTION_WORDS

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# The weights of the classifiers of sentences.
WEIGHTS_FOLDER = Path(__file__).parent / "weights"
# Buckets of the hashed features.
_BUCKETS = 4096
_TOKEN, _WORD = re.compile(r"\w+|[^\w\s]"), re.compile(r"\w+")
_NAME = re.compile(r"\b[A-Z][A-Za-z]*[A-Z0-9]")
# Words that are read of a sentence, runs that are hashed of its skeleton, and words at its beginning that count singly.
_MAX_WORDS, _MAX_RUN, _BEGINNING = 40, 3, 8
# Runs that begin before this position are hashed with it, too.
_PLACED = 4
# Letters by which words are compared, so that singular and plural agree.
_STEM = 6


def sentence_features(sentence: str, position: int, title: str) -> Vectors:
    """Return the features of the sentence at a 0-based position in an abstract with this title, float32."""
    import numpy as np

    words = [word.casefold() for word in _WORD.findall(sentence)]
    stems = {word[:_STEM] for word in _WORD.findall(title.casefold())}
    shared = {word[:_STEM] for word in words if word not in FUNCTION_WORDS} & stems
    hashed = np.zeros(_BUCKETS, dtype=np.float32)
    for feature in (*_skeleton_runs(sentence), *_beginning(words), *_determined(words, stems)):
        hashed[zlib.crc32(feature.encode("utf-8", "replace")) % _BUCKETS] = 1.0
    counts = [
        float(position == 0),
        min(position, 10) / 10,
        float(bool(shared)),
        min(len(shared), 4) / 4,
        min(len(words), 40) / 40,
        float(bool(_NAME.search(sentence[1:]))),
        float(any(map(str.isdigit, sentence))),
    ]
    return np.concatenate([hashed, np.array(counts, dtype=np.float32)])


def _skeleton_runs(sentence: str) -> Iterator[str]:
    """Yield the runs of one to three items of the skeleton; those at the beginning also with their position."""
    skeleton = ["^", *_skeleton(sentence)]
    for length in range(1, _MAX_RUN + 1):
        for start in range(len(skeleton) - length + 1):
            run = " ".join(skeleton[start : start + length])
            yield f"run {run}"
            if start < _PLACED:
                yield f"run {start} {run}"


def _skeleton(sentence: str) -> list[str]:
    """Return the words of function and the punctuation of a sentence; each run of other words is an asterisk."""
    skeleton: list[str] = []
    for token in _TOKEN.findall(sentence.casefold())[:_MAX_WORDS]:
        item = token if token in FUNCTION_WORDS or not token.isalnum() else "*"
        if item != "*" or skeleton[-1:] != ["*"]:
            skeleton.append(item)
    return skeleton


def _beginning(words: Sequence[str]) -> Iterator[str]:
    for position, word in enumerate(words[:_BEGINNING]):
        yield f"word {word}"
        yield f"word {min(position, 3)} {word}"
        if position:
            yield f"pair {words[position - 1]} {word}"


def _determined(words: Sequence[str], title: set[str]) -> Iterator[str]:
    """Yield for each determiner whether the title, or the sentence before it, has a noun that it determines."""
    for position, word in enumerate(words[:_MAX_WORDS]):
        if word in DETERMINERS:
            nouns = [noun[:_STEM] for noun in words[position + 1 : position + 4] if noun not in FUNCTION_WORDS][:2]
            in_title = any(noun in title for noun in nouns)
            is_repeated = bool({earlier[:_STEM] for earlier in words[:position]} & set(nouns))
            yield f"determiner {word} in title {in_title}"
            yield f"determiner {word} repeated {is_repeated}"
            yield f"determiner at {min(position, 6)} in title {in_title}"
