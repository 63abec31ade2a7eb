"""The JSON API over a real server: what it serves is the JSON that scripts rely on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from assistant import factory
from assistant.chat import Assistant
from assistant.serialization import answer_from_json, answer_json
from tests.conftest import BEES
from tests.contract.json_keys import ANSWER, CONVERSATION, HIT, PAPER, SEARCH, VERIFICATION
from tests.fakes import WordHashEmbedder
from tests.libraries import lock

TEN_MEGABYTES = 10 << 20


def events(reply: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Yield the name and the data of each event of a stream."""
    for block in reply.text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            yield lines.get("event", ""), json.loads(lines["data"])


def problem(reply: httpx.Response) -> str:
    """Return the detail of a problem, whose form is checked."""
    assert reply.headers["content-type"] == "application/problem+json"
    written = reply.json()
    assert set(written) == {"type", "title", "status", "detail", "request_id"}
    assert written["status"] == reply.status_code
    return str(written["detail"])


def test_a_search_is_the_json_of_a_search(read_api: httpx.Client) -> None:
    written = read_api.post("/api/v1/search", json={"query": BEES, "top_k": 2}).json()
    assert set(written) == SEARCH
    assert len(written["hits"]) == 2
    assert set(written["hits"][0]) == HIT
    assert set(written["hits"][0]["paper"]) == PAPER
    assert "waggle dance" in written["hits"][0]["paper"]["abstract"]


def test_an_answer_is_the_json_of_an_answer(read_api: httpx.Client) -> None:
    written = read_api.post("/api/v1/ask", json={"question": BEES}).json()
    assert set(written) == ANSWER
    for citation in written["citations"]:
        assert len(citation.pop("links")) == len(citation["passages"])
    assert answer_json(answer_from_json(written)) == written
    assert "waggle dance" in written["text"]


def test_the_links_of_a_citation_lead_to_a_page_that_marks_exactly_its_sentences(read_api: httpx.Client) -> None:
    for citation in read_api.post("/api/v1/ask", json={"question": BEES}).json()["citations"]:
        for link, passage in zip(citation["links"], citation["passages"], strict=True):
            page = read_api.get(link, headers={"accept": "text/html"})
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert page.text.count("<mark") == 1
            assert f'<mark id="{link.partition("#")[2]}">{passage["text"]}</mark>' in page.text


@pytest.mark.parametrize("query", ["start=5&end=3", "start=5", "end=5", "start=0&end=100000", "start=9999&end=10000"])
def test_a_passage_that_the_abstract_does_not_have_is_not_marked(read_api: httpx.Client, query: str) -> None:
    [bees] = read_api.get("/api/v1/papers", params={"filter": "waggle"}).json()["papers"]
    page = read_api.get(f"/api/v1/papers/{bees['id']}?{query}", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "waggle" in page.text
    assert "<mark" not in page.text


@pytest.mark.parametrize("query", ["start=-1&end=3", "start=a&end=3", "start=0&end=1e99", f"start=0&end={'9' * 5000}"])
def test_an_offset_that_is_none_is_a_problem(read_api: httpx.Client, query: str) -> None:
    [bees] = read_api.get("/api/v1/papers", params={"filter": "waggle"}).json()["papers"]
    assert problem(read_api.get(f"/api/v1/papers/{bees['id']}?{query}"))


@pytest.mark.parametrize(
    ("more", "headers"), [({"stream": True}, {}), ({}, {"accept": "text/event-stream"})], ids=["body", "accept"]
)
def test_a_streamed_answer_grows_and_ends_with_the_whole_one(
    read_api: httpx.Client, more: dict[str, Any], headers: dict[str, str]
) -> None:
    reply = read_api.post("/api/v1/ask", json={"question": BEES, **more}, headers=headers)
    assert reply.headers["content-type"].startswith("text/event-stream")
    text = ""
    *_, (last, answer) = received = list(events(reply))
    for name, data in received:
        if name == "text":
            text = text[: data["offset"]] + data["text"]
    assert last == "answer"
    assert set(answer) == ANSWER
    assert text == answer["text"]


def test_a_client_that_also_accepts_json_gets_one_reply(read_api: httpx.Client) -> None:
    headers = {"accept": "application/json, text/event-stream"}
    assert set(read_api.post("/api/v1/ask", json={"question": BEES}, headers=headers).json()) == ANSWER


def test_a_claim_is_checked_against_the_library_a_paper_or_an_abstract(read_api: httpx.Client) -> None:
    claim = "Honey bees communicate the place of flowers by a waggle dance."
    by_library = read_api.post("/api/v1/verify", json={"claim": claim}).json()
    assert set(by_library) == VERIFICATION
    assert by_library["verdict"] == "supported"
    by_paper = read_api.post("/api/v1/verify", json={"claim": claim, "paper_id": by_library["paper_id"]}).json()
    assert by_paper["passage"] == by_library["passage"]
    by_abstract = read_api.post("/api/v1/verify", json={"claim": claim, "abstract": "Bees sleep at night."}).json()
    assert by_abstract["verdict"] == "unsupported"
    assert by_abstract["paper_id"] is None


def test_papers_are_listed_in_pages_and_by_filters(read_api: httpx.Client) -> None:
    first = read_api.get("/api/v1/papers", params={"limit": 2}).json()
    second = read_api.get("/api/v1/papers", params={"limit": 2, "offset": 2}).json()
    assert (len(first["papers"]), len(second["papers"]), first["total"]) == (2, 1, 3)
    [bees] = read_api.get("/api/v1/papers", params={"filter": "waggle"}).json()["papers"]
    shown = read_api.get(f"/api/v1/papers/{bees['id'][:8]}").json()
    assert shown | bees == shown


def test_a_browser_is_shown_a_page_of_the_paper_with_everything_escaped(api: httpx.Client) -> None:
    record = {
        "title": "Cats <b>purr</b>",
        "abstract": "<script>alert(1)</script> Cats purr at a frequency of 25 hertz.",
    }
    api.post("/api/v1/papers", json={"records": [record | {"url": "javascript:alert(1)"}]})
    [cats] = api.get("/api/v1/papers", params={"filter": "purr"}).json()["papers"]
    page = api.get(f"/api/v1/papers/{cats['id']}?start=0&end=40", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "25 hertz" in page.text
    assert "<script" not in page.text
    assert "<b>" not in page.text
    assert '<mark id="passage-1">&lt;script' in page.text
    assert "javascript:" not in page.text


def test_added_papers_are_found_and_deleted_ones_are_not(api: httpx.Client) -> None:
    record = {"title": "On the sleep of whales", "abstract": "Sperm whales sleep upright near the surface of the sea."}
    assert api.post("/api/v1/papers", json={"records": [record]}).json()["added"] == 1
    bibtex = "@article{a, title={Cats purr}, abstract={Cats purr at a frequency of 25 hertz when they are content.}}"
    assert api.post("/api/v1/papers", json={"name": "cats.bib", "content": bibtex}).json()["added"] == 1
    found = api.post("/api/v1/search", json={"query": "How do sperm whales sleep?"}).json()["hits"][0]["paper"]
    assert (found["title"], found["sources"]) == (record["title"], ["api"])
    assert api.delete(f"/api/v1/papers/{found['id'][:8]}").status_code == 404
    assert api.delete(f"/api/v1/papers/{found['id']}").status_code == 204
    assert problem(api.get(f"/api/v1/papers/{found['id']}"))
    assert api.get("/api/v1/status").json()["papers"] == 4


@pytest.mark.parametrize(
    "body", [{}, {"records": []}, {"records": [{}]}, {"name": "..", "content": "x"}, {"records": [{"titel": "x"}]}]
)
def test_papers_without_content_are_refused(api: httpx.Client, body: dict[str, Any]) -> None:
    assert api.post("/api/v1/papers", json=body).status_code == 422


def test_a_file_cannot_be_written_outside_its_folder(api: httpx.Client) -> None:
    abstract = "Abstract: Cats purr at a frequency of 25 hertz when they are content and when they are hungry."
    assert api.post("/api/v1/papers", json={"name": "../../cats.txt", "content": abstract}).json()["added"] == 1
    [cats] = api.get("/api/v1/papers", params={"filter": "purr"}).json()["papers"]
    assert cats["sources"] == ["cats.txt"]


def test_a_conversation_is_stored_continued_renamed_and_deleted(api: httpx.Client) -> None:
    stored = api.post("/api/v1/ask", json={"question": BEES, "save": True}).json()
    conversation = stored["conversation"]
    followed = api.post("/api/v1/ask", json={"question": "Which of them dance longer?", "conversation": conversation})
    assert followed.json()["conversation"] == conversation
    written = api.get(f"/api/v1/conversations/{conversation}").json()
    assert set(written) == CONVERSATION
    assert [turn["question"] for turn in written["turns"]] == [BEES, "Which of them dance longer?"]
    assert api.patch(f"/api/v1/conversations/{conversation}", json={"title": "Bees"}).status_code == 204
    listed = api.get("/api/v1/conversations").json()
    assert (listed["total"], listed["conversations"][0]["title"]) == (1, "Bees")
    assert api.delete(f"/api/v1/conversations/{conversation}").status_code == 204
    assert api.get(f"/api/v1/conversations/{conversation}").status_code == 404


def test_a_question_can_bring_its_history(read_api: httpx.Client) -> None:
    answer = read_api.post("/api/v1/ask", json={"question": BEES}).json()
    for earlier in (answer, answer["text"]):
        history = [{"question": BEES, "answer": earlier}]
        followed = read_api.post(
            "/api/v1/ask", json={"question": "And do older ones do it longer?", "history": history}
        )
        assert "waggle dance" in followed.json()["standalone"]


def test_a_scope_restricts_the_papers(read_api: httpx.Client) -> None:
    [bees] = read_api.get("/api/v1/papers", params={"filter": "waggle"}).json()["papers"]
    body = {"query": BEES, "scope": {"excluded": [bees["id"]]}}
    assert bees not in [hit["paper"] for hit in read_api.post("/api/v1/search", json=body).json()["hits"]]


def test_the_state_of_library_and_server_is_served_without_addresses_of_this_machine(read_api: httpx.Client) -> None:
    status = read_api.get("/api/v1/status")
    assert status.json()["papers"] == 3
    assert "home" not in status.text
    assert read_api.get("/api/v1/health").json()["status"] == "ok"


def test_the_interface_describes_itself_by_the_models(read_api: httpx.Client) -> None:
    described = read_api.get("/api/v1/openapi.json").json()
    fields = described["components"]["schemas"]["AnswerJson"]["properties"]
    assert set(fields) == ANSWER
    assert all(field.get("description") or "$ref" in field for field in fields.values())
    assert {"/api/v1/ask", "/api/v1/search", "/api/v1/verify", "/api/v1/papers"} <= set(described["paths"])


@pytest.fixture
def cats(assistant: Assistant) -> None:
    """Create another library beside the one that is served, with no paper in it."""
    home = assistant.settings.home / "libraries" / "cats"
    factory.open_library(assistant.settings.model_copy(update={"home": home}), WordHashEmbedder()).close()


def test_papers_are_added_to_and_deleted_from_every_library(api: httpx.Client, cats: None) -> None:
    other, record = {"library": "cats"}, {"title": "Cats", "abstract": "Cats purr at a frequency of 25 hertz."}
    assert api.post("/api/v1/papers", json={"records": [record]} | other).json()["added"] == 1
    [paper] = api.get("/api/v1/papers", params=other).json()["papers"]
    assert api.get("/api/v1/status", params=other).json()["papers"] == 1
    assert api.get("/api/v1/status").json()["papers"] == 3
    assert api.delete(f"/api/v1/papers/{paper['id']}").status_code == 404
    assert api.delete(f"/api/v1/papers/{paper['id']}", params=other).status_code == 204
    assert api.get("/api/v1/papers", params=other).json()["total"] == 0


def test_a_library_that_another_process_writes_to_refuses_changes_and_the_others_do_not(
    api: httpx.Client, assistant: Assistant, cats: None
) -> None:
    record = {"records": [{"abstract": "Cats purr at a frequency of 25 hertz when they are content."}]}
    with lock(assistant.settings.home / "libraries" / "cats"):
        assert api.post("/api/v1/papers", json=record | {"library": "cats"}).status_code == 409
        assert api.post("/api/v1/papers", json=record).json()["added"] == 1


def test_each_library_has_its_conversations(api: httpx.Client, cats: None) -> None:
    other = {"library": "cats"}
    stored = api.post("/api/v1/ask", json={"question": BEES, "save": True} | other).json()["conversation"]
    assert api.get("/api/v1/conversations").json()["total"] == 0
    assert api.get("/api/v1/conversations", params=other).json()["total"] == 1
    assert api.get(f"/api/v1/conversations/{stored}").status_code == 404
    assert api.get(f"/api/v1/conversations/{stored}", params=other).json()["turns"][0]["question"] == BEES
    assert api.patch(f"/api/v1/conversations/{stored}", json={"title": "x"}, params=other).status_code == 204
    assert api.delete(f"/api/v1/conversations/{stored}", params=other).status_code == 204


@pytest.mark.parametrize("name", ["none", "../home", "", "."])
def test_a_library_that_does_not_exist_is_a_problem(read_api: httpx.Client, name: str) -> None:
    params = {"library": name}
    record = {"records": [{"abstract": "Cats purr."}]} | params
    assert read_api.post("/api/v1/papers", json=record).status_code == 404
    assert read_api.delete("/api/v1/papers/a", params=params).status_code == 404
    for path in ("papers", "papers/a", "conversations", "conversations/a", "status"):
        assert "no library is named" in problem(read_api.get(f"/api/v1/{path}", params=params))


@pytest.mark.parametrize("path", ["search", "ask", "verify", "papers"])
@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"question": ', 400), (b"\xff\xfe", 400), (b"[1]", 422), (b"{}", 422), (b"[" * 100_000, 400)],
    ids=["cut", "bytes", "list", "empty", "deep"],
)
def test_a_malformed_body_is_a_problem(read_api: httpx.Client, path: str, body: bytes, status: int) -> None:
    reply = read_api.post(f"/api/v1/{path}", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == status
    assert problem(reply)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("ask", {"question": 3}, 422),
        ("ask", {"question": "x", "strem": True}, 422),
        ("ask", {"question": "x " * 4000}, 422),
        ("ask", {"question": BEES, "scope": {"pinned": ["none"]}}, 404),
        ("ask", {"question": BEES, "conversation": "none"}, 404),
        ("ask", {"question": BEES, "library": "none"}, 404),
        ("ask", {"question": BEES, "library": "../home"}, 404),
        ("ask", {"question": BEES, "history": [{"question": "x", "answer": {}}]}, 422),
        ("ask", {"question": BEES, "stream": True, "library": "none"}, 404),
        ("search", {"query": BEES, "top_k": 0}, 422),
        ("verify", {"claim": BEES, "paper_id": "none"}, 404),
        ("verify", {"claim": BEES, "paper_id": "a", "abstract": "b"}, 422),
    ],
)
def test_a_wrong_value_is_a_problem(read_api: httpx.Client, path: str, body: dict[str, Any], status: int) -> None:
    reply = read_api.post(f"/api/v1/{path}", json=body)
    assert reply.status_code == status
    assert problem(reply)


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/papers/none", "/api/none"])
def test_an_unknown_address_is_a_problem(read_api: httpx.Client, path: str) -> None:
    reply = read_api.get(path)
    assert reply.status_code == 404
    assert problem(reply)


@pytest.mark.parametrize("path", ["/api/v1/ask", "/api/v1/papers", "/v1/chat/completions"])
def test_a_body_of_ten_megabytes_is_refused(read_api: httpx.Client, path: str) -> None:
    question = json.dumps({"question": "x" * TEN_MEGABYTES}).encode()
    assert read_api.post(path, content=question, headers={"content-type": "application/json"}).status_code == 413
    # In chunks its length is not announced.
    chunked = read_api.post(path, content=iter([question]), headers={"content-type": "application/json"})
    assert chunked.status_code == 413
    assert read_api.get("/api/v1/health").status_code == 200


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"host": "evil.example"}])
def test_the_page_of_another_site_is_refused(read_api: httpx.Client, headers: dict[str, str]) -> None:
    reply = read_api.get("/api/v1/status", headers=headers)
    assert reply.status_code == 403
    assert problem(reply)
