"""Chunks: whole sentences, none forgotten, each short enough to be read to its end."""

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
    """Everything that holds of the chunks of every paper."""
    prefix = f"{of.title}. " if of.title else ""
    whole = spans(of.abstract)
    covered = [[span for span in whole if each.start <= span[0] and span[1] <= each.end] for each in chunks]
    assert [span for held in covered for span in held] == whole
    for number, (each, held) in enumerate(zip(chunks, covered, strict=True)):
        assert (each.paper_id, each.number, each.year) == (of.id, number, of.year)
        assert (each.start, each.end) == (held[0][0], held[-1][1])
        assert each.text == prefix + of.abstract[each.start : each.end]
        assert len(held) == 1 or EMBEDDER.count_tokens([each.text])[0] <= limit


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
        assert_chunked(of, [each for each in chunks if each.paper_id == of.id], 64)


def test_an_abstract_that_fits_is_one_chunk() -> None:
    of = paper(*SENTENCES, title="On Sentences of Six Words")
    assert [(each.start, each.end) for each in chunk_papers([of], EMBEDDER, 256)] == [(0, len(of.abstract))]


def test_a_chunk_is_filled_as_far_as_it_goes() -> None:
    # Six words and two special tokens a sentence, two more for the chunk: four fit into 40, the fifth may not.
    chunks = chunk_papers([paper(*SENTENCES)], EMBEDDER, 40)
    assert [each.text.count("Sentence") for each in chunks] == [4, 4, 4]


def test_a_sentence_that_is_too_long_stands_alone() -> None:
    chunks = chunk_papers([paper(*SENTENCES[:2], LONG, *SENTENCES[2:4])], EMBEDDER, 40)
    assert [each.text.split()[0] for each in chunks] == ["Sentence", "This", "Sentence"]
    assert chunks[1].text == LONG


def test_papers_are_chunked_together_as_they_are_alone() -> None:
    papers = [Paper("00", " ".join(SENTENCES)), Paper("01", LONG, title="Long"), Paper("02", "Short.")]
    alone = [each for one in papers for each in chunk_papers([one], EMBEDDER, 30)]
    assert chunk_papers(papers, EMBEDDER, 30) == alone


def test_no_papers_have_no_chunks() -> None:
    assert chunk_papers([], EMBEDDER, 256) == []
