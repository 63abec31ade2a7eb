from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from assistant import factory
from assistant.chat import Assistant
from assistant.encodings import EncodedQuery
from assistant.question.understand import understand
from assistant.retrieval.search import Ranking, fuse, mix, retrieve
from assistant.schema import Hit, Paper, Scored
from assistant.settings import Settings
from assistant.storage.library import Library
from assistant.text.sentences import passages
from ingest import pipeline
from tests.fakes import WordHashEmbedder


def scored(**scores: float) -> list[Scored]:
    return [Scored(paper_id, score) for paper_id, score in scores.items()]


RANKING = Ranking(papers=10, candidates=100, dense_weight=0.6, reranked=50, rerank_weight=0.5)


class ByLength:
    """Prefers short abstracts, and remembers what it was shown."""

    name = "by-length"

    def __init__(self) -> None:
        self.shown: list[str] = []

    def score(self, asked: EncodedQuery, papers: Sequence[Paper]) -> list[float]:
        self.shown = [paper.id for paper in papers]
        return [1 / (1 + len(paper.abstract)) for paper in papers]


def test_scores_are_summed_by_weight_as_they_are() -> None:
    fused = fuse(scored(a=0.9, b=0.5), scored(b=0.4, a=0.1), 0.6)
    assert [each.paper_id for each in fused] == ["a", "b"]
    assert [each.score for each in fused] == pytest.approx([0.58, 0.46])


def test_a_paper_that_the_dense_list_lacks_is_no_nearer_than_its_last() -> None:
    fused = fuse(scored(a=0.9, b=0.2), scored(c=0.4), 0.75)
    assert {each.paper_id: each.score for each in fused} == pytest.approx({"a": 0.675, "c": 0.25, "b": 0.15})


def test_cosines_below_zero_are_scores_like_others() -> None:
    assert [each.paper_id for each in fuse(scored(a=-0.1, b=-0.3, c=-0.2), [], 1.0)] == ["a", "c", "b"]


def test_ties_are_broken_by_id() -> None:
    assert [each.paper_id for each in fuse(scored(d=0.5, b=0.5, c=0.5, a=0.5), [], 0.5)] == ["a", "b", "c", "d"]


def test_the_order_of_a_list_does_not_matter() -> None:
    dense, lexical = scored(a=0.9, b=0.5, c=0.1), scored(b=0.7, d=0.4)
    assert fuse(dense[::-1], lexical[::-1], 0.6) == fuse(dense, lexical, 0.6)


def test_a_weight_of_one_or_nothing_silences_the_other_list() -> None:
    dense, lexical = scored(a=0.9, b=0.1), scored(b=0.7, a=0.1)
    assert [each.paper_id for each in fuse(dense, lexical, 1.0)] == ["a", "b"]
    assert [each.paper_id for each in fuse(dense, lexical, 0.0)] == ["b", "a"]


def test_empty_lists_are_no_obstacle() -> None:
    assert fuse([], [], 0.6) == []
    assert fuse(scored(a=0.5), [], 0.5) == [Scored("a", 0.25)]
    assert fuse([], scored(a=0.5), 0.5) == [Scored("a", 0.25)]


def test_a_closer_look_is_added_by_its_weight_and_one_that_was_not_taken_is_nothing() -> None:
    mixed = mix(scored(a=0.8, b=0.6, c=0.4), scored(b=0.9, a=0.1), 0.5)
    assert {each.paper_id: each.score for each in mixed} == pytest.approx({"b": 0.75, "a": 0.45, "c": 0.2})
    assert [each.paper_id for each in mixed] == ["b", "a", "c"]


def test_without_a_reranker_nothing_is_looked_at_again(reader: Assistant) -> None:
    found = retrieve(understand("Which glaciers shrink the fastest?"), reader.library, RANKING)
    assert all("rerank" not in hit.scores for hit in found.hits)
    assert found.hits[0].score == pytest.approx(_fused(found.hits[0], reader.library), abs=1e-6)


def _fused(hit: Hit, library: Library) -> float:
    max_score = library.lexicon.max_score("Which glaciers shrink the fastest?")
    return 0.6 * hit.scores["dense"] + 0.4 * hit.scores["lexical"] / max_score


def test_a_reranker_has_its_share_and_sees_the_best_candidates_alone(reader: Assistant) -> None:
    reranker, query = ByLength(), understand("Which glaciers shrink the fastest?")
    plain = retrieve(query, reader.library, RANKING).hits
    found = retrieve(query, reader.library, replace(RANKING, reranked=2), reranker).hits
    assert reranker.shown == [hit.paper.id for hit in plain[:2]]
    assert {hit.paper.id for hit in found} == {hit.paper.id for hit in plain}
    for before in plain:
        (after,) = [hit for hit in found if hit.paper.id == before.paper.id]
        assert ("rerank" in after.scores) == (before.rank <= 2)
        assert after.score == pytest.approx((before.score + after.scores.get("rerank", 0.0)) / 2, abs=1e-6)


def test_every_stage_is_timed(reader: Assistant) -> None:
    timings = reader.search("Which glaciers shrink the fastest?").timings
    stages = ["embed_ms", "dense_ms", "lexical_ms", "rerank_ms"]
    assert list(timings) == [*stages, "total_ms"]
    assert sum(timings[stage] for stage in stages) <= timings["total_ms"] + 0.1


def test_a_hit_says_how_like_the_question_each_of_its_sentences_is(reader: Assistant) -> None:
    best = reader.search("Which glaciers shrink the fastest?").hits[0]
    assert len(best.likeness) == len(passages(best.paper.abstract)) == 4
    assert max(best.likeness) == best.likeness[3]  # "Small glaciers shrink the fastest."


def test_hits_are_ranked_from_one_on_the_best_first(reader: Assistant) -> None:
    hits = reader.search("Which glaciers shrink the fastest?").hits
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert "Glaciers" in hits[0].paper.abstract
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= hit.score <= 1 for hit in hits)


def test_a_hit_says_what_each_index_gave_it(reader: Assistant) -> None:
    best, *others = reader.search("Which glaciers shrink the fastest?").hits
    assert set(best.scores) == {"dense", "lexical", "rerank"}
    assert best.scores["lexical"] > 0
    assert all(set(hit.scores) == {"dense", "rerank"} for hit in others)
    assert all(-1 <= hit.scores["dense"] <= best.scores["dense"] <= 1 for hit in others)


def test_no_more_papers_are_found_than_asked_for(reader: Assistant) -> None:
    query = understand("bees glaciers bacteria")
    found = [len(retrieve(query, reader.library, replace(RANKING, papers=papers)).hits) for papers in (1, 2, 3, 10)]
    assert found == [1, 2, 3, 3]


def test_a_paper_of_several_chunks_is_found_once(settings: Settings, papers_file: Path) -> None:
    library = factory.open_library(settings, WordHashEmbedder(max_tokens=20))
    pipeline.ingest([papers_file], library)
    hits = retrieve(understand("Do older bees dance longer?"), library, RANKING).hits
    library.close()
    assert len(hits) == len({hit.paper.id for hit in hits}) == 3
    assert hits[0].scores["dense"] > 0.6  # the cosine of the chunk that says it, not of the abstract


@pytest.mark.parametrize("question", ["", "   ", "?!"])
def test_a_blank_query_finds_nothing(reader: Assistant, question: str) -> None:
    assert retrieve(understand(question), reader.library, RANKING).hits == ()


def test_an_empty_library_has_no_hits(library: Library) -> None:
    assert retrieve(understand("Do bees dance?"), library, RANKING).hits == ()


def test_a_question_in_words_that_no_paper_has_still_finds_the_nearest(reader: Assistant) -> None:
    hits = reader.search("transistors amplify whispers").hits
    assert [set(hit.scores) for hit in hits] == [{"dense", "rerank"}] * 3
