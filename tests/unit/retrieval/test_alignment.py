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

# The cosine of a vector with its binarized copy is about 0.8; with the copy of an unrelated vector it is near 0.
PRESENT, ABSENT = 0.7, 0.5


def hit(abstract: str, title: str | None = None, rank: int = 1) -> Hit:
    return Hit(rank, 1.0, Paper(f"paper-{rank}", abstract, title))


def aligned(reader: Assistant, question: str, *hits: Hit, embedder: WordHashEmbedder | None = None) -> list[Alignment]:
    return list(aligning.search_result(question, hits, reader.library, embedder).alignments)


def test_a_word_is_present_in_its_sentence_and_less_elsewhere(reader: Assistant) -> None:
    (alignment,) = aligned(reader, "do bees dance?", hit("Bees sleep. They dance. Glaciers shrink."))
    assert [word.text for word in alignment.terms] == ["bees", "dance"]
    assert alignment.presence.shape == (2, 3)
    # The word-hash embedder ignores case, as the lexicon does.
    assert (alignment.presence > PRESENT).tolist() == [[True, False, False], [False, True, False]]
    assert ((alignment.presence > PRESENT) == (alignment.presence > ABSENT)).all()


def test_overall_presence_covers_title_and_abstract(reader: Assistant) -> None:
    (alignment,) = aligned(reader, "bees dance slowly", hit("They dance.", title="On bees"))
    assert (alignment.overall > PRESENT).tolist() == [True, True, False]
    assert (alignment.presence[:, 0] > PRESENT).tolist() == [False, True, False]


def test_no_sentence_has_more_of_a_word_than_the_whole(reader: Assistant) -> None:
    for alignment in aligned(reader, "small glaciers and older bees", *reader.search("glaciers bees").hits):
        assert np.all(alignment.presence <= alignment.overall[:, None] + 1e-6)
        assert np.all(np.abs(alignment.overall) <= 1 + 1e-6)


def test_the_terms_of_a_question_are_its_content_words(reader: Assistant) -> None:
    (alignment,) = aligned(reader, "What do papers say: does GPT-4's bees' dance_floor help?", hit("Bees dance."))
    assert [word.text for word in alignment.terms] == ["say", "GPT", "4", "bees", "dance", "help"]


def test_a_sentence_beyond_the_token_limit_has_no_words(reader: Assistant) -> None:
    (alignment,) = aligned(
        reader, "bees", hit("They sleep at night. Bees dance."), embedder=WordHashEmbedder(max_tokens=6)
    )
    assert alignment.presence[0, 1] == 0.0
    assert len(alignment.passages) == 2


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
    assert search.alignments[0].presence.max() > PRESENT


@pytest.mark.parametrize("question", ["", "?!", " "])
def test_a_blank_question_is_aligned_with_nothing(reader: Assistant, question: str) -> None:
    assert reader.find(understand(question), reader.library.fresh()).alignments == ()


def test_without_hits_there_is_nothing_to_align(reader: Assistant) -> None:
    assert aligned(reader, "bees") == []


@pytest.mark.parametrize("question", ["Do bees dance?", "what about it?"])
@pytest.mark.parametrize("abstract", ["", "Bees", "Bees dance."])
def test_rows_are_words_and_columns_are_sentences(reader: Assistant, question: str, abstract: str) -> None:
    (alignment,) = aligned(reader, question, hit(abstract))
    assert alignment.presence.shape == (len(alignment.terms), len(alignment.passages))
    assert alignment.overall.shape == (len(alignment.terms),)
