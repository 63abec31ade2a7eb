from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import pytest

from assistant.schema import (
    Annotation,
    Answer,
    Cell,
    Filters,
    Notice,
    NoticeKind,
    PaperCollection,
    Record,
    Row,
    Scope,
    Sentence,
    Sort,
    Strength,
    Table,
    Turn,
    Verdict,
)
from assistant.storage.conversation_schema import Conversation, Fault, Feedback, StoredTurn
from assistant.storage.records import StoredRecord
from ingest.parsers.base import Problem
from ingest.report import IngestReport, Progress, ProgressCallback
from tests.unit.page.test_render import HOSTILE, Page, answer, paper
from ui.page import collection_menu, evidence, feedback, history, ingest_view, turns, welcome
from ui.page.filled_table import Sheet, sheet_html
from ui.page.paper_table import paper_table_html
from ui.page.render import plain_html
from ui.page.table import TableState, detail_html, table_html

# Elements that no part of the page is made of: where one of them is, a text has become markup.
FOREIGN = {"script", "img", "iframe", "b", "svg", "style", "object", "form"}


def safe(html: str) -> Page:
    """The page, which has been seen to hold no foreign element, no handler, and links to papers and sources only."""
    # Behind an empty line the component would read Markdown.
    assert not re.search(r"[\r\n]", html)
    page = Page(html)
    for tag, attributes in page.tags:
        assert tag not in FOREIGN
        assert tag != "input" or attributes["type"] in ("checkbox", "text")
        assert not [name for name in attributes if name.startswith("on")]
    assert all(re.match(r"#source-|https?://", link or "") for link in page.links)
    assert page.open == [""]
    return page


def stored(text: str, given: Feedback | None = None) -> StoredTurn:
    shown = answer(text, sentences=(Sentence(text, (1,), Verdict.SUPPORTED, 1.0),))
    return StoredTurn(1, "talk", Turn(text, shown), "", {}, feedback=given)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_in_every_part_of_the_page(text: str) -> None:
    turn, scope = stored(text).turn, Scope(pinned=(text,), excluded=("id",), collections=(text,))
    collection, annotation = PaperCollection(text, text, text, 3), Annotation((text,), text, (text,), citation_key=text)
    safe(collection_menu.bar_html([collection], collection, 3))
    safe(collection_menu.keep_menu_html(1, [collection]))
    safe(collection_menu.annotation_form_html(text, annotation, text))
    safe(evidence.evidence_html([turn], scope, {"id": annotation, paper(text).id: annotation}))
    safe(turns.conversation_html([stored(text), stored(text, Feedback(False, Fault.WRONG_ANSWER))]))
    safe(turns.streaming_html(1, turn))
    safe(turns.failed_html(1, text, text))
    safe(feedback.form_html(1, Feedback(False, Fault.MISSING_PAPER, text, ("id", text), (text,)), {"id": text}))
    safe(evidence.evidence_html([turn], scope))
    safe(evidence.similar_html(paper(text), [paper(text)], scope))
    safe(evidence.scope_html(scope, {"id": text}))
    safe(history.history_html([Conversation(text, text, text, text, 1)], 1, text))
    safe(
        table_html(
            [paper(text)],
            TableState(open_id="id"),
            1,
            detail_html(paper(text), [StoredRecord(1, _record(text), "id", 1)]),
        )
    )
    safe(ingest_view.report_html(IngestReport(problems=[Problem(text, 1, text)])))
    safe(welcome.welcome_html([text], 1))


def _record(text: str) -> Record:
    return Record(text, text, (text,), 2020, text, source=text, line=1)


def test_each_filter_can_be_taken_away_from_the_others() -> None:
    parts = turns.split_filters(Filters(authors=("Arora", "Chen"), since=2020, without=("survey",)))
    assert [typed for typed, _ in parts] == ['author:"Arora"', 'author:"Chen"', "-survey", "year>=2020"]
    assert parts[0][1] == Filters(authors=("Chen",), since=2020, without=("survey",))
    assert parts[3][1] == Filters(authors=("Arora", "Chen"), without=("survey",))


def test_a_judgement_that_was_given_can_be_taken_back() -> None:
    html = turns.conversation_html([stored("x", Feedback(False, Fault.MISSING_PAPER))])
    assert 'value="1:none"' in html
    assert "Not helpful: missing paper ✓" in html
    assert 'value="1:good"' in html


def test_small_talk_gets_no_advice_and_an_abstention_does() -> None:
    reply = Answer("hi", "hi", Strength.NONE, 0.0, "Hello.")
    assert "What to try" not in turns.streaming_html(1, Turn("hi", reply))
    abstained = Answer("q", "q", Strength.NONE, 0.0, "No.", "no paper", filters=Filters(since=2020))
    assert "Remove a filter" in turns.streaming_html(1, Turn("q", abstained))


def test_the_newest_answers_papers_come_first_and_older_ones_stay() -> None:
    text = evidence.evidence_html([stored("First").turn, stored("Second").turn], Scope())
    assert text.index("Second") < text.index("First")
    ids = [attributes["id"] for tag, attributes in safe(text).tags if tag == "article" and "id" in attributes]
    assert ids == ["source-2-1", "source-1-1"]


def test_the_table_says_how_it_is_ordered_and_where_one_is() -> None:
    papers = [paper(f"Paper {number}") for number in range(25)]
    html = unescape(table_html(papers, TableState(sort=Sort.YEAR, page=2), 80_753))
    assert 'aria-sort="descending"' in html
    assert "51 to 75 of 80,753 papers" in html
    assert 'name="turn" value="1"' in html
    assert 'name="turn" value="3"' in html
    assert "Next page" not in table_html(papers[:3], TableState(page=1), 28)


def test_a_retracted_paper_is_marked_in_every_table_and_its_details_say_who_announced_it() -> None:
    notice = Notice(NoticeKind.RETRACTED, "Crossref", "Retraction note <b>", "https://doi.org/10.5555/n", "2024-03-09")
    retracted = replace(paper("Bees"), notice=notice)
    table = Table(("year",), (Row(retracted, (Cell("2020"),)),), 1)
    tables = [
        table_html([retracted], TableState(), 1),
        paper_table_html(replace(answer("x"), table=table), 1, plain_html),
        sheet_html(Sheet(table.columns, table.rows, 1, 1)),
    ]
    for html in tables:
        assert html.count('<span class="warned">retracted</span>') == 1
    details = detail_html(retracted, [])
    assert "Retracted (Crossref, 2024-03-09): Retraction note &lt;b&gt; https://doi.org/10.5555/n" in details
    assert 'class="notice"' not in detail_html(paper("Bees"), [])


def test_whoever_adds_papers_is_told_how_many_are_read_and_about_how_long_the_rest_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ingest(_: object, __: object, progress: ProgressCallback) -> IngestReport:
        progress(Progress("records read", 5000))
        for done in (100, 200, 4700):
            progress(Progress("papers indexed", done, 5000))
        return IngestReport(records=5000, added=5000)

    seconds = iter((0.0, 1.0, 11.0, 471.0))
    monkeypatch.setattr("ui.page.ingest_view.time", SimpleNamespace(monotonic=lambda: next(seconds)))
    monkeypatch.setattr("ingest.pipeline.ingest", ingest)
    told = [Page(each).text for each in ingest_view.add_papers(lambda: None, [])]  # type: ignore[arg-type, return-value]
    assert [each.strip() for each in told[1:5]] == [
        "5,000 records read",
        "100 of 5,000 papers indexed",
        "200 of 5,000 papers indexed, about 8 minutes left",
        "4,700 of 5,000 papers indexed, under a minute left",
    ]
