from __future__ import annotations

from pathlib import Path

import pytest

from assistant import wiring
from assistant.chat import Assistant
from assistant.library import Library
from assistant.query import understand
from assistant.retrieve import fuse, retrieve
from assistant.schema import Scored
from assistant.settings import Settings
from ingest import pipeline
from tests.fakes import WordHashEmbedder


def scored(**scores: float) -> list[Scored]:
    return [Scored(paper_id, score) for paper_id, score in scores.items()]


def test_scores_are_stretched_to_one_and_summed_by_weight() -> None:
    # dense: a 1, b 0.5, c 0; lexical: b 1, d 0.25, e 0
    fused = fuse(scored(a=0.9, b=0.5, c=0.1), scored(b=10, d=4, e=2), 0.6)
    assert [each.paper_id for each in fused] == ["b", "a", "d", "c", "e"]
    assert [each.score for each in fused] == pytest.approx([0.6 * 0.5 + 0.4, 0.6, 0.4 * 0.25, 0, 0])


def test_a_paper_in_one_list_only_gets_that_lists_share() -> None:
    fused = fuse(scored(a=0.9, b=0.1), scored(c=7, b=3), 0.75)
    assert fused == [Scored("a", 0.75), Scored("c", 0.25), Scored("b", 0.0)]


def test_cosines_below_zero_are_scores_like_others() -> None:
    assert fuse(scored(a=-0.1, b=-0.3, c=-0.2), [], 1.0)[1].score == pytest.approx(0.5)


def test_ties_are_broken_by_id() -> None:
    fused = fuse(scored(d=0.5, b=0.5), scored(c=3, a=3), 0.5)
    assert fused == [Scored(paper_id, 0.5) for paper_id in "abcd"]


def test_the_order_of_a_list_does_not_matter() -> None:
    dense, lexical = scored(a=0.9, b=0.5, c=0.1), scored(b=10, d=4)
    assert fuse(dense[::-1], lexical[::-1], 0.6) == fuse(dense, lexical, 0.6)


def test_a_weight_of_one_or_nothing_silences_the_other_list() -> None:
    dense, lexical = scored(a=0.9, b=0.1), scored(b=10, a=1)
    assert [each.paper_id for each in fuse(dense, lexical, 1.0)] == ["a", "b"]
    assert [each.paper_id for each in fuse(dense, lexical, 0.0)] == ["b", "a"]


def test_empty_lists_are_no_obstacle() -> None:
    assert fuse([], [], 0.6) == []
    assert fuse(scored(a=0.4), [], 0.6) == [Scored("a", 0.6)]
    assert fuse([], scored(a=12), 0.6) == [Scored("a", 0.4)]


def test_hits_are_ranked_from_one_on_the_best_first(reader: Assistant) -> None:
    hits = reader.search("Which glaciers shrink the fastest?").hits
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert "Glaciers" in hits[0].paper.abstract
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= hit.score <= 1 for hit in hits)


def test_a_hit_says_what_each_index_gave_it(reader: Assistant) -> None:
    best, *others = reader.search("Which glaciers shrink the fastest?").hits
    assert set(best.scores) == {"dense", "lexical"}
    assert best.scores["lexical"] > 0
    assert all(set(hit.scores) == {"dense"} for hit in others)
    assert all(-1 <= hit.scores["dense"] <= best.scores["dense"] <= 1 for hit in others)


def test_no_more_papers_are_found_than_asked_for(reader: Assistant) -> None:
    query = understand("bees glaciers bacteria")
    found = [len(retrieve(query, reader.library, papers, 100, 0.6).hits) for papers in (1, 2, 3, 10)]
    assert found == [1, 2, 3, 3]


def test_a_paper_of_several_chunks_is_found_once(settings: Settings, papers_file: Path) -> None:
    library = wiring.open_library(settings, WordHashEmbedder(max_tokens=20))
    pipeline.ingest([papers_file], library)
    hits = retrieve(understand("Do older bees dance longer?"), library, 10, 100, 0.6).hits
    library.close()
    assert len(hits) == len({hit.paper.id for hit in hits}) == 3
    assert hits[0].scores["dense"] > 0.6  # the cosine of the chunk that says it, not of the abstract


@pytest.mark.parametrize("question", ["", "   ", "?!"])
def test_a_blank_query_finds_nothing(reader: Assistant, question: str) -> None:
    assert retrieve(understand(question), reader.library, 10, 100, 0.6).hits == ()


def test_an_empty_library_has_no_hits(library: Library) -> None:
    assert retrieve(understand("Do bees dance?"), library, 10, 100, 0.6).hits == ()


def test_a_question_in_words_that_no_paper_has_still_finds_the_nearest(reader: Assistant) -> None:
    hits = reader.search("transistors amplify whispers").hits
    assert [set(hit.scores) for hit in hits] == [{"dense"}] * 3
