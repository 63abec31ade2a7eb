"""The arguments of the tools. Their JSON schemas are what a model reads, so every word of them is paid for."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.serialization import Json

_FILTERS = "filters: author:NAME, year:2020..2024, venue:NAME, -WORD"


class ToolArguments(BaseModel):
    """The arguments of a tool: nothing is converted, and unknown names are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SearchArguments(ToolArguments):
    """The arguments of `search`."""

    query: str = Field(min_length=1, description=f"question or keywords; {_FILTERS}")


class FetchArguments(ToolArguments):
    """The arguments of `fetch`."""

    id: str = Field(min_length=1, description="paper id")


class AskArguments(ToolArguments):
    """The arguments of `ask`."""

    question: str = Field(min_length=1, description=f"standalone question; {_FILTERS}")
    ids: list[str] = Field(default=[], max_length=100, description="answer from these papers only")


class VerifyArguments(ToolArguments):
    """The arguments of `verify`."""

    text: str = Field(min_length=1, description="one or more sentences")
    id: str = Field(default="", description="check against this paper only")


class SimilarArguments(ToolArguments):
    """The arguments of `similar`: a paper, or a text."""

    id: str = Field(default="", description="paper id")
    text: str = Field(default="", description="or a sentence, an abstract")


class ListArguments(ToolArguments):
    """The arguments of `list`."""

    filter: str = Field(default="", description=f"words and {_FILTERS}")
    sort: Literal["id", "title", "author", "year", "venue", "added"] = "id"
    cursor: str = Field(default="", description="next_cursor of the last page")


class PaperArguments(ToolArguments):
    """The description of a paper to add."""

    abstract: str = Field(default="", max_length=50_000)
    title: str = Field(default="", max_length=2000)
    authors: list[str] = Field(default=[], max_length=1000)
    year: int | None = Field(default=None, ge=1000, le=3000)
    venue: str = ""
    doi: str = ""
    arxiv_id: str = ""
    url: str = ""


class AddArguments(ToolArguments):
    """The arguments of `add`: papers, or the text of a file."""

    papers: list[PaperArguments] = Field(default=[], max_length=100)
    file_text: str = Field(default="", max_length=4_000_000, description="or BibTeX, RIS, JSON, CSV, ...")
    file_name: str = Field(default="", max_length=200, description="its name, with extension")


def schema(arguments: type[BaseModel]) -> Json:
    """Return the JSON schema of a model without titles, and with definitions where they are used."""
    full = arguments.model_json_schema()
    definitions = full.pop("$defs", {})
    compact: Json = _compact(full, definitions)
    compact.pop("description", None)
    return compact


def _compact(node: Any, definitions: Json) -> Any:
    if isinstance(node, list):
        return [_compact(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        definition = definitions[node["$ref"].rsplit("/", 1)[1]]
        return _compact({name: value for name, value in definition.items() if name != "description"}, definitions)
    # A property may be called title: only the titles of schemas are texts.
    return {
        name: _compact(value, definitions)
        for name, value in node.items()
        if not (name == "title" and isinstance(value, str))
    }
