"""Split abstracts into chunks: runs of whole sentences that fit into the embedder's input.

Every chunk begins with the paper's title, so that later chunks too state their subject.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assistant.protocols import Embedder
from assistant.schema import Chunk, Paper
from assistant.text.sentences import spans

Span = tuple[int, int]


def chunk_papers(papers: Sequence[Paper], embedder: Embedder, max_tokens: int) -> list[Chunk]:
    """Return the chunks of papers, each of at most `max_tokens` tokens, including the title and special tokens.

    A longer sentence becomes a chunk of its own, and the embedder truncates it.
    """
    sentences = [spans(paper.abstract) for paper in papers]
    token_counts = iter(embedder.count_tokens(list(_texts(papers, sentences))))
    chunks: list[Chunk] = []
    for paper, paper_spans in zip(papers, sentences, strict=True):
        title_tokens = next(token_counts)
        counts = [next(token_counts) for _ in paper_spans]
        chunks += _chunks(paper, paper_spans, counts, max_tokens - title_tokens)
    return chunks


def _texts(papers: Sequence[Paper], sentences: Sequence[Sequence[Span]]) -> Iterator[str]:
    """Yield the texts whose tokens are counted: for each paper its title, then its sentences."""
    for paper, paper_spans in zip(papers, sentences, strict=True):
        yield _prefix(paper)
        yield from (paper.abstract[start:end] for start, end in paper_spans)


def _chunks(paper: Paper, sentences: Sequence[Span], token_counts: Sequence[int], max_tokens: int) -> Iterator[Chunk]:
    for number, (first, last) in enumerate(_runs(token_counts, max_tokens)):
        start, end = sentences[first][0], sentences[last][1]
        yield Chunk(paper.id, number, _prefix(paper) + paper.abstract[start:end], start, end, paper.year)


def _runs(token_counts: Sequence[int], max_tokens: int) -> list[tuple[int, int]]:
    """Return the indices of the first and last sentence of each run; every run is as long as possible."""
    runs: list[tuple[int, int]] = []
    first = tokens = 0
    for index, count in enumerate(token_counts):
        if index > first and tokens + count > max_tokens:
            runs.append((first, index - 1))
            first, tokens = index, 0
        tokens += count
    return [*runs, (first, len(token_counts) - 1)] if token_counts else []


def _prefix(paper: Paper) -> str:
    return f"{paper.title}. " if paper.title else ""
