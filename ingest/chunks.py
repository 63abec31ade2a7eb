"""An abstract to chunks: runs of whole sentences that the embedder reads to the end.

Every chunk begins with the paper's title, so that a later chunk still says what it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assistant.protocols import Embedder
from assistant.schema import Chunk, Paper
from assistant.text.sentences import spans


def chunk(papers: Sequence[Paper], embedder: Embedder, limit: int) -> list[Chunk]:
    """The chunks of papers, each of at most `limit` word-pieces, title and special tokens included.

    A single sentence that is longer than that makes a chunk of its own, and its end is not embedded.
    """
    sentences = [spans(paper.abstract) for paper in papers]
    lengths = iter(embedder.count_tokens(list(_texts(papers, sentences))))
    found: list[Chunk] = []
    for paper, parts in zip(papers, sentences, strict=True):
        title = next(lengths)
        found += _chunks(paper, parts, [next(lengths) for _ in parts], limit - title)
    return found


def _texts(papers: Sequence[Paper], sentences: Sequence[Sequence[tuple[int, int]]]) -> Iterator[str]:
    """Each paper's title line followed by its sentences: what has to be measured."""
    for paper, parts in zip(papers, sentences, strict=True):
        yield _prefix(paper)
        yield from (paper.abstract[start:end] for start, end in parts)


def _chunks(paper: Paper, parts: Sequence[tuple[int, int]], lengths: Sequence[int], room: int) -> Iterator[Chunk]:
    for number, (first, last) in enumerate(_runs(lengths, room)):
        start, end = parts[first][0], parts[last][1]
        yield Chunk(paper.id, number, _prefix(paper) + paper.abstract[start:end], start, end, paper.year)


def _runs(lengths: Sequence[int], room: int) -> list[tuple[int, int]]:
    """First and last sentence of each run; a run is filled as far as it goes."""
    runs: list[tuple[int, int]] = []
    first = held = 0
    for at, length in enumerate(lengths):
        if at > first and held + length > room:
            runs.append((first, at - 1))
            first, held = at, 0
        held += length
    return [*runs, (first, len(lengths) - 1)] if lengths else []


def _prefix(paper: Paper) -> str:
    return f"{paper.title}. " if paper.title else ""
