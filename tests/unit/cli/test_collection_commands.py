"""The commands about collections, tags and notes, on a library of three papers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import BEES, Paperchat


def paper_ids(paperchat: Paperchat) -> dict[str, str]:
    """Return the id of each paper by the first word of its abstract."""
    return {paper["abstract"].split()[0]: paper["id"] for paper in paperchat("list", "--json").json}


def members(paperchat: Paperchat, name: str) -> set[str]:
    return {paper["id"] for paper in paperchat("collection", "show", name, "--json").json["members"]}


def test_a_collection_is_filled_by_ids_filters_and_files_and_emptied_again(filled: Paperchat, tmp_path: Path) -> None:
    ids = paper_ids(filled)
    created = filled("collection", "create", "Ice & 'bread'", "--filter", "glaciers", "--json").json
    assert (created["name"], created["papers"]) == ("Ice & 'bread'", 1)
    assert (
        "1 added, 1 in it already"
        in filled("collection", "add", "ICE & 'BREAD'", ids["Honey"][:6], ids["Glaciers"]).err
    )
    refs = tmp_path / "refs.jsonl"
    papers = filled("export", "--format", "jsonl", "--filter", "sourdough").out
    refs.write_text(papers + json.dumps({"title": "A paper of somebody else", "abstract": "Unknown."}) + "\n")
    added = filled("collection", "add", "ice & 'bread'", "--file", refs)
    assert "not in the library, so left out: 'A paper of somebody else'" in added.err
    assert members(filled, "ice & 'bread'") == set(ids.values())
    assert "2 removed" in filled("collection", "remove", "ice & 'bread'", ids["Honey"], "--filter", "glaciers").err
    assert members(filled, "ice & 'bread'") == {ids["Sourdough"]}
    filled("collection", "rename", "ice & 'bread'", "Bread")
    assert [each["name"] for each in filled("collection", "list", "--json").json] == ["Bread"]
    assert filled("collection", "delete", "bread", stdin="n\n").code == 1
    assert filled("collection", "delete", "bread", "--yes").code == 0
    assert filled("collection", "list", "--json").json == []
    assert len(paper_ids(filled)) == 3


def test_a_list_of_identifiers_becomes_a_collection(paperchat: Paperchat, tmp_path: Path) -> None:
    papers = [
        {"title": "On ice", "abstract": "Glaciers shrink.", "doi": "10.1234/ICE.(1)"},
        {"title": "On bees", "abstract": "Honey bees dance.", "arxiv_id": "2101.00001"},
        {"title": "On bread", "abstract": "Sourdough rises."},
    ]
    (tmp_path / "papers.jsonl").write_text("".join(json.dumps(paper) + "\n" for paper in papers))
    paperchat("ingest", tmp_path / "papers.jsonl")
    bread = paper_ids(paperchat)["Sourdough"]
    listed = tmp_path / "ids.txt"
    lines = ("https://doi.org/10.1234/ice.(1)", "arXiv:2101.00001v2", bread[:8], "10.1234/none", "0123abcd")
    listed.write_text("\n\n".join(lines), encoding="utf-8")
    created = paperchat("collection", "create", "Listed", "--file", listed)
    assert "left out: '10.1234/none', '0123abcd'" in created.err
    assert members(paperchat, "Listed") == set(paper_ids(paperchat).values())


def test_the_papers_of_an_answer_become_a_collection(filled: Paperchat) -> None:
    ids = paper_ids(filled)
    assert filled("ask", BEES, "--json").json["answered"]
    conversation = filled("conversations", "--json").json[0]["id"]
    assert filled("collection", "create", "bees", "--answer", f"{conversation[:8]}#1").code == 0
    assert ids["Honey"] in members(filled, "bees")
    for address in (conversation, f"{conversation}#0", f"{conversation}#2", f"{conversation}#x"):
        refused = filled("collection", "add", "bees", "--answer", address)
        assert refused.code == 1
        assert "with N from 1 to 1" in refused.err


def test_a_collection_is_the_scope_of_a_question_a_list_and_an_export(filled: Paperchat) -> None:
    ids = paper_ids(filled)
    filled("collection", "create", "Not bees", ids["Glaciers"], ids["Sourdough"])
    for arguments in ([f'{BEES} collection:"not bees"'], [BEES, "--collection", "not bees"]):
        hits = filled("search", *arguments, "--json").json["hits"]
        assert {hit["paper"]["id"] for hit in hits} == {ids["Glaciers"], ids["Sourdough"]}
    assert filled("ask", BEES, "--collection", "not bees", "--json").json["scope"]["collections"] == ["Not bees"]
    assert [paper["id"] for paper in filled("list", 'collection:"not bees" glaciers', "--json").json] == [
        ids["Glaciers"]
    ]
    exported = filled("export", "--collection", "not bees", "--format", "jsonl", "--filter", "-glaciers").out
    assert [json.loads(line)["id"] for line in exported.splitlines()] == [ids["Sourdough"]]
    for command in ("list", "search", "ask"):
        refused = filled(command, "bees collection:bes")
        assert refused.code == 1
        assert "there is no collection 'bes'" in refused.err
    assert "'Not bees' was meant" in filled("list", 'collection:"not bee"').err


def test_tags_and_notes_are_set_shown_found_and_removed(filled: Paperchat) -> None:
    honey = paper_ids(filled)["Honey"]
    assert filled("tag", honey[:6], "to read", "NLP", "nlp").out == "NLP, to read\n"
    assert filled("note", honey, "See <b>von Frisch</b>\nand others").out == "See <b>von Frisch</b>\nand others\n"
    for query in ("tag:nlp", 'tag:"To Read"', "note:frisch", "frisch", 'note:"von frisch"'):
        assert [paper["id"] for paper in filled("list", query, "--json").json] == [honey], query
    shown = filled("show", honey, "--json").json
    assert (shown["tags"], shown["note"]) == (["NLP", "to read"], "See <b>von Frisch</b>\nand others")
    assert "tags        NLP, to read" in filled("show", honey).out
    assert filled("tag", honey, "nlp", "--remove").out == "to read\n"
    assert filled("note", honey, "").out == "\n"
    assert filled("list", "note:frisch", "--json").json == []


def test_an_answer_never_quotes_a_note(filled: Paperchat) -> None:
    honey = paper_ids(filled)["Honey"]
    filled("note", honey, "Honey bees communicate the place of flowers by a secret radio.")
    answer = filled("ask", BEES, "--json")
    assert answer.json["answered"]
    assert "radio" not in answer.out


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            "bibtex",
            ("keywords = {50\\% done, a; b}", "annote = {Read \\textless{}this\\textgreater{}}", "groups = {Best}"),
        ),
        ("ris", ("KW  - 50% done", "KW  - a, b", "N1  - Read <this>")),
        ("csl-json", ('"keyword": "50% done, a; b"', '"note": "Read <this>"')),
        ("jsonl", ('"tags": ["50% done", "a, b"]', '"note": "Read <this>"', '"collections": ["Best"]')),
    ],
)
def test_exports_have_tags_notes_and_collections(filled: Paperchat, form: str, expected: tuple[str, ...]) -> None:
    honey = paper_ids(filled)["Honey"]
    filled("tag", honey, "a, b", "50% done")
    filled("note", honey, "Read <this>")
    filled("collection", "create", "Best", honey)
    for arguments in (["export", "--collection", "best"], ["collection", "export", "best"]):
        exported = filled(*arguments, "--format", form).out
        assert all(part in exported for part in expected), exported


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["create", " "], "a name needs"),
        (["create", "x" * 101], "too many for a name"),
        (["create", "few"], "'Few' already"),
        (["add", "few"], "no paper is selected"),
        (["add", "few", "--filter", "nothing-like-it"], "no paper is selected"),
        (["add", "few", "--filter", ""], "selects nothing"),
        (["add", "few", "zzzz"], "no paper has the id"),
        (["add", "few", "--file", "no.bib"], "no.bib"),
        (["add", "few", "--answer", "zzz#1"], "no conversation has the id"),
        (["show", "fwe"], "perhaps 'Few' was meant"),
        (["rename", "few", ""], "a name needs"),
        (["export", "none", "--format", "ris"], "there is no collection"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    filled: Paperchat, arguments: list[str], complaint: str
) -> None:
    before = filled("collection", "create", "Few", "--json").json
    refused = filled("collection", *arguments)
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert complaint in refused.err
    assert filled("collection", "list", "--json").json == [before]
