"""The library as a llama-index retriever and query engine."""

from __future__ import annotations

import asyncio

from llama_index.core.schema import MetadataMode, QueryBundle

from assistant import Assistant
from assistant.integrations.llama_index import PaperQueryEngine, PaperRetriever
from tests.contract.json_keys import PAPER


def test_it_retrieves_whole_abstracts_best_first_with_the_searchs_scores(reader: Assistant) -> None:
    found = PaperRetriever(reader).retrieve("How do honey bees communicate?")
    hits = reader.search("How do honey bees communicate?").hits
    assert [node.node_id for node in found] == [hit.paper.id for hit in hits]
    assert [node.score for node in found] == [hit.score for hit in hits]
    assert found[0].node.get_content(MetadataMode.NONE) == hits[0].paper.abstract
    assert "waggle dance" in found[0].text


def test_a_nodes_metadata_is_the_paper_without_its_abstract(reader: Assistant) -> None:
    node = PaperRetriever(reader).retrieve("glaciers")[0]
    paper = reader.search("glaciers").hits[0].paper
    assert set(node.metadata) == {*PAPER} - {"id", "abstract"}
    assert node.metadata["sources"] == list(paper.sources) == ["papers.txt"]


def test_a_query_bundle_and_the_asynchronous_call_do_the_same(reader: Assistant) -> None:
    retriever = PaperRetriever(reader)
    plain = retriever.retrieve("sourdough")
    assert retriever.retrieve(QueryBundle("sourdough")) == plain
    assert asyncio.run(retriever.aretrieve("sourdough")) == plain


def test_a_blank_query_retrieves_nothing(reader: Assistant) -> None:
    assert PaperRetriever(reader).retrieve(" ?! ") == []


def test_a_query_engine_answers_with_the_cited_papers_as_sources(reader: Assistant) -> None:
    question = "How do honey bees communicate the place of flowers?"
    answer = reader.ask(question)
    engine = PaperQueryEngine(assistant=reader)
    for response in (engine.query(question), asyncio.run(engine.aquery(question))):
        assert str(response) == answer.text
        assert [node.node_id for node in response.source_nodes] == [each.paper.id for each in answer.citations]
        assert response.metadata
        assert response.metadata["strength"] == "firm"


def test_a_query_engine_abstains_without_sources(reader: Assistant) -> None:
    response = PaperQueryEngine(assistant=reader).query("transistors amplify whispers")
    assert (response.source_nodes, "does not answer" in str(response)) == ([], True)
