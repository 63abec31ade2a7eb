"""Assemble what the pair reader reads: a claim or question, and the sentences of a text, as one sequence of pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Word pieces of a claim or question that are read, and of the whole sequence, special tokens included.
MAX_QUERY, MAX_PIECES = 128, 512
_SPECIAL = 3  # [CLS] query [SEP] sentences [SEP]
NO_SENTENCE = -1


@dataclass(frozen=True, slots=True)
class PairInput:
    """A sequence of word pieces; `owners[i]` is the sentence of piece i, or NO_SENTENCE.

    The first `query_length` pieces are the query with its special tokens. `sentences` is the range of sentences read.
    """

    ids: tuple[int, ...]
    owners: tuple[int, ...]
    query_length: int
    sentences: range


def windows(
    query: Sequence[int], sentences: Sequence[Sequence[int]], cls: int, sep: int, max_pieces: int = MAX_PIECES
) -> Iterator[PairInput]:
    """Yield the query beside consecutive sentences, as many at once as fit; one that alone is too long is cut.

    Without sentences the query is read beside nothing. `cls` and `sep` are the ids of the special tokens.
    """
    query = query[:MAX_QUERY]
    room = max_pieces - len(query) - _SPECIAL
    start = 0
    while start < len(sentences) or start == 0:
        end, used = start, 0
        while end < len(sentences) and (end == start or used + len(sentences[end]) <= room):
            used += len(sentences[end])
            end += 1
        yield _assemble(query, sentences, range(start, end), room, cls, sep)
        start = max(end, 1)


def _assemble(
    query: Sequence[int], sentences: Sequence[Sequence[int]], chosen: range, room: int, cls: int, sep: int
) -> PairInput:
    text = [(piece, number) for number in chosen for piece in sentences[number]][:room]
    ids = (cls, *query, sep, *(piece for piece, _ in text), sep)
    query_length = len(query) + 2
    owners = (*[NO_SENTENCE] * query_length, *(number for _, number in text), NO_SENTENCE)
    return PairInput(ids, owners, query_length, chosen)
