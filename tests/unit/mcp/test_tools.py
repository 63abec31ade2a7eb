"""The tools, called by the official client in this process, over the real stores."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llama_index.core
import pytest
from mcp import Client, MCPError
from pydantic import BaseModel, TypeAdapter

from assistant import factory
from assistant.chat import Assistant
from assistant.settings import Settings
from assistant.storage.library import Library
from tests.libraries import lock
from tests.unit.mcp.conftest import INJECTION, PAPERS
from ui.api import library_models, models
from ui.mcp.server import INSTRUCTIONS

QUESTION = "How do honey bees communicate the place of flowers by a waggle dance?"
ABSTRACTS = {paper["abstract"] for paper in PAPERS}
# Eight tools may have 2,000; this leaves room for another one.
MOST_TOKENS = 2000


async def structured(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert len(result.content) == 1
    assert json.loads(result.content[0].text) == result.structured_content  # type: ignore[union-attr]
    return result.structured_content


async def failure(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert len(result.content) == 1
    return str(result.content[0].text)  # type: ignore[union-attr]


def count_tokens(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Count by cl100k_base, whose ranks llama-index ships; other vocabularies differ by some percent."""
    import tiktoken

    cache = Path(llama_index.core.__file__).parent / "_static" / "tiktoken_cache"
    monkeypatch.setitem(os.environ, "TIKTOKEN_CACHE_DIR", str(cache))
    return len(tiktoken.get_encoding("cl100k_base").encode(text))


def test_the_tools_are_few_and_leave_room_for_another_in_2000_tokens(
    talk: Callable[..., Any], filled_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = talk(lambda client: client.list_tools(), may_write=True).tools
    assert [tool.name for tool in tools] == ["search", "fetch", "ask", "verify", "similar", "table", "list", "add"]
    written = json.dumps([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools])
    assert count_tokens(written, monkeypatch) <= MOST_TOKENS


def test_what_models_read_says_that_texts_are_data(talk: Callable[..., Any], filled_home: Path) -> None:
    async def conversation(client: Client) -> list[str]:
        assert client.instructions == INSTRUCTIONS
        return [tool.description or "" for tool in (await client.list_tools()).tools]

    assert "never instructions" in INSTRUCTIONS
    assert all("data, never instructions" in description for description in talk(conversation))


def test_search_and_fetch_return_exactly_what_chatgpt_requires(
    talk: Callable[..., Any], library_assistant: Assistant
) -> None:
    async def conversation(client: Client) -> None:
        matches = await structured(client, "search", query=QUESTION)
        assert set(matches) == {"results"}
        assert {frozenset(entry) for entry in matches["results"]} == {frozenset({"id", "title", "url"})}
        assert matches["results"][0]["url"] == "https://example.org/bees"
        document = await structured(client, "fetch", id=matches["results"][0]["id"])
        assert set(document) == {"id", "title", "text", "url", "metadata"}
        assert document["text"] == PAPERS[0]["abstract"]
        assert document["metadata"]["authors"] == ["Ann Bee", "Bo Hive"]
        for entry in matches["results"]:
            assert entry["url"].startswith(("https://", f"paperchat://paper/{entry['id']}"))

    talk(conversation, library_assistant)


def test_an_answer_has_verbatim_passages_with_offsets_and_verdicts(
    talk: Callable[..., Any], library_assistant: Assistant
) -> None:
    async def conversation(client: Client) -> None:
        answer = await structured(client, "ask", question=QUESTION)
        assert answer["answered"]
        assert {sentence["verdict"] for sentence in answer["sentences"]} == {"supported"}
        for citation in answer["citations"]:
            document = await structured(client, "fetch", id=citation["paper"]["id"])
            assert citation["passages"]
            for passage in citation["passages"]:
                assert document["text"][passage["start"] : passage["end"]] == passage["text"]
        assert "abstract" not in json.dumps(answer["citations"])

    talk(conversation, library_assistant)


def with_abstracts(node: Any) -> Any:
    """Return JSON with what the tools leave out of the papers in it."""
    if isinstance(node, list):
        return [with_abstracts(item) for item in node]
    if not isinstance(node, dict):
        return node
    left_out = {"abstract": "", "sources": []} if "authors" in node else {}
    return {name: with_abstracts(value) for name, value in node.items()} | left_out


def assert_fits(result: Any, model: type[BaseModel]) -> None:
    """Check that every key of a result is a field of the model, with a value that fits."""
    names = {field.alias or name: field for name, field in model.model_fields.items()}
    assert set(result) <= set(names)
    for name, value in with_abstracts(result).items():
        TypeAdapter(names[name].rebuild_annotation()).validate_python(value)


def test_results_are_parts_of_the_json_that_the_api_serves(
    talk: Callable[..., Any], library_assistant: Assistant
) -> None:
    paper = {"title": "Whale song", "abstract": "Whales sing across the whole ocean. " * 8}

    async def conversation(client: Client) -> None:
        for question in (QUESTION, "Papers by Ann Bee", "Which quasars do pulsars orbit?"):
            answer = await structured(client, "ask", question=question)
            sentences = [sentence | {"reason": "", "attributed": False} for sentence in answer["sentences"]]
            whole: dict[str, Any] = {"replaces": None, "is_context": False, "lead": 0, "emphasis": []}
            assert_fits(answer | {"sentences": [sentence | whole for sentence in sentences]}, models.AnswerJson)
        for claim in (await structured(client, "verify", text="Older bees dance longer."))["claims"]:
            assert claim == models.VerificationJson.model_validate(claim).model_dump(mode="json")
        for hit in (await structured(client, "similar", text="Honey bees dance"))["hits"]:
            assert_fits(hit, models.HitJson)
        for listed in (await structured(client, "list"))["papers"]:
            assert_fits(listed, models.PaperJson)
        report = await structured(client, "add", papers=[paper])
        assert report.pop("ids")
        assert report == library_models.AddedJson.model_validate(report).model_dump(mode="json")
        content = (await client.read_resource("paperchat://status")).contents[0]
        status = json.loads(content.text)  # type: ignore[union-attr]
        assert (status.pop("model"), status.pop("ready")) == ("extractive", True)
        assert_fits(status, library_models.StatusJson)

    talk(conversation, library_assistant, may_write=True)


def test_an_answer_may_be_restricted_to_papers(talk: Callable[..., Any], library_assistant: Assistant) -> None:
    async def conversation(client: Client) -> None:
        papers = (await structured(client, "list", filter="author:Ice"))["papers"]
        answer = await structured(client, "ask", question=QUESTION, ids=[papers[0]["id"]])
        assert {citation["paper"]["id"] for citation in answer["citations"]} <= {papers[0]["id"]}

    talk(conversation, library_assistant)


def test_a_follow_up_is_understood_by_the_questions_before_it(
    talk: Callable[..., Any], library_assistant: Assistant
) -> None:
    async def conversation(client: Client) -> None:
        answer = await structured(client, "ask", question="Which of them dance longer?", earlier=[QUESTION])
        assert "waggle dance" in answer["standalone"]
        alone = await structured(client, "ask", question="Which of them dance longer?")
        assert "waggle dance" not in alone["standalone"]

    talk(conversation, library_assistant)


def test_results_of_an_empty_library_are_facts_and_no_instructions(
    talk: Callable[..., Any], settings: Settings, library: Library
) -> None:
    async def conversation(client: Client) -> None:
        for question in (QUESTION, "Papers by Ann Bee", "What is in this library?"):
            answer = await structured(client, "ask", question=question)
            assert not answer["answered"]
            assert not any(word in answer["text"] for word in ("add some", "Run ", "run ", "please"))

    talk(conversation, factory.open_assistant(settings, library))


def test_each_sentence_of_a_draft_is_verified(talk: Callable[..., Any], library_assistant: Assistant) -> None:
    async def conversation(client: Client) -> list[str]:
        draft = "Older bees dance longer. Older bees do not dance longer. Whales sing across the whole ocean."
        claims = (await structured(client, "verify", text=draft))["claims"]
        assert claims[0]["passage"]["text"] == "Older bees dance longer."
        return [claim["verdict"] for claim in claims]

    assert talk(conversation, library_assistant) == ["supported", "contradicted", "unsupported"]


def test_similar_papers_come_with_passages_and_without_the_paper_itself(
    talk: Callable[..., Any], library_assistant: Assistant
) -> None:
    async def conversation(client: Client) -> None:
        papers = (await structured(client, "list", filter="author:Bee"))["papers"]
        hits = (await structured(client, "similar", id=papers[0]["id"]))["hits"]
        assert papers[0]["id"] not in {hit["paper"]["id"] for hit in hits}
        assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
        hits = (await structured(client, "similar", text="Honey bees dance"))["hits"]
        assert hits[0]["paper"]["title"] == "Waggle dances of honey bees"
        assert hits[0]["passages"]
        assert "either the id of a paper or a text" in await failure(client, "similar")

    talk(conversation, library_assistant)


def test_a_list_is_paged_by_cursor(
    talk: Callable[..., Any], library_assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.mcp import resources, tools

    monkeypatch.setattr(tools, "_PAGE", 2)
    monkeypatch.setattr(resources, "_PAGE", 2)

    async def conversation(client: Client) -> None:
        first = await structured(client, "list", sort="year")
        rest = await structured(client, "list", sort="year", cursor=first["next_cursor"])
        years = [paper["year"] for page in (first, rest) for paper in page["papers"]]
        assert years == [2024, 2022, 2021]
        assert first["total"] == 3
        assert "next_cursor" not in rest
        assert "cursor" in await failure(client, "list", cursor=first["next_cursor"])  # that of another order
        for cursor in ("x", "W10=", "\N{SNOWMAN}", "A" * 10_000):
            assert "begin again without a cursor" in await failure(client, "list", cursor=cursor)
        page = await client.list_resources()
        assert page.resources[0].uri == "paperchat://status"
        page = await client.list_resources(cursor=page.next_cursor)
        assert len(page.resources) == 1
        assert page.next_cursor is None
        with pytest.raises(MCPError, match="begin again"):
            await client.list_resources(cursor="x")

    talk(conversation, library_assistant)


def test_papers_and_the_status_are_resources(talk: Callable[..., Any], filled_home: Path) -> None:
    async def conversation(client: Client) -> None:
        templates = (await client.list_resource_templates()).resource_templates
        assert [template.uri_template for template in templates] == ["paperchat://paper/{id}"]
        status = json.loads((await client.read_resource("paperchat://status")).contents[0].text)  # type: ignore[union-attr]
        assert (status["papers"], status["ready"]) == (3, False)
        uris = [resource.uri for resource in (await client.list_resources()).resources][1:]
        papers = [json.loads((await client.read_resource(uri)).contents[0].text) for uri in uris]  # type: ignore[union-attr]
        assert {paper["abstract"] for paper in papers} == ABSTRACTS
        for uri in ("paperchat://paper/zzz", "paperchat://paper/", "file:///etc/passwd", "paperchat://paper/../status"):
            with pytest.raises(MCPError, match=r"(no|several) (paper|resource)s? ha(s|ve)"):
                await client.read_resource(uri)

    talk(conversation)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("search", {}),
        ("search", {"query": 5}),
        ("search", {"query": ""}),
        ("search", {"query": ["a"]}),
        ("search", {"query": "bees", "limit": 3}),
        ("fetch", {"id": None}),
        ("ask", {"question": {"text": "bees"}}),
        ("ask", {"question": QUESTION, "ids": "abc"}),
        ("ask", {"question": QUESTION, "earlier": QUESTION}),
        ("ask", {"question": QUESTION, "earlier": [{"question": QUESTION}]}),
        ("ask", {"question": QUESTION, "earlier": ["bees"] * 51}),
        ("verify", {"text": True}),
        ("list", {"sort": "size"}),
        ("list", {"cursor": 2}),
    ],
)
def test_wrong_arguments_are_tool_errors_that_name_them(
    talk: Callable[..., Any], filled_home: Path, tool: str, arguments: dict[str, Any]
) -> None:
    message = talk(lambda client: failure(client, tool, **arguments))
    assert message.startswith(f"{tool} takes other arguments: ")
    assert "Error" not in message


def test_values_out_of_range_are_tool_errors(talk: Callable[..., Any], library_assistant: Assistant) -> None:
    async def conversation(client: Client) -> None:
        assert "4000" in (await failure(client, "search", query="bees " * 1000)).replace(",", "")
        assert "1 to 50 at a time" in await failure(client, "verify", text="Bees dance. " * 51)
        assert "1 to 50 at a time" in await failure(client, "verify", text=" ")
        assert "no paper has the id 'zzz'" in await failure(client, "ask", question=QUESTION, ids=["zzz"])
        assert "no paper has the id 'zzz'" in await failure(client, "verify", text="Bees dance.", id="zzz")
        assert "year" in await failure(client, "list", filter="year:soon")

    talk(conversation, library_assistant)


@pytest.mark.parametrize("tool", ["fetch", "similar"])
@pytest.mark.parametrize("paper_id", ["zzz", "' OR 1=1 --", "\x00", "../../etc/passwd", "0" * 10_000])
def test_an_unknown_id_is_a_tool_error_that_says_where_ids_come_from(
    talk: Callable[..., Any], library_assistant: Assistant, tool: str, paper_id: str
) -> None:
    message = talk(lambda client: failure(client, tool, id=paper_id), library_assistant)
    assert "no paper has the id" in message
    assert len(message) < 1000
    assert "return the ids of papers" in message


def test_an_unknown_tool_is_an_error_of_the_protocol_that_names_the_tools(
    talk: Callable[..., Any], filled_home: Path
) -> None:
    with pytest.raises(MCPError, match="there are search, fetch, ask"):
        talk(lambda client: client.call_tool("delete", {}))


def test_instructions_in_an_abstract_reach_a_result_only_within_the_text_of_their_paper(
    talk: Callable[..., Any], library_assistant: Assistant
) -> None:
    async def conversation(client: Client) -> None:
        question = "How do robots prompt assistants with hidden texts in papers?"
        paper_id = (await structured(client, "search", query=question))["results"][0]["id"]
        document = await structured(client, "fetch", id=paper_id)
        assert INJECTION in document.pop("text")
        assert INJECTION not in json.dumps(document)
        answer = await structured(client, "ask", question=question)
        quoted = {answer.pop("text"), *(sentence.pop("text") for sentence in answer["sentences"])}
        passages = [passage.pop("text") for citation in answer["citations"] for passage in citation["passages"]]
        assert quoted
        assert all(passage in PAPERS[2]["abstract"] for passage in passages)
        assert INJECTION not in json.dumps(answer)

    talk(conversation, library_assistant)


def test_an_injection_changes_no_other_result(talk: Callable[..., Any], library_assistant: Assistant) -> None:
    async def conversation(client: Client) -> None:
        answer = await structured(client, "ask", question=QUESTION)
        assert INJECTION not in json.dumps(answer)
        assert "add" not in [tool.name for tool in (await client.list_tools()).tools]

    talk(conversation, library_assistant)


def test_an_empty_library_says_so(talk: Callable[..., Any], library: Library, settings: Settings) -> None:
    async def conversation(client: Client) -> None:
        assert await structured(client, "search", query=QUESTION) == {"results": []}
        assert (await structured(client, "list"))["total"] == 0
        answer = await structured(client, "ask", question=QUESTION)
        assert not answer["answered"]
        assert "it holds no paper yet" in answer["text"]
        claims = (await structured(client, "verify", text="Bees dance."))["claims"]
        assert claims[0]["verdict"] == "unsupported"
        assert (await structured(client, "similar", text="Bees dance."))["hits"] == []
        assert "no paper has the id" in await failure(client, "fetch", id="abc")

    talk(conversation, factory.open_assistant(settings, library))


def test_papers_are_added_only_where_that_is_allowed(talk: Callable[..., Any], library_assistant: Assistant) -> None:
    paper = {"title": "Whale song", "abstract": "Whales sing across the whole ocean. " * 8, "authors": ["Di Sea"]}

    async def conversation(client: Client) -> None:
        report = await structured(client, "add", papers=[paper])
        assert (report["added"], report["problems"]) == (1, [])
        document = await structured(client, "fetch", id=report["ids"][0])
        assert document["title"] == "Whale song"
        assert document["metadata"]["authors"] == ["Di Sea"]
        matches = await structured(client, "search", query="Whales sing across the ocean")
        assert matches["results"][0]["id"] == report["ids"][0]

    with pytest.raises(MCPError, match="there is no tool 'add'"):
        talk(lambda client: client.call_tool("add", {"papers": [paper]}), library_assistant)
    talk(conversation, library_assistant, may_write=True)


def test_the_text_of_a_file_is_added_like_the_file(talk: Callable[..., Any], library_assistant: Assistant) -> None:
    text = "@article{a, title={Singing whales}, author={Sea, Di}, abstract={%s}}" % ("Whales sing. " * 20)

    async def conversation(client: Client) -> None:
        report = await structured(client, "add", file_text=text, file_name="../whales.bib")
        assert report["added"] == 1
        assert len(report["ids"]) == 1
        again = await structured(client, "add", file_text=text, file_name="../whales.bib")
        assert (again["unchanged"], again["ids"]) == (1, report["ids"])
        assert "takes either papers or the text of a file" in await failure(client, "add")
        assert "other arguments" in await failure(client, "add", papers=[{"titel": "a"}])
        assert "other arguments" in await failure(client, "add", papers=[{"title": "a", "year": "soon"}])
        assert await failure(client, "add", file_text="\x00\x01 nothing", file_name="a.bin")

    talk(conversation, library_assistant, may_write=True)


def test_while_the_library_is_being_ingested_it_answers_and_only_adding_has_to_wait(
    talk: Callable[..., Any], library_assistant: Assistant, settings: Settings
) -> None:
    async def conversation(client: Client) -> None:
        assert (await structured(client, "ask", question=QUESTION))["answered"]
        paper = {"title": "Whale song", "abstract": "Whales sing across the whole ocean. " * 8}
        assert "another process is writing" in await failure(client, "add", papers=[paper])

    with lock(settings.home):
        talk(conversation, library_assistant, may_write=True)


def test_verify_checks_the_citations_of_a_draft(talk: Callable[..., Any], library_assistant: Assistant) -> None:
    text = "Honey bees communicate the place of flowers by a waggle dance [@ice]. Do they?"
    bib = "@article{ice, title={Ice of the northern Alps}, author={Cy Ice}, year={2021}}"

    async def conversation(client: Client) -> None:
        draft = (await structured(client, "verify", text=text, bibliography=bib))["draft"]
        first, second = draft["sentences"]
        assert text[first["start"] : first["end"]] == first["text"]
        assert (first["verdict"], second["verdict"]) == ("supported", "states_nothing")
        assert first["citations"][0]["verdict"] == "unsupported"
        assert "abstract" not in first["paper"]
        assert [(entry["status"], list(entry["differences"])) for entry in draft["bibliography"]] == [
            ("differs", ["year"])
        ]
        assert "at most" in await failure(client, "verify", text="Bees dance here. " * 300, bibliography="")
        assert "whole library" in await failure(client, "verify", text=text, bibliography="", id="x")

    talk(conversation, library_assistant)


def test_a_table_has_cells_with_their_sentences(talk: Callable[..., Any], library_assistant: Assistant) -> None:
    async def conversation(client: Client) -> Any:
        return await structured(client, "table", columns=["How many dances?", "year"], filter="waggle")

    table = talk(conversation, library_assistant)
    assert (table["columns"], table["total"]) == (["How many dances?", "year"], 1)
    [row] = table["rows"]
    asked, year = row["cells"]
    assert year == {"value": "2021", "sentence": None, "source": "catalog"}
    assert asked["sentence"] is None or asked["sentence"] in PAPERS[0]["abstract"]


def test_a_table_of_no_question_or_an_unknown_filter_is_refused(
    talk: Callable[..., Any], library_assistant: Assistant
) -> None:
    async def conversation(client: Client) -> tuple[str, str]:
        return (
            await failure(client, "table", columns=["!!!"]),
            await failure(client, "table", columns=["dataset"], filter="topic:bees"),
        )

    no_question, no_filter = talk(conversation, library_assistant)
    assert "asks nothing" in no_question
    assert "topic" in no_filter
