"""Merging by hand: what is taken apart stays apart, what is joined is one, and every source's word is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from assistant.settings import Settings
from tests.conftest import Paperchat
from tests.fakes import WordHashEmbedder

TITLE = "How honey bees find their way"
DANCE = "Bees dance to show each other where the flowers are, and for how long they will be."
MAPS = "A comic of bees that read maps, for children of all ages and for whoever likes bees."

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(name: str, **fields: Any) -> Path:
        file = tmp_path / name
        file.write_text(json.dumps(fields), encoding="utf-8")
        return file

    return to_file


@pytest.fixture
def merged(paperchat: Paperchat, write: Write) -> Paperchat:
    """The command over a paper that two sources agree to be one, because its title is the same."""
    paperchat("ingest", write("one.jsonl", title=TITLE, abstract=DANCE, authors=["Ada Moss"], year=2020))
    paperchat("ingest", write("two.jsonl", title=TITLE, abstract=MAPS, authors=["Bo Moss"], venue="Comics"))
    assert len(papers(paperchat)) == 1
    return paperchat


def papers(run: Paperchat, *arguments: object) -> list[Any]:
    listed: list[Any] = run("list", *arguments, "--json").json
    return listed


def by_source(run: Paperchat) -> dict[str, Any]:
    return {" ".join(paper["sources"]): paper for paper in papers(run)}


def agreed(settings: Settings) -> bool:
    library = factory.open_library(settings, WordHashEmbedder())
    try:
        return library.compare() == {} and not library.catalog.ledger.stale_ids()
    finally:
        library.close()


def test_a_paper_is_taken_apart_into_what_each_source_says(merged: Paperchat, settings: Settings) -> None:
    (paper,) = papers(merged)
    done = merged("unmerge", paper["id"][:8])
    assert (done.code, len(done.out.splitlines())) == (0, 2)
    listed = by_source(merged)
    assert listed.keys() == {"one.jsonl", "two.jsonl"}
    assert (listed["one.jsonl"]["abstract"], listed["two.jsonl"]["abstract"]) == (DANCE, MAPS)
    assert (listed["one.jsonl"]["venue"], listed["two.jsonl"]["venue"]) == (None, "Comics")
    assert merged("show", paper["id"]).code == 0, "the id that it had leads to one of them"
    assert len(merged("search", "bees", "--json").json["hits"]) == 2
    assert agreed(settings)


def test_what_is_apart_stays_apart_whatever_comes_later(merged: Paperchat, write: Write, settings: Settings) -> None:
    merged("unmerge", papers(merged)[0]["id"], "--source", "two.jsonl")
    apart = by_source(merged)["two.jsonl"]
    again = merged("ingest", write("two.jsonl", title=TITLE, abstract=MAPS, authors=["Bo Moss"], venue="Comics"))
    assert "1 unchanged" in again.out
    merged("ingest", write("three.jsonl", title=TITLE, abstract=DANCE, authors=["Ada Moss"], doi="10.1000/bees"))
    listed = by_source(merged)
    assert listed.keys() == {"one.jsonl three.jsonl", "two.jsonl"}
    assert listed["two.jsonl"] == apart
    assert agreed(settings)


def test_merging_makes_the_very_same_paper_again(merged: Paperchat, settings: Settings, write: Write) -> None:
    (before,) = papers(merged)
    merged("unmerge", before["id"])
    first, second = papers(merged)
    assert merged("merge", first["id"], second["id"]).code == 0
    assert papers(merged) == [before]
    shown = merged("show", second["id"], "--json").json
    assert shown | before == shown
    merged("ingest", write("three.jsonl", title=TITLE, abstract=MAPS, authors=["Bo Moss"]))
    assert len(papers(merged)) == 1, "what was joined is merged with others again"
    assert agreed(settings)


def test_papers_that_nothing_joins_can_be_merged_and_taken_apart(filled: Paperchat, settings: Settings) -> None:
    before = {paper["abstract"] for paper in papers(filled)}
    first, second, third = (paper["id"] for paper in papers(filled))
    filled("merge", first, second, third)
    (paper,) = papers(filled)
    filled("unmerge", paper["id"])
    assert {paper["abstract"] for paper in papers(filled)} == before
    assert agreed(settings)


def test_a_paper_apart_that_loses_a_source_stays_apart(merged: Paperchat, write: Write, settings: Settings) -> None:
    merged("unmerge", papers(merged)[0]["id"], "--source", "one.jsonl")
    assert merged("delete", "--source", "two.jsonl", "--yes").code == 0
    (left,) = papers(merged)
    assert left["sources"] == ["one.jsonl"]
    merged("ingest", write("two.jsonl", title=TITLE, abstract=MAPS))
    assert by_source(merged).keys() == {"one.jsonl", "two.jsonl"}
    assert agreed(settings)


def test_show_tells_what_each_source_says_and_where_each_field_is_from(merged: Paperchat) -> None:
    (paper,) = papers(merged)
    shown = merged("show", paper["id"], "--records", "--json").json
    assert {name: shown[name] for name in paper} == paper
    assert {(record["source"], record["abstract"]) for record in shown["records"]} == {
        ("one.jsonl", DANCE),
        ("two.jsonl", MAPS),
    }
    assert {shown["from"][name] for name in ("year", "venue")} == {"one.jsonl", "two.jsonl"}
    assert shown["from"]["venue"] == "two.jsonl"
    text = merged("show", paper["id"], "--records").out
    assert DANCE in text
    assert MAPS in text


@pytest.mark.parametrize("verb", [("unmerge",), ("unmerge", "--source", "nobody.txt"), ("merge",)])
def test_one_record_alone_can_be_neither_taken_apart_nor_joined(filled: Paperchat, verb: tuple[str, ...]) -> None:
    before = papers(filled)
    done = filled(*verb, before[0]["id"])
    assert (done.code, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1
    assert papers(filled) == before
