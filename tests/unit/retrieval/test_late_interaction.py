from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pytest

from assistant.embedding import content_words
from assistant.encodings import EncodedQuery, EncodedText, WordVectors
from assistant.protocols import WordVectorLookup
from assistant.retrieval.late_interaction import Interactions
from assistant.schema import Chunk, Paper, Passage
from assistant.storage.library import Library
from assistant.text.sentences import passages
from tests.fakes import WordHashEmbedder

ICE = Paper("ice", "Glaciers retreat. Small ones vanish. Of it.", title="Warm years")


@pytest.fixture
def embedder() -> WordHashEmbedder:
    return WordHashEmbedder(dimension=128)


def whole(paper: Paper) -> Chunk:
    prefix = f"{paper.title}. " if paper.title else ""
    return Chunk(paper.id, 0, prefix + paper.abstract, 0, len(paper.abstract))


def word_vectors(
    library: Library, embedder: WordHashEmbedder, papers: Sequence[Paper], chunks: Sequence[Chunk]
) -> dict[str, WordVectors]:
    return content_words.word_vectors(
        papers, chunks, embedder.encode_documents([chunk.text for chunk in chunks]), library.lexicon
    )


def encode(library: Library, embedder: WordHashEmbedder, question: str) -> EncodedQuery:
    return content_words.encode_query(question, embedder.encode_queries([question])[0], library.lexicon)


class InMemoryIndex:
    """A WordVectorLookup over word vectors in memory."""

    def __init__(self, papers: Mapping[str, WordVectors]) -> None:
        self._papers = papers

    def get(self, paper_ids: Collection[str]) -> dict[str, WordVectors]:
        return {paper_id: self._papers[paper_id] for paper_id in paper_ids}


class RecordingIndex:
    """A WordVectorLookup that records which papers are read."""

    def __init__(self, index: WordVectorLookup) -> None:
        self._index = index
        self.read: list[str] = []

    def get(self, paper_ids: Collection[str]) -> dict[str, WordVectors]:
        self.read += paper_ids
        return self._index.get(paper_ids)


def loaded(query: EncodedQuery, index: WordVectorLookup, paper_id: str = "ice") -> Interactions:
    interactions = Interactions(query, index)
    interactions.load([paper_id])
    return interactions


def test_content_words_are_stored_with_their_offsets_and_stop_words_are_not(
    library: Library, embedder: WordHashEmbedder
) -> None:
    words = word_vectors(library, embedder, [ICE], [whole(ICE)])["ice"]
    offsets = [start for start in words.starts if start >= 0]
    assert [ICE.abstract[start:].split()[0] for start in offsets] == "Glaciers retreat. Small ones vanish.".split()
    assert list(words.starts[:2]) == [-1, -1]  # the title's
    assert words.bits.shape == (7, 128 // 8)


def test_a_title_is_stored_once_and_later_chunks_keep_their_offsets(
    library: Library, embedder: WordHashEmbedder
) -> None:
    cut = ICE.abstract.index("Small")
    parts = [(0, cut - 1), (cut, len(ICE.abstract))]
    chunks = [Chunk("ice", number, f"Warm years. {ICE.abstract[a:b]}", a, b) for number, (a, b) in enumerate(parts)]
    single, split = (word_vectors(library, embedder, [ICE], chunking)["ice"] for chunking in ([whole(ICE)], chunks))
    assert list(single.starts) == list(split.starts)
    assert np.array_equal(single.bits, split.bits)  # these vectors do not depend on their context


def test_a_paper_without_content_words_has_no_vectors(library: Library, embedder: WordHashEmbedder) -> None:
    empty = Paper("empty", "Of it.")
    words = word_vectors(library, embedder, [empty, ICE], [whole(empty)])
    assert [len(words[name].starts) for name in ("empty", "ice")] == [0, 0]


def test_tokens_of_a_word_are_averaged_and_words_without_tokens_are_left_out(library: Library) -> None:
    tokens = np.array([[1, 0, 0], [0, 2, 0], [0, 0, -1]], dtype=np.float32)
    encoded = EncodedText(np.ones(3, dtype=np.float32), ((0, 4), (4, 7), (8, 9)), tokens)
    query = content_words.encode_query("glacier. retreat", encoded, library.lexicon)
    assert query.words == pytest.approx(np.array([[0.5**0.5, 0.5**0.5, 0]]), abs=1e-6)
    assert list(query.weights) == [1.0]


def test_rare_words_weigh_more_and_the_weights_sum_to_one(library: Library, embedder: WordHashEmbedder) -> None:
    library.lexicon.replace([Paper(str(number), "Glaciers melt.") for number in range(9)])
    library.lexicon.replace([Paper("rare", "Glaciers calve.")])
    common, rare = encode(library, embedder, "glaciers calve").weights
    assert rare > common > 0
    assert common + rare == pytest.approx(1.0)


def test_a_paper_with_the_words_of_the_question_has_the_highest_maxsim(
    library: Library, embedder: WordHashEmbedder
) -> None:
    papers = [ICE, Paper("bees", "Bees dance. Older bees dance longer."), Paper("empty", "Of it.")]
    library.words.replace(word_vectors(library, embedder, papers, [whole(paper) for paper in papers]))
    query = encode(library, embedder, "older bees dance")
    ice, bees, empty = Interactions(query, library.words).maxsim([paper.id for paper in papers])
    assert 1 >= bees > 0.7 > 0.4 > ice
    assert empty == 0


def test_maxsim_is_zero_for_unindexed_papers_and_questions_without_words(
    library: Library, embedder: WordHashEmbedder
) -> None:
    assert Interactions(encode(library, embedder, "bees"), library.words).maxsim(["ice"]) == [0.0]
    library.words.replace(word_vectors(library, embedder, [ICE], [whole(ICE)]))
    assert Interactions(encode(library, embedder, "of it"), library.words).maxsim(["ice"]) == [0.0]
    assert Interactions(encode(library, embedder, "bees"), library.words).maxsim([]) == []


def test_each_passage_is_compared_by_its_words(library: Library, embedder: WordHashEmbedder) -> None:
    library.words.replace(word_vectors(library, embedder, [ICE], [whole(ICE)]))
    query = encode(library, embedder, "which small ones vanish in warm years?")
    maxsim = query.weights @ loaded(query, library.words).by_passage("ice", passages(ICE.abstract))
    assert len(maxsim) == len(passages(ICE.abstract)) == 3
    assert maxsim[1] == maxsim.max()
    assert maxsim[2] == 0.0
    assert loaded(query, library.words).by_passage("ice", ()).shape == (len(query.words), 0)


def test_a_paper_is_read_only_once(library: Library, embedder: WordHashEmbedder) -> None:
    library.words.replace(word_vectors(library, embedder, [ICE], [whole(ICE)]))
    index = RecordingIndex(library.words)
    interactions = Interactions(encode(library, embedder, "small ones"), index)
    interactions.maxsim(["ice"])
    interactions.load(["ice", "bees"])
    interactions.by_passage("ice", passages(ICE.abstract))
    interactions.maxsim(["bees", "ice"])
    assert index.read == ["ice", "bees"]


@pytest.mark.parametrize("dimension", [5, 8, 64, 384])
def test_binarized_vectors_keep_the_nearest_word(dimension: int) -> None:
    rng = np.random.default_rng(1)
    whole_vectors = rng.standard_normal((20, dimension)).astype(np.float32)
    whole_vectors /= np.linalg.norm(whole_vectors, axis=1, keepdims=True)
    query = EncodedQuery("", whole_vectors[3], whole_vectors[3:4], np.ones(1, dtype=np.float32))
    words = WordVectors(np.arange(0, 40, 2, dtype=np.int32), np.packbits(whole_vectors > 0, axis=1))
    bits = np.where(whole_vectors > 0, 1, -1) / dimension**0.5
    (maxsim,) = Interactions(query, InMemoryIndex({"one": words})).maxsim(["one"])
    assert maxsim == pytest.approx(float((bits @ whole_vectors[3]).max()), abs=1e-5)
    by_passage = loaded(query, InMemoryIndex({"one": words}), "one").by_passage(
        "one", [Passage("", 6, 8), Passage("", 8, 8)]
    )
    assert by_passage.tolist() == [[pytest.approx(float(bits[3] @ whole_vectors[3]), abs=1e-5), 0.0]]
