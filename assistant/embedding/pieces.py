"""The input of a transformer: the word pieces of texts, and batches of them padded to one length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.encodings import Vectors

    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """The ids of a text's word pieces, and the characters from which each was made; special tokens have none."""

    ids: list[int]
    spans: list[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class PaddedBatch:
    """Sequences of word pieces padded to the longest: ids, mask and segments, each of shape (sequences, pieces).

    `mask` is 1 at a piece and 0 at padding; `segments` is 1 in the second text of a pair.
    """

    ids: Integers
    mask: Integers
    segments: Integers


class Transformer(Protocol):
    """A transformer with its tokenizer. Not safe to call from several threads: the classes over it have a lock."""

    @property
    def cls_id(self) -> int:
        """Return the id of the piece that begins a sequence."""

    @property
    def sep_id(self) -> int:
        """Return the id of the piece that ends a text."""

    def tokenize(
        self, texts: Sequence[str], max_pieces: int | None = None, special_tokens: bool = True
    ) -> list[TokenizedText]:
        """Return the word pieces of each text, cut to `max_pieces`, special tokens included."""

    def token_vectors(self, batch: PaddedBatch) -> Vectors:
        """Return the vectors of a batch in single precision, shape (sequences, pieces, dimension)."""


class SentenceModel(Protocol):
    """A transformer with its tokenizer and a pooling, as sentence-transformers defines them.

    `max_pieces` is the number of word pieces of a text that are read, `prompts` are the model's own by kind of text.
    """

    dimension: int
    max_pieces: int
    batch_size: int
    prompts: dict[str, str]

    def tokenize(
        self, texts: Sequence[str], max_pieces: int | None = None, special_tokens: bool = True
    ) -> list[TokenizedText]:
        """Return the word pieces of each text, cut to `max_pieces`, special tokens included."""

    def embed(self, texts: Sequence[str], prompt: str, kind: str) -> tuple[Vectors, Vectors]:
        """Return the pooled vectors and the padded token vectors of texts behind a prompt, in single precision."""


def padded(sequences: Sequence[Sequence[int]], first_lengths: Sequence[int] | None = None) -> PaddedBatch:
    """Return the sequences as a batch; of a pair, `first_lengths` are the pieces of the first text."""
    import numpy as np

    lengths = np.array([len(ids) for ids in sequences])
    positions = np.arange(lengths.max())
    mask = (positions < lengths[:, None]).astype(np.int64)
    ids = np.zeros_like(mask)
    ids[mask.astype(bool)] = np.concatenate([np.asarray(sequence, dtype=np.int64) for sequence in sequences])
    segments = np.zeros_like(mask)
    if first_lengths is not None:
        segments = mask * (positions >= np.asarray(first_lengths)[:, None])
    return PaddedBatch(ids, mask, segments)
