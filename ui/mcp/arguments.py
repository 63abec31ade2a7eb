"""The arguments of the tools. Their JSON schemas are what a model reads, so every word of them is paid for."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.serialization import Json
from ui.api.requests import RecordBody

_FILTERS = "filters: author:NAME, year:2020..2024, venue:NAME, collection:NAME, -WORD"


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

    question: str = Field(min_length=1, description=f"question; {_FILTERS}")
    earlier: list[str] = Field(default=[], max_length=50, description="questions before a follow-up, in order")
    ids: list[str] = Field(default=[], max_length=100, description="answer from these papers only")


class VerifyArguments(ToolArguments):
    """The arguments of `verify`."""

    text: str = Field(min_length=1)
    id: str = Field(default="", description="only this paper")
    bibliography: str | None = Field(default=None, description="BibTeX, to check citations too")


class SimilarArguments(ToolArguments):
    """The arguments of `similar`: a paper, or a text."""

    id: str = Field(default="", description="paper id")
    text: str = Field(default="", description="or a sentence, an abstract")


class TableArguments(ToolArguments):
    """The arguments of `table`: its columns, and what chooses its rows."""

    columns: list[str] = Field(description="questions, topics, year, venue")
    ids: list[str] = []
    filter: str = Field(default="", description="or words and filters")


class ListArguments(ToolArguments):
    """The arguments of `list`."""

    filter: str = Field(default="", description=f"words and {_FILTERS}")
    sort: Literal["id", "title", "author", "year", "venue", "added"] = "id"
    cursor: str = Field(default="", description="next_cursor of the last page")


class AddArguments(ToolArguments):
    """The arguments of `add`: papers, or the text of a file."""

    papers: list[RecordBody] = Field(default=[], max_length=100)
    file_text: str = Field(default="", max_length=4_000_000, description="or BibTeX, RIS, JSON, CSV, ...")
    file_name: str = Field(default="", max_length=200, description="its name, with extension")


def schema(model: type[BaseModel]) -> Json:
    """Return the JSON schema of a model, without what costs words and helps no reader.

    That is titles, descriptions of models, and null where a value may be left out; definitions stand where they are
    used.
    """
    full = model.model_json_schema()
    definitions = full.pop("$defs", {})
    compact: Json = _compact(full, definitions)
    return compact


def _compact(node: Any, definitions: Json) -> Any:
    if isinstance(node, list):
        return [_compact(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    node = _resolved(node, definitions)
    return {name: _compact(value, definitions) for name, value in node.items() if not _is_left_out(name, value, node)}


def _resolved(node: Json, definitions: Json) -> Json:
    """Return a schema in place of a reference to it, or of the choice between it and the null that is the default."""
    if "$ref" in node:
        definition: Json = definitions[node["$ref"].rsplit("/", 1)[1]]
        return definition | {name: value for name, value in node.items() if name != "$ref"}
    choices: list[Json] = [choice for choice in node.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1 and node.get("default", "") is None:
        return {name: value for name, value in node.items() if name not in ("anyOf", "default")} | choices[0]
    return node


def _is_left_out(name: str, value: Any, node: Json) -> bool:
    # A property may be called title: only the titles of schemas are texts.
    return (name == "title" and isinstance(value, str)) or (name == "description" and "properties" in node)
