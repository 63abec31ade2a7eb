from __future__ import annotations

import numpy as np
import pytest

from assistant.alignment import PAPERS, Alignment, align
from assistant.chat import Assistant
from assistant.query import understand
from assistant.schema import Hit, Paper
from tests.fakes import WordHashEmbedder


def hit(abstract: str, title: str | None = None, rank: int = 1) -> Hit:
    return Hit(rank, 1.0, Paper(f"paper-{rank}", abstract, title))


def aligned(reader: Assistant, question: str, *hits: Hit, embedder: WordHashEmbedder | None = None) -> list[Alignment]:
    return align(understand(question), hits, embedder or WordHashEmbedder(), reader.library.lexicon)


def test_a_word_is_wholly_present_where_it_stands_and_less_elsewhere(reader: Assistant) -> None:
    (found,) = aligned(reader, "do bees dance?", hit("Bees sleep. They dance. Glaciers shrink."))
    assert [word.text for word in found.words] == ["bees", "dance"]
    assert found.presence.shape == (2, 3)
    there = found.presence > 0.999
    # The stand-in embedder tells Bees from bees as little as the lexicon does.
    assert there.tolist() == [[True, False, False], [False, True, False]]


def test_what_is_present_overall_is_present_in_title_or_abstract(reader: Assistant) -> None:
    (found,) = aligned(reader, "bees dance slowly", hit("They dance.", title="On bees"))
    assert (found.overall > 0.999).tolist() == [True, True, False]
    assert (found.presence[:, 0] > 0.999).tolist() == [False, True, False]


def test_no_sentence_has_more_of_a_word_than_the_whole(reader: Assistant) -> None:
    for found in aligned(reader, "small glaciers and older bees", *reader.search("glaciers bees").hits):
        assert np.all(found.presence <= found.overall[:, None] + 1e-6)
        assert np.all(np.abs(found.overall) <= 1 + 1e-6)


def test_only_the_best_papers_are_read(reader: Assistant) -> None:
    hits = [hit("Bees dance.", rank=rank) for rank in range(1, PAPERS + 3)]
    assert [each.hit.rank for each in aligned(reader, "bees", *hits)] == list(range(1, PAPERS + 1))


def test_a_sentence_beyond_what_is_read_has_none_of_the_words(reader: Assistant) -> None:
    (found,) = aligned(reader, "bees", hit("They sleep at night. Bees dance."), embedder=WordHashEmbedder(max_tokens=6))
    assert found.presence[0, 1] == 0.0
    assert len(found.passages) == 2


@pytest.mark.parametrize("question", ["", "?!", " "])
def test_a_blank_question_is_aligned_with_nothing(reader: Assistant, question: str) -> None:
    assert aligned(reader, question, hit("Bees dance.")) == []


def test_without_hits_there_is_nothing_to_align(reader: Assistant) -> None:
    assert aligned(reader, "bees") == []


@pytest.mark.parametrize("question", ["Do bees dance?", "what about it?"])
@pytest.mark.parametrize("abstract", ["", "Bees", "Bees dance."])
def test_rows_are_words_and_columns_are_sentences_however_few(reader: Assistant, question: str, abstract: str) -> None:
    (found,) = aligned(reader, question, hit(abstract))
    assert found.presence.shape == (len(found.words), len(found.passages))
    assert found.overall.shape == (len(found.words),)
