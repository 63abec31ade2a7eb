from __future__ import annotations

import numpy as np
import pytest

from assistant.chat import Assistant
from assistant.embedding.content_words import encode_query
from assistant.question import terms
from assistant.question.understand import understand
from assistant.retrieval.alignment import Alignment, align
from assistant.retrieval.late_interaction import Interactions
from assistant.schema import Hit, Paper
from tests import aligning
from tests.fakes import WordHashEmbedder

# A vector's cosine with its own signs is about 0.8; with those of a stranger it is near 0.
THERE, ABSENT = 0.7, 0.5


def hit(abstract: str, title: str | None = None, rank: int = 1) -> Hit:
    return Hit(rank, 1.0, Paper(f"paper-{rank}", abstract, title))


def aligned(reader: Assistant, question: str, *hits: Hit, embedder: WordHashEmbedder | None = None) -> list[Alignment]:
    return list(aligning.found(question, hits, reader.library, embedder).alignments)


def test_a_word_is_present_where_it_stands_and_less_elsewhere(reader: Assistant) -> None:
    (found,) = aligned(reader, "do bees dance?", hit("Bees sleep. They dance. Glaciers shrink."))
    assert [word.text for word in found.terms] == ["bees", "dance"]
    assert found.presence.shape == (2, 3)
    # The stand-in embedder tells Bees from bees as little as the lexicon does.
    assert (found.presence > THERE).tolist() == [[True, False, False], [False, True, False]]
    assert ((found.presence > THERE) == (found.presence > ABSENT)).all()


def test_what_is_present_overall_is_present_in_title_or_abstract(reader: Assistant) -> None:
    (found,) = aligned(reader, "bees dance slowly", hit("They dance.", title="On bees"))
    assert (found.overall > THERE).tolist() == [True, True, False]
    assert (found.presence[:, 0] > THERE).tolist() == [False, True, False]


def test_no_sentence_has_more_of_a_word_than_the_whole(reader: Assistant) -> None:
    for found in aligned(reader, "small glaciers and older bees", *reader.search("glaciers bees").hits):
        assert np.all(found.presence <= found.overall[:, None] + 1e-6)
        assert np.all(np.abs(found.overall) <= 1 + 1e-6)


def test_the_terms_of_a_question_are_those_that_tell_what_it_asks_about(reader: Assistant) -> None:
    (found,) = aligned(reader, "What do papers say: does GPT-4's bees' dance_floor help?", hit("Bees dance."))
    assert [word.text for word in found.terms] == ["say", "GPT", "4", "bees", "dance", "help"]


def test_a_sentence_beyond_what_is_read_has_none_of_the_words(reader: Assistant) -> None:
    (found,) = aligned(reader, "bees", hit("They sleep at night. Bees dance."), embedder=WordHashEmbedder(max_tokens=6))
    assert found.presence[0, 1] == 0.0
    assert len(found.passages) == 2


def test_a_paper_that_the_word_index_lacks_has_none_of_the_words(reader: Assistant) -> None:
    question, indexes = "do bees dance", reader.library.fresh()
    (encoded,) = reader.library.embedder.encode_queries([question])
    interactions = Interactions(encode_query(question, encoded, indexes.lexicon), indexes.words)
    unknown = hit("Bees dance. They sleep.").paper
    assert interactions.maxsim([unknown.id]) == [0.0]
    aligned_unknown = align(terms.analyze(question, indexes.lexicon), unknown, interactions)
    assert aligned_unknown.presence.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert aligned_unknown.overall.tolist() == [0.0, 0.0]


def test_every_hit_of_a_search_is_aligned(reader: Assistant) -> None:
    search = reader.find(understand("Which glaciers shrink the fastest?"), reader.library.fresh())
    assert [aligned.paper for aligned in search.alignments] == [hit.paper for hit in search.hits]
    assert search.alignments[0].presence.max() > THERE


@pytest.mark.parametrize("question", ["", "?!", " "])
def test_a_blank_question_is_aligned_with_nothing(reader: Assistant, question: str) -> None:
    assert reader.find(understand(question), reader.library.fresh()).alignments == ()


def test_without_hits_there_is_nothing_to_align(reader: Assistant) -> None:
    assert aligned(reader, "bees") == []


@pytest.mark.parametrize("question", ["Do bees dance?", "what about it?"])
@pytest.mark.parametrize("abstract", ["", "Bees", "Bees dance."])
def test_rows_are_words_and_columns_are_sentences_however_few(reader: Assistant, question: str, abstract: str) -> None:
    (found,) = aligned(reader, question, hit(abstract))
    assert found.presence.shape == (len(found.terms), len(found.passages))
    assert found.overall.shape == (len(found.terms),)
