"""Drafts over the API: the JSON of a check, and what is refused."""

from __future__ import annotations

import json

import httpx
import pytest

from assistant.drafts import checking, statements
from assistant.drafts.serialization import check_json
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
from assistant.errors import ModelError
from assistant.schema import Paper, Passage
from tests.unit.api.test_tables import events_of
from ui.api.draft_models import DraftCheckJson

DANCE = "Honey bees communicate the place of flowers by a waggle dance"


def test_a_check_is_the_json_of_a_check(read_api: httpx.Client) -> None:
    text = f"{DANCE} \\cite{{ghost}}. Section 3 describes the data."
    bib = "@misc{ghost, title={Ghosts of the southern Andes}}"
    written = read_api.post("/api/v1/check", json={"text": text, "format": "latex", "bibliography": bib}).json()
    assert set(written) == {"sentences", "bibliography", "notes"}
    first, second = written["sentences"]
    assert text[first["start"] : first["end"]] == first["text"]
    assert (first["verdict"], second["verdict"]) == ("supported", "states_nothing")
    assert first["citations"][0]["verdict"] == "unknown"
    passage = first["passage"]
    assert first["paper"]["abstract"][passage["start"] : passage["end"]] == passage["text"]
    assert [(entry["key"], entry["status"]) for entry in written["bibliography"]] == [("ghost", "unknown")]


def test_a_check_is_streamed_sentence_by_sentence(read_api: httpx.Client) -> None:
    body = {
        "text": f"{DANCE} \\cite{{ghost}}. Section 3 describes the data.",
        "bibliography": "@misc{ghost, title={Ghosts}}",
    }
    whole = read_api.post("/api/v1/check", json=body).json()
    events = events_of(read_api.post("/api/v1/check", json=body | {"stream": True}).text)
    assert [name for name, _ in events] == ["sentence", "sentence", "done"]
    assert [data for _, data in events[:-1]] == whole["sentences"]
    assert events[-1][1] == {"bibliography": whole["bibliography"], "notes": whole["notes"]}
    accepting = read_api.post("/api/v1/check", json=body, headers={"Accept": "text/event-stream"})
    assert accepting.headers["content-type"].startswith("text/event-stream")


def test_a_check_that_fails_midway_ends_with_the_problem(
    read_api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "BATCH_SIZE", 1)
    states_something = statements.states_something

    def fail_later(sentence: DraftSentence) -> bool:
        if sentence.start:
            raise ModelError("the weights are gone")
        return states_something(sentence)

    monkeypatch.setattr(statements, "states_something", fail_later)
    reply = read_api.post("/api/v1/check", json={"text": f"{DANCE}. {DANCE}.", "stream": True})
    (first, _), (last, problem) = events_of(reply.text)
    assert (first, last) == ("sentence", "error")
    assert "the weights are gone" in problem["detail"]


@pytest.mark.parametrize(
    "body",
    [{"text": ""}, {"text": " \n"}, {"text": "Bees.", "format": "docx"}, {"text": "Bees.", "bib": ""}, {}],
    ids=["empty", "blank", "unknown format", "unknown key", "no text"],
)
def test_what_is_no_draft_is_a_problem(body: dict[str, str], read_api: httpx.Client) -> None:
    reply = read_api.post("/api/v1/check", json=body)
    assert reply.status_code in (400, 422)
    assert reply.headers["content-type"] == "application/problem+json"
    streamed = read_api.post("/api/v1/check", json=body | {"stream": True})
    assert (streamed.status_code, streamed.headers["content-type"]) == (reply.status_code, "application/problem+json")


def test_a_draft_may_be_longer_than_a_question(read_api: httpx.Client) -> None:
    comment = "% " + "x" * 1_500_000 + "\n"
    reply = read_api.post("/api/v1/check", json={"text": f"{comment}{DANCE}.", "format": "latex"})
    assert [sentence["verdict"] for sentence in reply.json()["sentences"]] == ["supported"]


def test_the_model_of_a_check_has_every_key_that_is_written() -> None:
    """The values have something in every field, so that no key can be missing further down."""
    paper, passage = Paper("a", "Bees."), Passage("Bees.", 0, 5)
    cited = DraftCitation("k", 5, 9)
    citation = CitationCheck(cited, paper, CitationVerdict.SUPPORTED, 0.9, 0.1, passage)
    sentence = DraftSentence("Bees [@k].", 0, 10, "Bees.", (cited,))
    suggestion = Suggestion(paper, 0.9, passage)
    verdict = SentenceVerdict.SUPPORTED
    checked = SentenceCheck(sentence, verdict, 0.9, 0.1, passage, paper, "r", (citation,), (suggestion,))
    entry = EntryCheck("k", EntryStatus.DIFFERS, paper, {"title": FieldDifference("a", "b")}, "j")
    written = check_json(DraftCheck((checked,), (entry,), (DraftNote("n", 1),)))
    assert DraftCheckJson.model_validate(written).model_dump(mode="json") == json.loads(json.dumps(written))
