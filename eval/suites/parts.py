"""Divide labelled data into train, dev and test parts by a hash, the same everywhere: in suites and in training."""

from __future__ import annotations

import zlib
from typing import Literal, TypeAlias, get_args

Part: TypeAlias = Literal["train", "dev", "test"]
PARTS = get_args(Part)
# One text in so many is held out for each part.
_ONE_IN = 5


def part_of_abstract(paper_id: str, split: str) -> Part:
    """Return the part of an annotated abstract: its split, but test for a fifth of the split `train`.

    Raises ValueError for a split that is neither train nor dev.
    """
    if split == "dev":
        return "dev"
    if split == "train":
        return "test" if _remainder(paper_id) == 0 else "train"
    raise ValueError(f"the split {split!r} is neither train nor dev")


def part_of_text(text: str) -> Part:
    """Return the part of a text without a split: a message, or the first question of a conversation."""
    remainder = _remainder(text)
    return "test" if remainder == 0 else "dev" if remainder == 1 else "train"


def _remainder(key: str) -> int:
    return zlib.crc32(key.encode()) % _ONE_IN
