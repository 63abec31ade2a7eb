"""Chunks: whole sentences, none forgotten, chunk short enough to be read to its end."""

from __future__ import annotations

import pytest

from assistant.schema import Chunk, Paper
from assistant.storage.library import Library
from assistant.text.sentences import spans
from ingest.chunks import chunk_papers
from tests.fakes import WordHashEmbedder

SENTENCES = [f"Sentence {number} has exactly six words." for number in range(12)]
LONG = "This one goes " + "on and " * 30 + "on."
EMBEDDER = WordHashEmbedder()


def paper(*sentences: str, title: str | None = None) -> Paper:
    return Paper("00", "  \n".join(sentences), title=title, year=2024)


def assert_chunked(of: Paper, chunks: list[Chunk], limit: int) -> None:
    """Assert what is true of the chunks of every paper."""
    prefix = f"{of.title}. " if of.title else ""
    sentences = spans(of.abstract)
    covered = [[span for span in sentences if chunk.start <= span[0] and span[1] <= chunk.end] for chunk in chunks]
    assert [span for run in covered for span in run] == sentences
    for number, (chunk, run) in enumerate(zip(chunks, covered, strict=True)):
        assert (chunk.paper_id, chunk.number, chunk.year) == (of.id, number, of.year)
        assert (chunk.start, chunk.end) == (run[0][0], run[-1][1])
        assert chunk.text == prefix + of.abstract[chunk.start : chunk.end]
        assert len(run) == 1 or EMBEDDER.count_tokens([chunk.text])[0] <= limit


@pytest.mark.parametrize("limit", [1, 8, 20, 40, 100, 256])
@pytest.mark.parametrize(
    "of",
    [
        paper(*SENTENCES),
        paper(*SENTENCES, title="On Sentences of Six Words"),
        paper(*SENTENCES[:3], LONG, *SENTENCES[3:], title="On Long Sentences"),
        paper(LONG),
        paper("No sentence ends here"),
    ],
)
def test_chunks_are_runs_of_whole_sentences_within_the_limit(of: Paper, limit: int) -> None:
    assert_chunked(of, chunk_papers([of], EMBEDDER, limit), limit)


def test_the_seeds_fit_into_a_small_embedder(seeds_library: Library) -> None:
    papers = list(seeds_library.catalog.papers.all())
    chunks = chunk_papers(papers, EMBEDDER, 64)
    assert len(chunks) > 2 * len(papers)
    for of in papers:
        assert_chunked(of, [chunk for chunk in chunks if chunk.paper_id == of.id], 64)


def test_an_abstract_that_fits_is_one_chunk() -> None:
    of = paper(*SENTENCES, title="On Sentences of Six Words")
    assert [(chunk.start, chunk.end) for chunk in chunk_papers([of], EMBEDDER, 256)] == [(0, len(of.abstract))]


def test_a_chunk_is_filled_as_far_as_it_goes() -> None:
    # Six words and two special tokens a sentence, two more for the chunk: four fit into 40, the fifth may not.
    chunks = chunk_papers([paper(*SENTENCES)], EMBEDDER, 40)
    assert [chunk.text.count("Sentence") for chunk in chunks] == [4, 4, 4]


def test_a_sentence_that_is_too_long_stands_alone() -> None:
    chunks = chunk_papers([paper(*SENTENCES[:2], LONG, *SENTENCES[2:4])], EMBEDDER, 40)
    assert [chunk.text.split()[0] for chunk in chunks] == ["Sentence", "This", "Sentence"]
    assert chunks[1].text == LONG


def test_papers_are_chunked_together_as_they_are_alone() -> None:
    papers = [Paper("00", " ".join(SENTENCES)), Paper("01", LONG, title="Long"), Paper("02", "Short.")]
    alone = [chunk for paper in papers for chunk in chunk_papers([paper], EMBEDDER, 30)]
    assert chunk_papers(papers, EMBEDDER, 30) == alone


def test_no_papers_have_no_chunks() -> None:
    assert chunk_papers([], EMBEDDER, 256) == []
