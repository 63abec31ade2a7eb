"""The news tab: what it shows of digests and watches, escaped, and how many digests its label says are unread."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from assistant.chat import Assistant
from assistant.schema import Notice, NoticeKind, Paper, Strength
from assistant.settings import Settings
from assistant.watching.news import AnswerChange, BearingPaper, NewPaper, WatchDigest
from assistant.watching.serialization import answer_change_json, digest_json
from ui.page import news_tab
from ui.page.backend import PageBackend
from ui.permissions import UNLIMITED

EVIL = "<img src=x onerror=alert(1)>"
PAPER = Paper("a" * 16, f"{EVIL} An abstract.", f"{EVIL} Bees", ("Ada Moss",), 2026, url="https://example.org/a")
RETRACTED = Paper("b" * 16, "Another.", "Wasps", notice=Notice(NoticeKind.RETRACTED, "Crossref", EVIL))
CHANGE = AnswerChange(
    "c1",
    1,
    f"{EVIL} How?",
    Strength.TENTATIVE,
    Strength.FIRM,
    (BearingPaper(PAPER, None, 0.9, True, (2,)), BearingPaper(RETRACTED, None, 0.8, False)),
    (3,),
)
DIGEST = WatchDigest((NewPaper(PAPER, 0.5, EVIL, EVIL, 0.4, ("arxiv-search:x",)),), 3, (RETRACTED,), (CHANGE,))


@pytest.fixture
def backend(settings: Settings) -> Iterator[PageBackend]:
    opened = PageBackend(settings, Future[Assistant]())
    yield opened
    opened.close()


def add(backend: PageBackend, owner: str) -> int:
    return backend.catalog.digests.add(digest_json(DIGEST), {owner: [answer_change_json(CHANGE)]}, [])


def test_a_digest_is_shown_with_everything_in_it_escaped(backend: PageBackend) -> None:
    add(backend, "ada")
    html = news_tab.news_html(backend, "ada")
    assert "<img" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") >= 5
    assert (
        "Two new papers bear on it; one contradicts [2]; the answer was partial, and would now be firm; "
        "the paper of [3] was retracted or withdrawn."
    ) in html
    assert "And 2 more papers." in html
    assert 'href="https://example.org/a"' in html


def test_an_owner_does_not_see_the_questions_of_others(backend: PageBackend) -> None:
    add(backend, "ada")
    assert "How?" not in news_tab.news_html(backend, "bo")


def test_the_label_counts_the_digests_that_the_owner_has_not_opened(backend: PageBackend) -> None:
    add(backend, "ada")
    add(backend, "ada")
    assert news_tab.label(backend.catalog.digests.unread("ada")) == "News (2)"
    assert news_tab.news_html(backend, "ada").count('<details class="digest" open>') == 2
    assert news_tab.label(news_tab.mark_read(backend, "ada")) == "News"
    assert news_tab.news_html(backend, "ada").count('<details class="digest" open>') == 0
    assert backend.catalog.digests.unread("bo") == 2


def test_without_a_digest_the_tab_says_how_to_begin_and_what_failed(backend: PageBackend) -> None:
    assert "paperchat watch add" in news_tab.news_html(backend, "")
    watch = backend.catalog.watches.add("https://example.org/feed?<b>")
    from datetime import UTC, datetime

    backend.catalog.watches.failed(watch, f"{EVIL} failed", datetime.now(UTC), datetime.now(UTC))
    html = news_tab.news_html(backend, "")
    assert "https://example.org/feed?&lt;b&gt;" in html
    assert "<img" not in html


def test_looking_reports_what_each_source_brought(
    assistant: Assistant, settings: Settings, papers_file: object
) -> None:
    loaded = Future[Assistant]()
    loaded.set_result(assistant)
    backend = PageBackend(settings, loaded)
    assert news_tab.look_for_papers(backend, UNLIMITED) == '<p class="quiet">Nothing is watched.</p>'
    backend.catalog.watches.add(str(papers_file))
    assert "0 new" in news_tab.look_for_papers(backend, UNLIMITED)
    backend.close()
