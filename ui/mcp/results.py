"""What the tools return: the JSON of the library, short enough to be read by a model.

Papers come without their abstracts, which `fetch` returns: offsets of passages are offsets into those. Nothing is
added to what the library says, so no result has a word of ours that could pass for an instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel

from assistant.drafts.serialization import check_json
from assistant.drafts.values import DraftCheck
from assistant.schema import Answer, Hit, Page, Paper, Table, Verification
from assistant.serialization import Json, answer_json, hit_json, paper_json, verification_json
from assistant.text.links import paper_url
from assistant.text.titles import display_title
from ui.api.models import VerificationJson

SCHEME = "paperchat"
# The address on this server of the paper with an id.
Address = Callable[[str], str]
# The parts of an answer that a caller needs to quote and check it.
_ANSWER = (
    "question standalone filters answered strength reason confidence text opening citations sentences table nearest "
    "model"
).split()
_SENTENCE = ("text", "citations", "verdict", "support")
# Of the papers of an answer or a list, the rest is one `fetch` away.
_LEFT_OUT = frozenset({"abstract", "sources"})


class SearchEntry(BaseModel):
    """A result as ChatGPT requires it of `search`."""

    id: str
    title: str
    url: str


class SearchResults(BaseModel):
    """The results as ChatGPT requires them of `search`."""

    results: list[SearchEntry]


class Document(BaseModel):
    """A document as ChatGPT requires it of `fetch`; `text` is the abstract, unchanged."""

    id: str
    title: str
    text: str
    url: str
    metadata: dict[str, Any]


class VerifiedClaims(BaseModel):
    """The verdict on each sentence of a text; the check of a draft is in `draft` instead, which clients are not told.

    Its schema would cost more than all other tools together.
    """

    claims: list[VerificationJson]


def search_results(hits: Iterable[Hit], address: Address) -> Json:
    """Return hits as ChatGPT requires them."""
    papers = [hit.paper for hit in hits]
    entries = [SearchEntry(id=paper.id, title=display_title(paper), url=_url(paper, address)) for paper in papers]
    return SearchResults(results=entries).model_dump()


def document(paper: Paper, address: Address) -> Json:
    """Return a paper as ChatGPT requires it."""
    metadata = {name: value for name, value in _brief(paper_json(paper)).items() if name not in ("id", "title", "url")}
    title, url = display_title(paper), _url(paper, address)
    return Document(id=paper.id, title=title, text=paper.abstract, url=url, metadata=metadata).model_dump()


def answer_result(answer: Answer) -> Json:
    """Return an answer with what is needed to quote and to check it."""
    written = answer_json(answer)
    sentences = [{name: sentence[name] for name in _SENTENCE} for sentence in written["sentences"]]
    chosen = {name: written[name] for name in _ANSWER} | {"sentences": sentences}
    brief: Json = _brief({name: value for name, value in chosen.items() if value not in ("", None, {})})
    return brief


def hits_result(hits: Iterable[Hit]) -> Json:
    """Return hits with their passages."""
    names = ("rank", "score", "paper", "passages")
    return {"hits": [_brief({name: hit_json(hit)[name] for name in names}) for hit in hits]}


def verifications_result(verifications: Iterable[Verification]) -> Json:
    """Return the verdict on each claim."""
    return {"claims": [verification_json(verification) for verification in verifications]}


def draft_result(check: DraftCheck) -> Json:
    """Return the check of a draft, without the abstracts of its papers."""
    brief: Json = _brief(check_json(check))
    return {"claims": [], "draft": brief}


def page_result(page: Page, next_cursor: str | None) -> Json:
    """Return a page of papers, with the cursor of the next one where there is one."""
    papers = [_brief(paper_json(paper)) for paper in page.papers]
    return {"papers": papers, "total": page.total} | ({"next_cursor": next_cursor} if next_cursor else {})


def table_result(table: Table) -> Json:
    """Return a table: of each paper its id and title, of each cell its value and the sentence that it comes from."""
    rows = [
        {
            "id": row.paper.id,
            "title": display_title(row.paper),
            "cells": [
                {"value": cell.value, "sentence": cell.passage.text if cell.passage else None, "source": cell.source}
                for cell in row.cells
            ],
        }
        for row in table.rows
    ]
    return {"columns": list(table.columns), "rows": rows, "total": table.total}


def paper_uri(paper_id: str) -> str:
    """Return the URI of the resource of a paper."""
    return f"{SCHEME}://paper/{paper_id}"


def _url(paper: Paper, address: Address) -> str:
    """Return the address of a paper, without which no client cites it: on the web, or else on this server."""
    return paper_url(paper) or address(paper.id)


def _brief(node: Any) -> Any:
    """Return JSON without what `_LEFT_OUT` names in the papers within it."""
    if isinstance(node, list):
        return [_brief(item) for item in node]
    if not isinstance(node, dict):
        return node
    is_paper = "abstract" in node and "authors" in node
    return {name: _brief(value) for name, value in node.items() if not (is_paper and name in _LEFT_OUT)}
