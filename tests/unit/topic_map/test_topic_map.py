from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import InputError
from assistant.question.filters import parse_selection
from assistant.schema import Filters, Selection
from assistant.storage.library import Library
from assistant.topic_map import library_map, map_library
from assistant.topic_map.fitting import FILE, LEAST_PAPERS, fit_topics, topic_count
from assistant.topic_map.serialization import topic_map_json
from assistant.topic_map.terms import phrases, topic_terms
from ingest import pipeline

SUBJECTS = ("honey bees dance", "alpine glaciers shrink", "soil bacteria swim")


def write(folder: Path, numbers: range, year: int | None = 2020) -> Path:
    """Write papers on three subjects in turn."""
    folder.mkdir(exist_ok=True)
    file = folder / f"papers-{numbers.start}.jsonl"
    rows = [
        {
            "title": f"Study {number} of how {SUBJECTS[number % 3]}",
            "abstract": f"We saw {SUBJECTS[number % 3]} at site {number}. There {SUBJECTS[number % 3]} daily.",
            **({"year": year + number % 2} if year else {}),
        }
        for number in numbers
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.fixture
def mapped(library: Library, tmp_path: Path) -> Library:
    pipeline.ingest([write(tmp_path / "in", range(60))], library)
    return library


def test_every_paper_is_in_one_topic_and_papers_on_a_subject_share_topics(mapped: Library, tmp_path: Path) -> None:
    topics = map_library(mapped, tmp_path).topics
    ids = [paper_id for topic in topics for paper_id in topic.paper_ids]
    assert len(ids) == len(set(ids)) == mapped.catalog.papers.count()
    for topic in topics:
        subjects = {paper.abstract.split()[2] for paper in mapped.catalog.papers.get(topic.paper_ids)}
        assert len(subjects) == 1


def test_terms_are_words_of_the_abstracts_and_quotations_are_verbatim(mapped: Library, tmp_path: Path) -> None:
    for topic in map_library(mapped, tmp_path).topics:
        text = " ".join(f"{paper.title} {paper.abstract}" for paper in mapped.catalog.papers.get(topic.paper_ids))
        assert all(term in text for term in topic.terms)
        assert 0 < len(topic.quotes) <= 3
        for quote in topic.quotes:
            assert quote.paper.abstract[quote.passage.start : quote.passage.end] == quote.passage.text


def test_topics_stay_when_papers_are_added(mapped: Library, tmp_path: Path) -> None:
    before = {topic.id: set(topic.paper_ids) for topic in map_library(mapped, tmp_path).topics}
    pipeline.ingest([write(tmp_path / "in", range(60, 66))], mapped)
    after = {topic.id: set(topic.paper_ids) for topic in map_library(mapped, tmp_path).topics}
    assert set(after) == set(before)
    assert all(papers <= after[topic_id] for topic_id, papers in before.items())
    assert sum(map(len, after.values())) == 66


def test_the_same_library_has_the_same_map_each_time(mapped: Library, tmp_path: Path) -> None:
    first = map_library(mapped, tmp_path)
    (tmp_path / FILE).unlink()
    assert map_library(mapped, tmp_path) == first


def test_a_new_fit_keeps_the_ids_of_topics_that_go_on() -> None:
    generator = np.random.default_rng(1)
    centers = np.eye(8, dtype=np.float32)[:4]
    vectors = np.repeat(centers, 30, axis=0) + generator.normal(scale=0.05, size=(120, 8)).astype(np.float32)
    kept = fit_topics(vectors)
    grown = fit_topics(np.vstack([vectors, vectors]), kept)
    assert len(set(grown.ids) & set(kept.ids)) >= 4
    assert len(set(grown.ids)) == len(grown.ids)


def test_years_are_counted_and_missing_ones_said(library: Library, tmp_path: Path) -> None:
    pipeline.ingest([write(tmp_path / "in", range(31)), write(tmp_path / "in", range(100, 105), None)], library)
    topic_map = map_library(library, tmp_path)
    assert sum(count for topic in topic_map.topics for count in topic.years.values()) == 31
    assert any("5 of 36 papers have no year" in note for note in topic_map.notes)


def test_few_papers_and_no_years_are_said_and_what_can_be_shown_is(library: Library, tmp_path: Path) -> None:
    pipeline.ingest([write(tmp_path / "in", range(6), None)], library)
    topic_map = map_library(library, tmp_path)
    (topic,) = topic_map.topics
    assert topic.terms
    assert topic.quotes
    assert any(str(LEAST_PAPERS) in note for note in topic_map.notes)
    assert any("no paper has a year" in note for note in topic_map.notes)


def test_an_empty_library_has_no_topics_and_says_so(library: Library, tmp_path: Path) -> None:
    topic_map = map_library(library, tmp_path)
    assert topic_map.topics == ()
    assert "no indexed paper" in topic_map.notes[0]


def test_a_selection_is_mapped_by_the_topics_of_the_whole_library(mapped: Library, tmp_path: Path) -> None:
    whole = {topic.id for topic in map_library(mapped, tmp_path).topics}
    part = map_library(mapped, tmp_path, Selection(Filters(since=2021, until=2021)))
    assert part.papers == 30
    assert {topic.id for topic in part.topics} <= whole
    assert {year for topic in part.topics for year in topic.years} == {2021}
    assert map_library(mapped, tmp_path, Selection(words=("zebra",))).topics == ()


def test_a_damaged_file_of_topics_is_made_again(mapped: Library, tmp_path: Path) -> None:
    first = map_library(mapped, tmp_path)
    for content in ("{", "[]", '{"format": 1, "recipe": "another"}'):
        (tmp_path / FILE).write_text(content, encoding="utf-8")
        assert map_library(mapped, tmp_path) == first


def test_phrases_end_at_function_words_and_punctuation() -> None:
    assert set(phrases("Graph networks, and the deep bees")) == {
        "Graph",
        "networks",
        "Graph networks",
        "deep",
        "bees",
        "deep bees",
    }


def test_words_that_all_topics_use_are_no_terms() -> None:
    texts = [["We propose glaciers", "We propose glaciers"], ["We propose bees", "We propose bees"]]
    assert topic_terms(texts, 5) == [["propose glaciers"], ["propose bees"]] or topic_terms(texts, 1)[0] != ["propose"]


@pytest.mark.parametrize(("papers", "count"), [(0, 1), (29, 1), (30, 4), (278, 12), (80_000, 60)])
def test_the_number_of_topics_grows_slowly(papers: int, count: int) -> None:
    assert topic_count(papers) == count


def test_the_json_names_every_paper_once(mapped: Library, tmp_path: Path) -> None:
    written = topic_map_json(map_library(mapped, tmp_path))
    assert set(written) == {"papers", "notes", "topics", "points"}
    assert sum(topic["papers"] for topic in written["topics"]) == written["papers"] == 60
    assert json.dumps(written)


def test_the_command_prints_topics_as_text_and_as_json(filled: Callable[..., object]) -> None:
    text, written = filled("topics").out, filled("topics", "--json").json  # type: ignore[attr-defined]
    assert "papers are too few" in text
    assert written["topics"][0]["quotes"]


def test_markup_in_an_abstract_stays_text() -> None:
    terms = topic_terms([["<script>alert(1)</script> glaciers", "<script>alert(1)</script> glaciers"]], 5)
    assert not any("<" in term or ">" in term for term in terms[0])


def test_added_papers_move_no_other_paper_on_the_map(mapped: Library, tmp_path: Path) -> None:
    before = {point.paper_id: (point.x, point.y) for point in map_library(mapped, tmp_path).points}
    assert len(before) == 60
    assert all(abs(value) <= 1.001 for position in before.values() for value in position)
    pipeline.ingest([write(tmp_path / "in", range(60, 66))], mapped)
    after = {point.paper_id: (point.x, point.y) for point in map_library(mapped, tmp_path).points}
    assert np.allclose([after[paper_id] for paper_id in before], list(before.values()), atol=1e-3)
    assert len(after) == 66


def test_papers_on_a_topic_lie_near_each_other(mapped: Library, tmp_path: Path) -> None:
    points = map_library(mapped, tmp_path).points
    for point in points:
        nearest = min(
            (other for other in points if other is not point),
            key=lambda other: (other.x - point.x) ** 2 + (other.y - point.y) ** 2,
        )
        assert nearest.topic_id == point.topic_id


def test_a_new_fit_leaves_topics_that_go_on_near_where_they_were() -> None:
    generator = np.random.default_rng(2)
    vectors = np.repeat(np.eye(16, dtype=np.float32)[:9], 20, axis=0)
    vectors += generator.normal(scale=0.02, size=vectors.shape).astype(np.float32)
    kept = fit_topics(vectors)
    grown = fit_topics(np.vstack([vectors, vectors[:60]]), kept)
    places = dict(zip(kept.ids, kept.positions.tolist(), strict=True))
    moved = [
        np.hypot(x - places[topic][0], y - places[topic][1])
        for topic, (x, y) in zip(grown.ids, grown.positions.tolist(), strict=True)
        if topic in places
    ]
    assert len(moved) >= 5
    assert np.median(moved) < 0.8  # of two random places it is 1.0


def test_a_large_library_shows_a_sample_that_new_papers_hardly_change(
    mapped: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_map, "MAX_POINTS", 20)
    before = {point.paper_id for point in map_library(mapped, tmp_path).points}
    pipeline.ingest([write(tmp_path / "in", range(60, 62))], mapped)
    after = {point.paper_id for point in map_library(mapped, tmp_path).points}
    assert len(before) == len(after) == 20
    assert len(before & after) >= 18


def test_the_filter_topic_finds_the_papers_that_the_map_shows_on_it(mapped: Library, tmp_path: Path) -> None:
    topic = map_library(mapped, tmp_path).topics[0]
    found = mapped.catalog.papers.all(parse_selection(f"topic:{topic.id}"))
    assert {paper.id for paper in found} == set(topic.paper_ids)
    with pytest.raises(InputError, match="no topic 't999'"):
        list(mapped.catalog.papers.all(parse_selection("topic:t999")))


def test_a_library_that_cannot_be_written_to_is_mapped_all_the_same(
    mapped: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    assert len(map_library(mapped, tmp_path).topics) > 1
