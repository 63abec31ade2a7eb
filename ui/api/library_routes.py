"""The JSON API of what is stored: papers, conversations, and the state of the library and the server."""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from assistant.errors import InputError, NotFoundError
from assistant.question.filters import parse_selection
from assistant.schema import Paper, Passage, Sort
from assistant.serialization import Json, annotation_json, paper_json
from assistant.storage.library import Library
from assistant.text.printable import one_line
from assistant.topic_map import map_library
from assistant.topic_map.serialization import topic_map_json
from ui import status as library_status
from ui.api import library_models, server_models, topic_models
from ui.api.context import Backend, Queue, Reader, Writer
from ui.api.reference_page import reference_page
from ui.api.requests import AddBody, RenameBody
from ui.export import transcripts
from ui.kept_answers import with_notices

router = APIRouter()
_MAX_PAGE = 200
Offset = Annotated[int, Query(ge=0, le=1 << 40, description="Position of the first item, from 0.")]
Limit = Annotated[int, Query(ge=1, le=_MAX_PAGE, description="Most items of a page.")]
PassageOffset = Annotated[int | None, Query(ge=0, le=1 << 40, description="Offset into the abstract.")]
LibraryName = Annotated[str | None, Query(max_length=100, description="Another library than the one that is served.")]
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {"schema": {"type": "string"}}}, "description": "The paper."}
}
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
# Facts about this machine, which are not served.
_UNSERVED = ("home", "store", "shards", "shards_wanted")


@router.get("/papers", response_model=library_models.PaperPageJson, tags=["Papers"])
def list_papers(
    backend: Backend,
    filters: Annotated[str, Query(alias="filter", max_length=4000, description="Words and filters.")] = "",
    sort: Annotated[Sort, Query(description="Sort by this field.")] = Sort.ID,
    reverse: Annotated[bool, Query(description="Reverse the order.")] = False,
    offset: Offset = 0,
    limit: Limit = 50,
    library: LibraryName = None,
) -> Json:
    """List the papers of the library, or those that match."""
    papers = backend.papers(library)
    page = papers.page(parse_selection(filters, papers.has_author), sort, reverse=reverse, offset=offset, limit=limit)
    return {"papers": list(map(paper_json, page.papers)), "offset": page.offset, "total": page.total}


@router.get("/topics", response_model=topic_models.TopicMapJson, tags=["Papers"])
async def list_topics(
    backend: Backend,
    queue: Queue,
    filters: Annotated[str, Query(alias="filter", max_length=4000, description="Words and filters.")] = "",
    library: LibraryName = None,
) -> Json:
    """Map the papers of the library, or those that match, by topic."""

    def work() -> Json:
        assistant = backend.assistant(library)
        selection = parse_selection(filters, assistant.library.catalog.papers.has_author)
        return topic_map_json(map_library(assistant.library, assistant.settings.home, selection))

    return await queue.run(work)


@router.get("/papers/{paper_id}", response_model=library_models.PaperDetailJson, responses=_PAGE, tags=["Papers"])
def show_paper(
    paper_id: str,
    request: Request,
    backend: Backend,
    start: PassageOffset = None,
    end: PassageOffset = None,
    library: LibraryName = None,
) -> Any:
    """Return one paper with its tags and note, to a browser as a page; the beginning of its id is enough.

    The page highlights the passage of the abstract between two offsets, as the links of an answer have them.
    """
    catalog = backend.catalog_of(library)
    paper = catalog.papers.find(paper_id)
    if "text/html" not in request.headers.get("accept", ""):
        return paper_json(paper) | annotation_json(catalog.annotations.of(paper.id))
    page = transcripts.paper_page(paper, _passage(paper, start, end))
    return HTMLResponse(page, headers={"Content-Security-Policy": _PAGE_POLICY})


@router.post("/papers", response_model=library_models.AddedJson, tags=["Papers"])
async def add_papers(body: AddBody, backend: Backend, queue: Queue, _: Writer) -> Json:
    """Add papers, from the text of a file or as records."""
    return await queue.run(lambda: add(backend.assistant(body.library).library, body))


@router.delete("/papers/{paper_id}", status_code=204, tags=["Papers"])
async def delete_paper(
    paper_id: str, backend: Backend, queue: Queue, _: Writer, library: LibraryName = None
) -> Response:
    """Delete a paper, by its whole id."""
    await queue.run(lambda: _delete(backend.assistant(library).library, paper_id))
    return Response(status_code=204)


@router.get("/conversations", response_model=server_models.ConversationPageJson, tags=["Conversations"])
def list_conversations(
    backend: Backend,
    caller: Reader,
    words: Annotated[str, Query(alias="search", max_length=1000, description="Words that must occur.")] = "",
    offset: Offset = 0,
    limit: Limit = 20,
    library: LibraryName = None,
) -> Json:
    """List the caller's conversations with a library, the newest first."""
    conversations = backend.conversations(caller.owner, library)
    listed = conversations.recent(words, limit=limit, offset=offset)
    summaries = list(map(transcripts.summary_json, listed))
    return {"conversations": summaries, "offset": offset, "total": conversations.count(words)}


@router.get("/conversations/{conversation_id}", response_model=server_models.ConversationJson, tags=["Conversations"])
def show_conversation(conversation_id: str, backend: Backend, caller: Reader, library: LibraryName = None) -> Json:
    """Return a conversation with its turns; the beginning of its id is enough."""
    conversations = backend.conversations(caller.owner, library)
    conversation = conversations.find(conversation_id)
    turns = with_notices(conversations.turns(conversation.id), backend.catalog_of(library))
    return transcripts.conversation_json(conversation, turns)


@router.patch("/conversations/{conversation_id}", status_code=204, tags=["Conversations"])
def rename_conversation(
    conversation_id: str, body: RenameBody, backend: Backend, caller: Reader, library: LibraryName = None
) -> Response:
    """Give a conversation another title."""
    backend.conversations(caller.owner, library).rename(conversation_id, body.title)
    return Response(status_code=204)


@router.delete("/conversations/{conversation_id}", status_code=204, tags=["Conversations"])
def delete_conversation(
    conversation_id: str, backend: Backend, caller: Reader, library: LibraryName = None
) -> Response:
    """Delete a conversation, by its whole id."""
    backend.conversations(caller.owner, library).delete([conversation_id])
    return Response(status_code=204)


@router.get("/status", response_model=library_models.StatusJson, tags=["Server"])
def status(backend: Backend, library: LibraryName = None) -> Json:
    """Return the library at a glance."""
    summary = library_status.status_json(library_status.status(backend.settings_of(library)))
    return {name: value for name, value in summary.items() if name not in _UNSERVED}


@router.get("/health", response_model=server_models.HealthJson, tags=["Server"])
def health(backend: Backend) -> Json:
    """Return whether the server can answer. It needs no credentials."""
    return {"status": backend.state, "version": version("paperchat")}


@router.get("/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """Show a browser the description of this interface."""
    return HTMLResponse(reference_page(request.app.openapi()), headers={"Content-Security-Policy": _PAGE_POLICY})


def add(library: Library, body: AddBody) -> Json:
    """Add what a request hands over to the library, and return the report. Raises InputError, LibraryError."""
    from ingest import pipeline

    source = _source_name(body.name)
    if (body.content is None) == (not body.records):
        raise InputError("papers", "give either content, the text of a file, or records")
    if body.content is None:
        if not all(record.title or record.abstract for record in body.records):
            raise InputError("records", "each needs a title or an abstract")
        report = pipeline.ingest_records([record.value(source) for record in body.records], library)
    else:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / source
            file.write_text(body.content, encoding="utf-8")
            report = pipeline.ingest([file], library)
    counts = {name: getattr(report, name) for name in library_models.AddedJson.model_fields if name != "problems"}
    return counts | {"problems": [one_line(str(problem)) for problem in report.problems]}


def _passage(paper: Paper, start: int | None, end: int | None) -> list[Passage]:
    """Return the passage between two offsets; none where the abstract, which may have changed, has none there."""
    if start is not None and end is not None and start < end <= len(paper.abstract):
        return [Passage(paper.abstract[start:end], start, end)]
    return []


def _source_name(name: str) -> str:
    """Return the name without folders. Raises InputError where nothing is left that can name a file."""
    source = one_line(Path(name.replace("\\", "/")).name)
    if not source.strip(". "):
        raise InputError("name", f"{name!r} cannot name a source")
    return source


def _delete(library: Library, paper_id: str) -> bool:
    from ingest.maintenance import removal

    if not library.catalog.papers.get([paper_id]):
        raise NotFoundError(f"no paper has the id {paper_id!r}")
    removal.remove_papers(library, [paper_id])
    return True
