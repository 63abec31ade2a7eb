"""The library as a llama-index retriever, for those who build pipelines of their own."""

from __future__ import annotations

from typing import Any

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from assistant.chat import Assistant
from assistant.schema import Hit
from assistant.serialization import paper_json


class PaperRetriever(BaseRetriever):
    """Retrieves whole abstracts as nodes; the node's metadata is the paper without its abstract."""

    def __init__(self, assistant: Assistant, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._assistant = assistant

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(hit) for hit in self._assistant.search(query_bundle.query_str).hits]


def _node(hit: Hit) -> NodeWithScore:
    metadata = {name: value for name, value in paper_json(hit.paper).items() if name not in ("id", "abstract")}
    node = TextNode(id_=hit.paper.id, text=hit.paper.abstract, metadata=metadata)
    return NodeWithScore(node=node, score=hit.score)
