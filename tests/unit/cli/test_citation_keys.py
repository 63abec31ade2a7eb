"""The citation keys of Zotero are those of exports, tables and corrections, and drafts may cite by them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Paperchat
from tests.zotero import FakeZotero

DANCE = "Honey bees communicate the place of flowers by a waggle dance"
ICE = "Glaciers in the northern Alps lost a third of their ice"


@pytest.fixture
def zotero(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, paperchat: Paperchat) -> FakeZotero:
    """Return a Zotero that the library follows, with two papers that have keys and one that has an unsafe one."""
    monkeypatch.setenv("PAPERCHAT_ZOTERO_DIRECTORY", str(tmp_path / "Zotero"))
    monkeypatch.setenv("PAPERCHAT_ZOTERO_URL", "http://127.0.0.1:9/api")
    zotero = FakeZotero()
    zotero.add("The waggle dance of honey bees", f"{DANCE}.", extra="Citation Key: moss2017bees")
    zotero.add("The loss of ice in the Alps", f"{ICE}.", extra="Citation Key: Ice:2001")
    zotero.add("Of sourdough", "Sourdough rises by wild yeast.", extra=r"Citation Key: x}\input{/etc/passwd}")
    zotero.write(tmp_path / "Zotero")
    assert paperchat("add", "zotero:").code == 0
    return zotero


def test_exports_have_the_keys_of_zotero_and_made_ones_for_unsafe_keys(
    zotero: FakeZotero, paperchat: Paperchat
) -> None:
    written = paperchat("export", "--format", "bibtex").out
    assert "{moss2017bees," in written
    assert "{Ice:2001," in written
    assert "passwd" not in written
    items = {item["title"]: item["id"] for item in paperchat("export", "--format", "csl-json").json}
    assert items["The waggle dance of honey bees"] == "moss2017bees"
    assert items["Of sourdough"].startswith("mosssourdough-")
    assert "ID  - Ice:2001" in paperchat("export", "--format", "ris").out


def test_show_names_the_key_as_zotero_has_it(zotero: FakeZotero, paperchat: Paperchat) -> None:
    by_title = {paper["title"]: paper["id"] for paper in paperchat("list", "--json").json}
    bees, bread = by_title["The waggle dance of honey bees"], by_title["Of sourdough"]
    assert "cited as    moss2017bees" in paperchat("show", bees).out
    assert paperchat("show", bread, "--json").json["citation_key"] == r"x}\input{/etc/passwd}"


def test_a_conversation_exports_the_papers_that_it_cites_under_their_keys_even_when_their_ids_have_changed(
    zotero: FakeZotero, paperchat: Paperchat, tmp_path: Path
) -> None:
    cited = paperchat("ask", f"{DANCE}?", "--json").json["citations"][0]["paper"]["id"]
    key = next(key for key, item in zotero.own.items.items() if item["title"].startswith("The waggle"))
    zotero.edit(key, title="How bees tell of flowers")
    zotero.write(tmp_path / "Zotero")
    assert paperchat("add", "zotero:").code == 0
    (conversation,) = paperchat("conversations", "--json").json
    assert paperchat("show", cited, "--json").json["id"] != cited
    assert "{moss2017bees," in paperchat("export", "--format", "bibtex", "--conversation", conversation["id"]).out


def test_a_latex_table_cites_the_keys_of_zotero_and_its_bibtex_has_them(
    zotero: FakeZotero, paperchat: Paperchat, tmp_path: Path
) -> None:
    for ending, written in (("tex", r"\cite{moss2017bees}"), ("bib", "{moss2017bees,")):
        assert paperchat("table", "year", "--to", tmp_path / f"table.{ending}").code == 0
        assert written in (tmp_path / f"table.{ending}").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("draft.tex", f"{DANCE} \\cite{{moss2017bees}}. {DANCE} \\cite{{Ice:2001}}."),
        ("draft.md", f"{DANCE} [@moss2017bees]. {DANCE} [@Ice:2001]."),
    ],
)
def test_a_draft_that_cites_by_the_keys_of_zotero_is_checked_without_a_bibliography(
    zotero: FakeZotero, paperchat: Paperchat, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    right, wrong = (
        sentence["citations"][0] for sentence in paperchat("check", tmp_path / name, "--json").json["sentences"]
    )
    assert (right["verdict"], wrong["verdict"]) == ("supported", "unsupported")
    shown = {paper["id"]: paper["title"] for paper in paperchat("list", "--json").json}
    assert shown[right["paper_id"]] == "The waggle dance of honey bees"
    assert shown[wrong["paper_id"]] == "The loss of ice in the Alps"


def test_a_key_that_two_papers_have_means_either_and_is_given_to_none(
    zotero: FakeZotero, paperchat: Paperchat, tmp_path: Path
) -> None:
    zotero.add(
        "How ants carry",
        "Ants carry leaves to their nests.",
        zotero.add_group(77, "Lab"),
        extra="Citation Key: moss2017bees",
    )
    zotero.write(tmp_path / "Zotero")
    assert paperchat("add", "zotero:").code == 0
    assert "{moss2017bees," not in paperchat("export", "--format", "bibtex").out
    (tmp_path / "draft.md").write_text(f"{DANCE} [@moss2017bees]. Ants carry leaves to their nests [@moss2017bees].")
    sentences = paperchat("check", tmp_path / "draft.md", "--json").json["sentences"]
    assert [sentence["citations"][0]["verdict"] for sentence in sentences] == ["supported", "supported"]


def test_a_correction_adds_the_entry_under_the_key_of_zotero_unless_another_entry_has_it(
    zotero: FakeZotero, paperchat: Paperchat, tmp_path: Path
) -> None:
    draft, bib = tmp_path / "draft.md", tmp_path / "draft.bib"
    bib.write_text("@article{ICE:2001, title={Quite another work on tax law}}\n")
    draft.write_text(f"{DANCE}.\n\n{ICE}.\n")
    assert paperchat("check", draft, "--fix").code == 0
    assert f"{DANCE} [@moss2017bees]." in draft.read_text()
    assert "[@mossloss-" in draft.read_text()
    entries = bib.read_text()
    assert "{moss2017bees," in entries
    assert entries.count("ICE:2001") == 1
    assert "Ice:2001" not in entries


def test_the_papers_of_a_library_are_described_with_their_keys_a_line_each(
    zotero: FakeZotero, paperchat: Paperchat
) -> None:
    lines = map(json.loads, paperchat("export", "--format", "jsonl").out.splitlines())
    assert {line["citation_key"] for line in lines} >= {"moss2017bees", "Ice:2001"}
