"""The JSON API of what persons add to papers: collections, tags, notes. Changes need a token of scope write."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from assistant.errors import InputError
from assistant.question.filters import parse_selection
from assistant.schema import Scope, Selection, Sort
from assistant.serialization import Json, annotation_json, collection_json, paper_json
from assistant.storage.catalog import Catalog
from ui import collecting
from ui.api import library_models
from ui.api.context import Backend, Writer
from ui.api.library_routes import LibraryName, Limit, Offset
from ui.api.requests import CollectionBody, MembersBody, NameBody, NoteBody, TagsBody

router = APIRouter(tags=["Collections"])
_MAX_IDS = 1000
PaperIds = Annotated[list[str], Query(alias="id", max_length=_MAX_IDS, description="Ids of papers.")]
Matching = Annotated[str, Query(alias="filter", max_length=4000, description="Words and filters.")]


@router.get("/collections", response_model=library_models.CollectionListJson)
def list_collections(backend: Backend, library: LibraryName = None) -> Json:
    """List the collections, by name."""
    return {"collections": list(map(collection_json, backend.catalog_of(library).collections.all()))}


@router.post("/collections", response_model=library_models.CollectionJson, status_code=201)
def create_collection(body: CollectionBody, backend: Backend, _: Writer, library: LibraryName = None) -> Json:
    """Create a collection, empty or of these papers."""
    catalog = backend.catalog_of(library)
    return collection_json(catalog.collections.create(body.name, _selected(catalog, body.ids, body.filter)))


@router.get("/collections/{collection}", response_model=library_models.CollectionJson)
def show_collection(collection: str, backend: Backend, library: LibraryName = None) -> Json:
    """Return a collection, by its id or its name."""
    return collection_json(backend.catalog_of(library).collections.find(collection))


@router.patch("/collections/{collection}", response_model=library_models.CollectionJson)
def rename_collection(
    collection: str, body: NameBody, backend: Backend, _: Writer, library: LibraryName = None
) -> Json:
    """Give a collection another name."""
    collections = backend.catalog_of(library).collections
    renamed = collections.find(collection).id
    collections.rename(renamed, body.name)
    return collection_json(collections.find(renamed))


@router.delete("/collections/{collection}", status_code=204)
def delete_collection(collection: str, backend: Backend, _: Writer, library: LibraryName = None) -> Response:
    """Delete a collection; its papers stay in the library."""
    collections = backend.catalog_of(library).collections
    collections.delete(collections.find(collection).id)
    return Response(status_code=204)


@router.get("/collections/{collection}/papers", response_model=library_models.PaperPageJson)
def list_members(
    collection: str,
    backend: Backend,
    matching: Matching = "",
    sort: Annotated[Sort, Query(description="Sort by this field.")] = Sort.YEAR,
    reverse: Annotated[bool, Query(description="Reverse the order.")] = False,
    offset: Offset = 0,
    limit: Limit = 50,
    library: LibraryName = None,
) -> Json:
    """List the papers of a collection, or those that match."""
    catalog = backend.catalog_of(library)
    selection = parse_selection(matching, catalog.papers.has_author)
    filters = selection.filters.within(Scope(collections=(catalog.collections.find(collection).name,)))
    page = catalog.papers.page(Selection(filters, selection.words), sort, reverse=reverse, offset=offset, limit=limit)
    return {"papers": list(map(paper_json, page.papers)), "offset": page.offset, "total": page.total}


@router.post("/collections/{collection}/papers", response_model=library_models.CollectionJson)
def add_members(collection: str, body: MembersBody, backend: Backend, _: Writer, library: LibraryName = None) -> Json:
    """Add papers to a collection, all of them or none."""
    catalog = backend.catalog_of(library)
    found = catalog.collections.find(collection)
    catalog.collections.add(found.id, _require_some(_selected(catalog, body.ids, body.filter)))
    return collection_json(catalog.collections.find(found.id))


@router.delete("/collections/{collection}/papers", response_model=library_models.CollectionJson)
def remove_members(
    collection: str,
    backend: Backend,
    _: Writer,
    paper_ids: PaperIds = [],  # noqa: B006 - FastAPI copies it
    matching: Matching = "",
    library: LibraryName = None,
) -> Json:
    """Remove papers from a collection, by id or filter; they stay in the library."""
    catalog = backend.catalog_of(library)
    found = catalog.collections.find(collection)
    catalog.collections.remove(found.id, _require_some(_selected(catalog, paper_ids, matching)))
    return collection_json(catalog.collections.find(found.id))


@router.put("/papers/{paper_id}/tags", response_model=library_models.AnnotationJson)
def set_tags(paper_id: str, body: TagsBody, backend: Backend, _: Writer, library: LibraryName = None) -> Json:
    """Give a paper these tags in place of those that it has."""
    catalog = backend.catalog_of(library)
    paper = catalog.papers.find(paper_id)
    catalog.annotations.set_tags(paper.id, body.tags)
    return annotation_json(catalog.annotations.of(paper.id))


@router.put("/papers/{paper_id}/note", response_model=library_models.AnnotationJson)
def set_note(paper_id: str, body: NoteBody, backend: Backend, _: Writer, library: LibraryName = None) -> Json:
    """Set the note of a paper; an empty text deletes it."""
    catalog = backend.catalog_of(library)
    paper = catalog.papers.find(paper_id)
    catalog.annotations.set_note(paper.id, body.text)
    return annotation_json(catalog.annotations.of(paper.id))


def _selected(catalog: Catalog, paper_ids: list[str], filters: str) -> list[str]:
    matching = collecting.matching_ids(catalog, filters) if filters else []
    return list(dict.fromkeys([*catalog.papers.resolve(paper_ids), *matching]))


def _require_some(selected: list[str]) -> list[str]:
    if not selected:
        raise InputError("collection", "no paper is selected: give ids or a filter that select any")
    return selected
