"""The JSON about a library as pydantic models: its papers with what persons added, collections, its state."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ui.api.models import PaperJson, ServedModel


class AnnotationJson(ServedModel):
    """What persons have added to a paper. It is theirs, and no evidence."""

    tags: list[str] = Field(description="Tags.")
    note: str | None = Field(description="Note.")
    collections: list[str] = Field(description="Names of the collections that it is in.")
    keywords: list[str] = Field(description="Tags from the files that it comes from.")
    citation_key: str | None = Field(None, description="Citation key in a reference manager; null without one.")


class PaperDetailJson(PaperJson):
    """A paper with what persons have added to it."""

    tags: list[str] = Field(description="Tags.")
    note: str | None = Field(description="Note.")
    collections: list[str] = Field(description="Names of the collections that it is in.")
    keywords: list[str] = Field(description="Tags from the files that it comes from.")
    citation_key: str | None = Field(None, description="Citation key in a reference manager; null without one.")


class CollectionJson(ServedModel):
    """A named set of papers."""

    id: str = Field(description="Id of the collection.")
    name: str = Field(description="Its name.")
    created: str = Field(description="Time of its creation, ISO 8601.")
    papers: int = Field(description="Number of its papers.")


class CollectionListJson(ServedModel):
    """The collections of a library."""

    collections: list[CollectionJson] = Field(description="The collections, by name.")


class SourceJson(ServedModel):
    """A source of papers."""

    name: str = Field(description="The file or service, or the library of Zotero.")
    papers: int = Field(description="Papers that it describes.")
    records: int = Field(description="Records that it has.")
    label: str = Field("", description="What a library of Zotero is called there; empty for other sources.")


class StatusJson(ServedModel):
    """The library at a glance."""

    name: str | None = Field(description="Name of the library; null for the default one.")
    papers: int = Field(description="Number of papers.")
    without_abstract: int = Field(description="Papers without an abstract, which are not searched.")
    waiting: int = Field(description="Papers that are still to be indexed.")
    bytes: int = Field(description="Size of its directory.")
    sources: list[SourceJson] = Field(description="Where the papers come from.")
    recipe: dict[str, Any] | None = Field(description="How the indexes were built; null before anything is indexed.")
    last_ingest: str | None = Field(description="Time of the last addition, ISO 8601.")


class PaperPageJson(ServedModel):
    """A page of a list of papers."""

    papers: list[PaperJson] = Field(description="The papers of this page.")
    offset: int = Field(description="Position of the first of them, from 0.")
    total: int = Field(description="Number of papers in the whole list.")


class AddedJson(ServedModel):
    """What became of records that were handed over."""

    records: int = Field(description="Records that were read.")
    added: int = Field(description="Records of new papers.")
    updated: int = Field(description="Records that changed a paper.")
    merged: int = Field(description="Records that joined a paper of another source.")
    unchanged: int = Field(description="Records that were there already.")
    without_abstract: int = Field(description="Records without an abstract, which are not searched.")
    skipped: int = Field(description="Records that could not be read.")
    indexed: int = Field(description="Papers that were indexed.")
    problems: list[str] = Field(description="What could not be read, and why.")
