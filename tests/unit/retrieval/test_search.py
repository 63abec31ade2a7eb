from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assistant import factory
from assistant.chat import Assistant
from assistant.question import terms
from assistant.question.understand import understand
from assistant.retrieval import search
from assistant.retrieval.fusion import fuse, mix
from assistant.retrieval.reranking import Candidates, Reranker
from assistant.retrieval.search import Found, Ranking
from assistant.schema import Hit
from assistant.settings import Settings
from assistant.storage.library import Library
from assistant.text.sentences import passages
from ingest import pipeline
from tests.fakes import WordHashEmbedder


def run_search(question: str, library: Library, ranking: Ranking, reranker: Reranker | None = None) -> Found:
    query, indexes = understand(question), library.fresh()
    return search.search(query, terms.analyze(query.standalone, indexes.lexicon), library, indexes, ranking, reranker)


RANKING = Ranking(top_k=10, candidates=100, dense_weight=0.6, reranked=50, rerank_weight=0.5)


class ByLength:
    """A Reranker that prefers short abstracts and records its candidates."""

    name = "by-length"

    def __init__(self) -> None:
        self.paper_ids: list[str] = []

    def score(self, candidates: Candidates) -> dict[str, float]:
        self.paper_ids = list(candidates.paper_ids)
        return {paper.id: 1 / (1 + len(paper.abstract)) for paper in candidates.read(candidates.paper_ids)}


def test_scores_are_summed_by_weight_as_they_are() -> None:
    fused = fuse({"a": 0.9, "b": 0.5}, {"b": 0.4, "a": 0.1}, 0.6)
    assert list(fused) == ["a", "b"]
    assert fused == pytest.approx({"a": 0.58, "b": 0.46})


def test_a_paper_missing_from_the_dense_list_gets_its_lowest_score() -> None:
    assert fuse({"a": 0.9, "b": 0.2}, {"c": 0.4}, 0.75) == pytest.approx({"a": 0.675, "c": 0.25, "b": 0.15})


def test_negative_cosines_are_scores_like_others() -> None:
    assert list(fuse({"a": -0.1, "b": -0.3, "c": -0.2}, {}, 1.0)) == ["a", "c", "b"]


def test_ties_are_broken_by_id() -> None:
    assert list(fuse({"d": 0.5, "b": 0.5, "c": 0.5, "a": 0.5}, {}, 0.5)) == ["a", "b", "c", "d"]


def test_the_order_of_a_ranking_does_not_matter() -> None:
    dense, lexical = {"a": 0.9, "b": 0.5, "c": 0.1}, {"b": 0.7, "d": 0.4}
    backwards = fuse(dict(reversed(dense.items())), dict(reversed(lexical.items())), 0.6)
    assert list(backwards.items()) == list(fuse(dense, lexical, 0.6).items())


def test_a_weight_of_one_or_zero_disables_a_list() -> None:
    dense, lexical = {"a": 0.9, "b": 0.1}, {"b": 0.7, "a": 0.1}
    assert list(fuse(dense, lexical, 1.0)) == ["a", "b"]
    assert list(fuse(dense, lexical, 0.0)) == ["b", "a"]


def test_empty_rankings_are_fused_too() -> None:
    assert fuse({}, {}, 0.6) == {}
    assert fuse({"a": 0.5}, {}, 0.5) == {"a": 0.25}
    assert fuse({}, {"a": 0.5}, 0.5) == {"a": 0.25}


def test_a_reranker_s_score_is_mixed_in_by_its_weight_and_counts_as_0_where_there_is_none() -> None:
    mixed = mix({"a": 0.8, "b": 0.6, "c": 0.4}, {"b": 0.9, "a": 0.1}, 0.5)
    assert mixed == pytest.approx({"b": 0.75, "a": 0.45, "c": 0.2})
    assert list(mixed) == ["b", "a", "c"]


def test_without_a_reranker_nothing_is_reranked(reader: Assistant) -> None:
    hits = run_search("Which glaciers shrink the fastest?", reader.library, RANKING).hits
    assert all("rerank" not in hit.scores for hit in hits)
    assert hits[0].score == pytest.approx(_fused(hits[0], reader.library), abs=1e-6)


def _fused(hit: Hit, library: Library) -> float:
    max_score = library.lexicon.max_score("Which glaciers shrink the fastest?")
    return 0.6 * hit.scores["dense"] + 0.4 * hit.scores["lexical"] / max_score


def test_a_reranker_scores_only_the_best_candidates(reader: Assistant) -> None:
    reranker, question = ByLength(), "Which glaciers shrink the fastest?"
    plain = run_search(question, reader.library, RANKING).hits
    reranked = run_search(question, reader.library, replace(RANKING, reranked=2), reranker).hits
    assert reranker.paper_ids == [hit.paper.id for hit in plain[:2]]
    assert {hit.paper.id for hit in reranked} == {hit.paper.id for hit in plain}
    for before in plain:
        (after,) = [hit for hit in reranked if hit.paper.id == before.paper.id]
        assert ("rerank" in after.scores) == (before.rank <= 2)
        assert after.score == pytest.approx((before.score + after.scores.get("rerank", 0.0)) / 2, abs=1e-6)


def test_every_stage_is_timed(reader: Assistant) -> None:
    timings = reader.search("Which glaciers shrink the fastest?").timings
    stages = ["embed_ms", "dense_ms", "lexical_ms", "rerank_ms"]
    assert list(timings) == [*stages, "total_ms"]
    assert sum(timings[stage] for stage in stages) <= timings["total_ms"] + 0.1


def test_each_passage_of_a_hit_is_compared_with_the_question(reader: Assistant) -> None:
    best = run_search("Which glaciers shrink the fastest?", reader.library, RANKING).alignments[0]
    assert best.passages == passages(best.paper.abstract)
    assert best.maxsim.argmax() == 3  # "Small glaciers shrink the fastest."


def test_hits_are_ranked_from_one_on_the_best_first(reader: Assistant) -> None:
    hits = reader.search("Which glaciers shrink the fastest?").hits
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert "Glaciers" in hits[0].paper.abstract
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= hit.score <= 1 for hit in hits)


def test_a_hit_has_the_score_of_each_index(reader: Assistant) -> None:
    best, *others = reader.search("Which glaciers shrink the fastest?").hits
    assert set(best.scores) == {"dense", "lexical", "rerank"}
    assert best.scores["lexical"] > 0
    assert all(set(hit.scores) == {"dense", "rerank"} for hit in others)
    assert all(-1 <= hit.scores["dense"] <= best.scores["dense"] <= 1 for hit in others)


def test_at_most_top_k_papers_are_found(reader: Assistant) -> None:
    question = "bees glaciers bacteria"
    counts = [len(run_search(question, reader.library, replace(RANKING, top_k=top_k)).hits) for top_k in (1, 2, 3, 10)]
    assert counts == [1, 2, 3, 3]


def test_a_paper_of_several_chunks_is_found_once(settings: Settings, papers_file: Path) -> None:
    library = factory.open_library(settings, WordHashEmbedder(max_tokens=20))
    pipeline.ingest([papers_file], library)
    hits = run_search("Do older bees dance longer?", library, RANKING).hits
    library.close()
    assert len(hits) == len({hit.paper.id for hit in hits}) == 3
    assert hits[0].scores["dense"] > 0.6  # the cosine of the chunk that says it, not of the abstract


@pytest.mark.parametrize("question", ["", "   ", "?!"])
def test_a_blank_query_finds_nothing(reader: Assistant, question: str) -> None:
    assert run_search(question, reader.library, RANKING).hits == ()


def test_an_empty_library_has_no_hits(library: Library) -> None:
    assert run_search("Do bees dance?", library, RANKING).hits == ()


def test_a_question_in_words_that_no_paper_has_still_finds_the_nearest(reader: Assistant) -> None:
    hits = reader.search("transistors amplify whispers").hits
    assert [set(hit.scores) for hit in hits] == [{"dense", "rerank"}] * 3
