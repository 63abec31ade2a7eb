"""The commands of watching, as a person or cron runs them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.conftest import BEES, Paperchat
from tests.services import Reply, Service, serving

EVIL = '<script>alert(1)</script> [x](http://evil) & "dances"'
ABSTRACT = (
    f"Honey bees communicate the place of flowers by a waggle dance. {EVIL} is what the title has, too. We film the "
    "dance of bees at night. The dance is as precise at night as by day, which nobody has shown before this work."
)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


@pytest.fixture
def watched(filled: Paperchat, tmp_path: Path) -> Path:
    """A watched folder, beside a library of three papers and a kept answer."""
    folder = tmp_path / "watched"
    folder.mkdir()
    assert filled("ask", BEES).code == 0
    assert filled("watch", "add", folder).code == 0
    return folder


def put(folder: Path, title: str = EVIL) -> None:
    (folder / "new.jsonl").write_text(json.dumps({"title": title, "abstract": ABSTRACT}) + "\n", encoding="utf-8")


def test_sources_are_added_listed_and_removed(filled: Paperchat, tmp_path: Path) -> None:
    added = filled("watch", "add", "arxiv-search:bees")
    assert (added.code, filled("watch", "add", tmp_path).code) == (0, 0)
    assert "arxiv-search:bees  (not looked at yet)" in filled("watch", "list").out.replace(" (", "  (")
    first, second = filled("watch", "list", "--json").json
    assert (first["source"], second["source"]) == ("arxiv-search:bees", str(tmp_path))
    assert filled("watch", "remove", first["id"]).code == 0
    assert filled("watch", "remove", tmp_path).code == 0
    assert filled("watch", "list", "--json").json == []
    gone = filled("watch", "remove", first["id"])
    assert (gone.code, "paperchat watch list shows what is" in gone.err) == (1, True)
    assert filled("watch", "add", "arxiv-search:").code == 1


def test_a_run_adds_what_is_new_and_tells_which_answers_it_changes(filled: Paperchat, watched: Path) -> None:
    assert filled("watch", "run").out == "Nothing is new.\n"
    put(watched)
    run = filled("watch", "run")
    assert run.code == 0
    assert "1 new paper, 1 answer with new evidence" in run.out
    assert f"> {BEES}\n  One new paper bears on it" in run.out
    assert filled("watch", "run").out == "Nothing is new.\n"
    assert filled("watch", "digests").out.startswith("*    1  ")
    assert filled("watch", "digest").out == run.out
    assert filled("watch", "digests").out.startswith("     1  ")


class _Tags(HTMLParser):
    """Collects the names of the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)


def tags(html: str) -> set[str]:
    parser = _Tags()
    parser.feed(html)
    return parser.names


def test_a_digest_is_written_in_every_format_with_everything_in_it_escaped(
    filled: Paperchat, watched: Path, tmp_path: Path
) -> None:
    put(watched)
    out = tmp_path / "out"
    assert filled("watch", "run", "--to", out).code == 0
    (markdown,), (html,), (data,) = (list(out.glob(f"digest-*.{ending}")) for ending in ("md", "html", "json"))
    page = html.read_text(encoding="utf-8")
    assert not tags(page) & {"script", "img", "iframe", "link"}
    assert not re.search(r"(?<!\\)<", markdown.read_text(encoding="utf-8"))
    assert "](http://evil)" not in markdown.read_text(encoding="utf-8")
    assert json.loads(data.read_text(encoding="utf-8"))["answers"][0]["question"] == BEES
    feed = ET.fromstring((out / "digests.atom").read_text(encoding="utf-8"))  # noqa: S314 - our own
    atom = "{http://www.w3.org/2005/Atom}"
    assert {child.tag.removeprefix(atom) for child in feed} >= {"title", "id", "updated", "author", "entry"}
    content = feed.find(f"{atom}entry/{atom}content")
    assert content is not None
    assert "script" not in tags(content.text or "")
    assert filled("watch", "feed").out == (out / "digests.atom").read_text(encoding="utf-8")


def test_a_source_that_fails_ends_the_run_with_a_code_and_the_others_are_told(
    filled: Paperchat, watched: Path, service: Service
) -> None:
    service.answer = lambda *_: Reply("<html></html>", kind="text/html")
    filled("watch", "add", f"{service.address}/feed")
    put(watched)
    run = filled("watch", "run")
    assert run.code == 1
    assert "this is no RSS or Atom feed" in run.err
    assert "1 new paper" in run.out
    again = filled("watch", "run", "--json")
    assert again.code == 0  # it is left alone for a while, which is no failure of this run
    assert again.json["digest"] is None
    assert again.json["watches"][1]["postponed"]
    assert "failed 1 times" in filled("watch", "list").out


def test_without_a_digest_there_is_a_hint(filled: Paperchat) -> None:
    assert filled("watch", "run").out == "Nothing is watched: paperchat watch add begins to.\n"
    assert "there is no digest yet" in filled("watch", "digest").err
    assert "there is no digest 7" in filled("watch", "digest", "7").err


def test_a_kept_answer_shows_that_its_paper_was_retracted_since(filled: Paperchat, tmp_path: Path) -> None:
    from assistant import factory
    from assistant.schema import Notice, NoticeKind
    from assistant.settings import load

    filled("ask", BEES)
    catalog = factory.open_catalog(load())
    (bees,) = [paper for paper in catalog.papers.all() if "Honey bees" in paper.abstract]
    notice = Notice(NoticeKind.RETRACTED, "Crossref", "Retraction <b>note</b>", date="2026-01-02")
    catalog.notices.replace("Crossref", [bees.id], {bees.id: [notice]})
    (conversation,) = filled("conversations", "--json").json
    shown = filled("conversations", "show", conversation["id"])
    assert "([1] is retracted (Crossref, 2026-01-02): Retraction <b>note</b>)" in shown.out
    assert "[retracted]" in shown.out
    data = filled("conversations", "show", conversation["id"], "--json").json
    assert data["turns"][0]["answer"]["citations"][0]["paper"]["notice"]["kind"] == "retracted"
    page = filled("export", "--format", "html", "--conversation", conversation["id"]).out
    assert 'class="notice">Retracted (Crossref, 2026-01-02): Retraction &lt;b&gt;note&lt;/b&gt;' in page
    assert "retracted" in page.split('class="cite', 1)[1][:400]
    markdown = filled("export", "--format", "markdown", "--conversation", conversation["id"]).out
    assert "**Retracted (Crossref, 2026-01-02)" in markdown.replace("\\", "")
    assert "([1] is retracted" in filled("ask", BEES).out
