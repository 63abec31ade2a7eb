"""The verbs about the library: lists, deletion by id, source and filter, status, and libraries of a name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from assistant.settings import LIBRARIES, Settings, load
from tests.conftest import BEES, Paperchat, Run
from tests.fakes import WordHashEmbedder

BEES_AND_ICE: list[dict[str, Any]] = [
    {"title": "How bees dance for ice", "abstract": "Bees dance on ice.", "authors": ["Ada Moss"], "year": 2020},
    {"title": "A history of dancing bees", "abstract": "Bees danced long ago.", "authors": ["Zoë Ant"]},
    {"title": "Why glaciers move at all", "abstract": "Glaciers creep and slide.", "authors": ["Ada Moss"]},
]  # fmt: skip


@pytest.fixture
def stocked(filled: Paperchat, tmp_path: Path) -> Paperchat:
    """The command over the three papers and three more of another source."""
    file = tmp_path / "more.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in BEES_AND_ICE), encoding="utf-8")
    assert filled("ingest", file).code == 0
    return filled


def titles(done: Run) -> list[str]:
    return [paper["title"] or paper["abstract"].split()[0] for paper in done.json]


def left_everywhere(settings: Settings) -> set[str]:
    """The ids in the library, which are the same in the catalog and in every index."""
    library = factory.open_library(settings, WordHashEmbedder())
    try:
        (ids,) = {
            frozenset(each)
            for each in (
                {paper.id for paper in library.catalog.papers.all()},
                library.store.paper_ids(),
                library.lexicon.paper_ids(),
                library.words.paper_ids(),
            )
        }
        return set(ids)
    finally:
        library.close()


# list


def test_list_takes_filters_and_words_sorts_and_pages(stocked: Paperchat) -> None:
    assert titles(stocked("list", "author:Moss", "--sort", "year", "--json")) == [
        BEES_AND_ICE[n]["title"] for n in (0, 2)
    ]
    assert len(titles(stocked("list", "bees", "--json"))) == 3
    first = stocked("list", "--sort", "title", "--size", 2, "--json")
    second = stocked("list", "--sort", "title", "--size", 2, "--page", 2, "--json")
    assert titles(first) + titles(second)[:1] == sorted(str(each["title"]) for each in BEES_AND_ICE)
    assert titles(stocked("list", "--sort", "added", "--reverse", "--size", 1, "--json")) == ["Glaciers"]


def test_a_page_says_how_many_papers_follow_and_the_last_one_does_not(stocked: Paperchat) -> None:
    assert stocked("list", "--size", 4).err == "2 more of 6 papers: --page 2\n"
    assert stocked("list", "--size", 4, "--page", 2).err == ""
    assert stocked("list", "--size", 4, "--page", 9) == Run(0, "", "")


def test_a_list_with_a_filter_that_does_not_exist_is_refused(stocked: Paperchat) -> None:
    done = stocked("list", "auther:Moss")
    assert (done.code, done.out) == (1, "")
    assert "there is no filter auther:" in done.err


# delete


def test_papers_that_match_are_named_and_deleted_everywhere_once_that_is_confirmed(
    stocked: Paperchat, settings: Settings
) -> None:
    before = left_everywhere(settings)
    going = {paper["id"] for paper in stocked("list", "author:Moss", "--json").json}
    done = stocked("delete", "--filter", "author:Moss", stdin="y\n")
    assert (done.code, done.out) == (0, "2 deleted, 4 papers left.\n")
    assert "2 papers will be deleted:" in done.err
    assert all(paper_id in done.err for paper_id in going)
    assert left_everywhere(settings) == before - going


@pytest.mark.parametrize("said", ["n\n", "\n", ""])
def test_without_a_yes_nothing_is_deleted(stocked: Paperchat, settings: Settings, said: str) -> None:
    before = left_everywhere(settings)
    assert stocked("delete", "--filter", "bees", stdin=said).code == 1
    assert stocked("delete", "--source", "more.jsonl", stdin=said).code == 1
    assert left_everywhere(settings) == before


def test_a_source_is_deleted_and_what_other_sources_say_of_its_papers_stays(
    stocked: Paperchat, settings: Settings, tmp_path: Path
) -> None:
    shared = tmp_path / "shared.jsonl"
    shared.write_text(json.dumps(BEES_AND_ICE[0] | {"doi": "10.1000/bees", "venue": "Hives"}), encoding="utf-8")
    stocked("ingest", shared)
    (merged,) = stocked("list", "title:ice", "--json").json
    assert (merged["doi"], merged["sources"]) == ("10.1000/bees", ["more.jsonl", "shared.jsonl"])
    done = stocked("delete", "--source", "shared.jsonl", "--yes")
    assert (done.code, done.out) == (0, "0 deleted, 6 papers left.\n")
    assert "1 paper will stay with what other sources say" in done.err
    (again,) = stocked("list", "title:ice", "--json").json
    assert (again["doi"], again["venue"], again["sources"]) == (None, None, ["more.jsonl"])
    shown = stocked("show", merged["id"], "--json").json
    assert shown | again == shown, "its earlier id leads to it"
    assert stocked("delete", "--source", "more.jsonl", "--yes").out == "3 deleted, 3 papers left.\n"
    assert left_everywhere(settings) == {paper["id"] for paper in stocked("list", "--json").json}
    assert len(titles(stocked("list", "--json"))) == 3


def test_papers_that_only_a_deleted_source_had_joined_are_apart_again(
    paperchat: Paperchat, settings: Settings, tmp_path: Path
) -> None:
    one = {"title": "On the sleep of bees", "abstract": "Bees sleep at night.", "doi": "10.1000/a"}
    two = {"title": "Nights in a warm hive", "abstract": "Hives are warm.", "arxiv_id": "2101.00001"}
    both = {
        "title": "Bees by night, in two parts",
        "abstract": "Bees sleep, and hives are warm.",
        "doi": "10.1000/a",
        "arxiv_id": "2101.00001",
    }
    for name, record in (("one", one), ("two", two), ("both", both)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(record), encoding="utf-8")
    for name in ("one", "two"):
        paperchat("ingest", tmp_path / f"{name}.jsonl")
    apart = paperchat("list", "--json").json
    paperchat("ingest", tmp_path / "both.jsonl")
    assert len(paperchat("list", "--json").json) == 1
    assert paperchat("delete", "--source", "both.jsonl", "--yes").out == "0 deleted, 2 papers left.\n"
    assert paperchat("list", "--json").json == apart
    assert left_everywhere(settings) == {paper["id"] for paper in apart}


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--filter", " "), 1, "--filter: selects nothing"),
        (("--filter", "zeppelins"), 1, "no paper matches zeppelins"),
        (("--source", "elsewhere.txt"), 1, "there are: 'more.jsonl', 'papers.txt'"),
        (("0", "--filter", "bees"), 2, "Usage"),
        (("--source", "more.jsonl", "--filter", "bees"), 2, "Usage"),
    ],
)
def test_a_deletion_that_says_nothing_nobody_or_two_things_is_refused(
    stocked: Paperchat, settings: Settings, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    before = left_everywhere(settings)
    done = stocked("delete", *arguments, "--yes")
    assert done.code == code
    assert complaint in done.err
    assert left_everywhere(settings) == before


# status


def test_status_tells_papers_sources_size_recipe_and_the_last_ingest(stocked: Paperchat, settings: Settings) -> None:
    found = stocked("status", "--json").json
    assert (found["papers"], found["without_abstract"], found["waiting"]) == (6, 0, 0)
    assert found["sources"] == [
        {"name": "more.jsonl", "papers": 3, "records": 3, "label": ""},
        {"name": "papers.txt", "papers": 3, "records": 3, "label": ""},
    ]
    assert found["recipe"]["embedder"] == "word-hash"
    assert found["bytes"] > (settings.home / "catalog.db").stat().st_size
    assert found["last_ingest"].endswith("+00:00")
    text = stocked("status").out
    assert "6, 0 of them without an abstract" in text
    assert found["last_ingest"] in text
    assert "more.jsonl" in text


def test_status_of_a_library_that_is_not_there_yet(paperchat: Paperchat) -> None:
    found = paperchat("status", "--json").json
    assert (found["papers"], found["sources"], found["recipe"], found["last_ingest"]) == (0, [], None, None)
    assert "nothing is indexed yet" in paperchat("status").out


# export


def test_the_whole_library_or_what_matches_is_exported(stocked: Paperchat) -> None:
    whole = stocked("export", "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in whole] == stocked("list", "--json").json
    some = stocked("export", "--format", "bibtex", "--filter", "author:Moss").out
    assert some.count("Moss") == 2
    assert "Ant" not in some
    assert stocked("export", "--format", "jsonl", "--filter", "bees", "--conversation", "x").code == 2


# Libraries of a name


def test_libraries_of_a_name_know_nothing_of_each_other(filled: Paperchat, tmp_path: Path) -> None:
    other = tmp_path / "ice.txt"
    other.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")
    assert filled("--library", "ice-2", "ingest", other).code == 0
    assert len(titles(filled("--library", "ice-2", "list", "--json"))) == 1
    assert len(titles(filled("list", "--json"))) == 3
    assert filled("--library", "ice-2", "search", BEES, "--json").json["hits"][0]["paper"]["abstract"].startswith("Ice")
    names = {each["name"]: each["papers"] for each in filled("libraries", "--json").json}
    assert names == {None: 3, "ice-2": 1}
    assert filled("--library", "ice-2", "libraries", "--json").json == filled("libraries", "--json").json
    assert [line.split()[:3] for line in filled("libraries").out.splitlines()] == [
        ["(default)", "3", "papers"],
        ["ice-2", "1", "paper"],
    ]


def test_a_library_is_named_by_the_environment_too(
    filled: Paperchat, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_LIBRARY", "ice")
    assert load().home == settings.home / LIBRARIES / "ice"
    assert filled("list") == Run(0, "", "")
    assert filled("status", "--json").json["name"] == "ice"


@pytest.mark.parametrize("name", ["../up", "a/b", "/tmp", "..", "Upper", "", "a.b", "-x", "a" * 64, "a\n"])  # noqa: S108
def test_a_name_that_is_a_path_or_not_plain_is_refused(filled: Paperchat, settings: Settings, name: str) -> None:
    done = filled(f"--library={name}", "list")
    assert (done.code, done.out) == (1, "")
    assert "PAPERCHAT_LIBRARY" in done.err
    assert not (settings.home / LIBRARIES).exists()


def test_a_damaged_library_is_listed_with_its_fault_beside_the_others(filled: Paperchat, settings: Settings) -> None:
    broken = settings.home / LIBRARIES / "broken"
    broken.mkdir(parents=True)
    (broken / "catalog.db").write_bytes(b"no database" * 100)
    listed: list[Any] = filled("libraries", "--json").json
    assert [each["papers"] for each in listed] == [3, None]
    assert "catalog.db cannot be opened" in listed[1]["problem"]
    assert "cannot be opened" in filled("libraries").out
