"""The check of a draft on the page: what is said of each sentence, and hostile text that stays text."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from assistant.chat import Assistant
from assistant.drafts.values import (
    CitationCheck,
    CitationVerdict,
    DraftCheck,
    DraftCitation,
    DraftNote,
    DraftSentence,
    EntryCheck,
    EntryStatus,
    FieldDifference,
    SentenceCheck,
    SentenceVerdict,
    Suggestion,
)
from assistant.schema import Passage
from assistant.settings import Settings
from tests.unit.page.test_page_html import safe
from tests.unit.page.test_render import HOSTILE, paper
from ui.page import check_tab, check_view
from ui.page.backend import PageBackend
from ui.page.session import TabSettings


def hostile_check(text: str) -> DraftCheck:
    """Return a check in which every text is this one."""
    found, cited = paper(text), DraftCitation(text, 0, 1)
    sentence = DraftSentence(text, 0, len(text), text, (cited,))
    checks = [
        SentenceCheck(
            sentence,
            verdict,
            passage=Passage(text, 0, len(text)),
            paper=found,
            reason=text,
            citations=(CitationCheck(cited, found, CitationVerdict.UNSUPPORTED),),
            suggestions=(Suggestion(found, 0.9),),
        )
        for verdict in SentenceVerdict
    ]
    entry = EntryCheck(text, EntryStatus.DIFFERS, found, {"title": FieldDifference(text, text)})
    return DraftCheck(tuple(checks), (entry,), (DraftNote(text),))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_draft_stays_text(text: str) -> None:
    safe(check_view.check_html(hostile_check(text)))
    safe(check_view.running_html(2, hostile_check(text)))


def test_a_draft_is_checked_on_the_page_and_errors_are_shown(
    settings: Settings, assistant: Assistant, tmp_path: Path
) -> None:
    loaded: Future[Assistant] = Future()
    loaded.set_result(assistant)
    backend = PageBackend(settings, loaded)
    text = "Honey bees communicate the place of flowers by a waggle dance."
    *_, (shown, _) = check_tab.check_draft(backend, TabSettings(), text, None, [])
    assert "1 sentence: 1 supported." in shown
    upload = tmp_path / "upload" / "draft.md"
    upload.parent.mkdir()
    upload.write_text(text)
    *_, (shown, _) = check_tab.check_draft(backend, TabSettings(), "", upload, [])
    assert "1 supported" in shown
    assert not upload.parent.exists()
    *_, (refused, _) = check_tab.check_draft(backend, TabSettings(), "  ", None, [])
    assert "the draft is empty" in refused
    backend.close()


def test_of_a_long_draft_the_sentences_are_shown_of_which_something_is_to_say() -> None:
    sentence = DraftSentence("Bees.", 0, 5, "Bees.")
    plain = SentenceCheck(sentence, SentenceVerdict.UNSUPPORTED)
    denied = SentenceCheck(sentence, SentenceVerdict.CONTRADICTED, passage=Passage("Not bees.", 0, 9), paper=paper("t"))
    shown = check_tab.result_html(DraftCheck((plain,) * 2000 + (denied,)))
    assert shown.count("<li>") == 1
    assert "2001 sentences" in shown


def test_sentences_are_shown_as_they_are_checked_and_stay_when_it_is_stopped(
    settings: Settings, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_tab, "_PAUSE", 0.0)
    loaded: Future[Assistant] = Future()
    loaded.set_result(assistant)
    backend = PageBackend(settings, loaded)
    text = "Honey bees communicate the place of flowers by a waggle dance. Small glaciers shrink first."
    _, (first, unfinished), *_, (_, after) = check_tab.check_draft(backend, TabSettings(), text, None, [])
    assert "62 of 91 characters checked" in first
    assert first.count('class="verdict') == 1
    kept, _ = check_tab.stopped(unfinished)
    assert "Stopped." in kept
    assert "waggle dance" in kept
    assert after is None
    backend.close()
