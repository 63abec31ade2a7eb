"""The library as a llama-index retriever and query engine, for those who build pipelines of their own."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.response.schema import Response
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from assistant.chat import Assistant
from assistant.schema import Answer, Citation, Hit
from assistant.serialization import answer_json, paper_json


class PaperRetriever(BaseRetriever):
    """Retrieves whole abstracts as nodes; the node's metadata is the paper without its abstract."""

    def __init__(self, assistant: Assistant, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._assistant = assistant

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(hit) for hit in self._assistant.search(query_bundle.query_str).hits]


class PaperQueryEngine(CustomQueryEngine):
    """Answers questions: the response is the text, its sources are the cited papers, its metadata the whole answer."""

    assistant: Assistant

    def custom_query(self, query_str: str) -> Response:
        """Return the answer to a question. Raises as `Assistant.ask` does."""
        return _response(self.assistant.ask(query_str))

    async def acustom_query(self, query_str: str) -> Response:
        """Return the answer to a question while the event loop goes on. Raises as `Assistant.ask` does."""
        return _response(await self.assistant.aask(query_str))


def _response(answer: Answer) -> Response:
    nodes = [_node(_hit(citation, answer)) for citation in answer.citations]
    return Response(answer.text, source_nodes=nodes, metadata=answer_json(answer))


def _hit(citation: Citation, answer: Answer) -> Hit:
    """Return the hit that a citation refers to, or one with its number where the search did not find the paper."""
    hits = {hit.paper.id: hit for hit in answer.hits}
    return hits.get(citation.paper.id, Hit(citation.number, 0.0, citation.paper, citation.passages))


def _node(hit: Hit) -> NodeWithScore:
    metadata = {name: value for name, value in paper_json(hit.paper).items() if name not in ("id", "abstract")}
    node = TextNode(id_=hit.paper.id, text=hit.paper.abstract, metadata=metadata)
    return NodeWithScore(node=node, score=hit.score)
