"""The reference of the API as one HTML page, made from its OpenAPI description: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from assistant.serialization import Json
from ui.export.transcripts import page_html

_TITLE = "The API of paperchat"


def reference_page(description: Json) -> str:
    """Return the page of an OpenAPI description: its requests, then the fields of its models."""
    operations = [
        (method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = description["components"]["schemas"]
    about = (
        f"<p>{escape(description['info']['summary'])} The same for machines: <a href=openapi.json>openapi.json</a>.</p>"
    )
    requests = "".join(_operation(*parts) for parts in operations)
    models = "".join(_model(name, schema) for name, schema in schemas.items())
    return page_html(_TITLE, f"{about}<h2>Requests</h2>{requests}<h2>Models</h2>{models}")


def _operation(method: str, path: str, operation: Json) -> str:
    heading = f"<h3><code>{method.upper()} {escape(path)}</code></h3>"
    paragraphs = "".join(f"<p>{_prose(part)}</p>" for part in operation.get("description", "").split("\n\n") if part)
    parts = [heading, paragraphs, _parameters(operation.get("parameters", ())), *_contents(operation)]
    return f"<section class=card>{''.join(parts)}</section>"


def _parameters(parameters: Iterable[Json]) -> str:
    return _table((part["name"], _type(part["schema"]), part["required"], _meaning(part)) for part in parameters)


def _contents(operation: Json) -> Iterator[str]:
    """Yield a line on the body of the request, and on each kind of reply."""
    if body := operation.get("requestBody"):
        yield f"<p>Body: {_kinds(body['content'])}</p>"
    for status, reply in operation["responses"].items():
        name = "Error" if status == "default" else status
        yield f"<p>{escape(name)}: {_kinds(reply.get('content', {})) or escape(reply['description'])}</p>"


def _kinds(content: Json) -> str:
    return ", ".join(f"{_type(kind.get('schema', {}))} ({escape(media)})" for media, kind in content.items())


def _model(name: str, schema: Json) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (field, _type(part), field in required, part.get("description", ""))
        for field, part in schema.get("properties", {}).items()
    ]
    values = f"<p>{escape(', '.join(map(str, schema['enum'])))}</p>" if "enum" in schema else ""
    about = f"<p>{_prose(schema.get('description', ''))}</p>"
    return f'<section class=card id="{escape(name)}"><h3>{escape(name)}</h3>{about}{values}{_table(rows)}</section>'


def _table(rows: Iterable[tuple[str, str, bool, str]]) -> str:
    """Return a table of names with their types, whether each is required, and what it means."""
    lines = "".join(
        f"<tr><th><code>{escape(name)}</code></th><td>{kind}{'' if is_required else ', optional'}</td>"
        f"<td>{_prose(meaning)}</td></tr>"
        for name, kind, is_required, meaning in rows
    )
    return f"<div class=papers><table>{lines}</table></div>" if lines else ""


def _type(schema: Json) -> str:
    """Return the type that a schema describes, as HTML with links to the models in it."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return " or ".join(map(_type, schema[choice]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        return escape(" or ".join(map(str, schema["enum"])))
    return escape(str(schema.get("type", "any value")))


def _meaning(parameter: Json) -> str:
    return str(parameter.get("description") or parameter["schema"].get("description", ""))


def _prose(text: Any) -> str:
    """Return prose in which words between backquotes are code."""
    pieces = str(text).split("`")
    return "".join(
        f"<code>{escape(piece)}</code>" if index % 2 else escape(piece) for index, piece in enumerate(pieces)
    )
