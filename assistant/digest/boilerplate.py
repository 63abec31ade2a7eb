"""Tell boilerplate: sentences that are evidence of nothing, such as "code is available" or "we believe this is a step".

The classifier (`python -m eval.training.standalone`) is linear in the words of a sentence. Where it stands says more in
the fields that it was fitted on, and misleads in others: there the last sentence is often what was found.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assistant.digest.sentence_features import WEIGHTS_FOLDER
from assistant.question import fitted

if TYPE_CHECKING:
    from assistant.encodings import Vectors

WEIGHTS = WEIGHTS_FOLDER / "boilerplate.npz"
LABELS = ("boilerplate", "content")
_BUCKETS = 1 << 13
_TOKEN = re.compile(r"\w+|[^\w\s]")
# Words that are read.
_MAX_WORDS = 80


def boilerplate_probability(sentence: str) -> float:
    """Return the probability that a sentence is boilerplate. Raises ModelError."""
    return fitted.packaged(WEIGHTS).probabilities(boilerplate_features(sentence))[LABELS[0]]


def boilerplate_features(sentence: str) -> Vectors:
    """Return the features of a sentence: its words and pairs of words, hashed, float32."""
    import numpy as np

    hashed = np.zeros(_BUCKETS, dtype=np.float32)
    for feature in _words_and_pairs(sentence):
        hashed[zlib.crc32(feature.encode("utf-8", "replace")) % _BUCKETS] = 1.0
    return hashed


def _words_and_pairs(sentence: str) -> Iterator[str]:
    words = _TOKEN.findall(sentence.casefold())[:_MAX_WORDS]
    yield from words
    yield from map(" ".join, itertools.pairwise(words))
