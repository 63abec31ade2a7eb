"""Write the reference of the served JSON from its models: `python -m ui.api.reference > docs/json.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from ui.api import (
    draft_models,
    library_models,
    models,
    requests,
    server_models,
    sides_models,
    topic_models,
    watch_models,
)

_HEAD = """# The JSON of the API

Written by `python -m ui.api.reference` from the models that [the API](api.md) checks its replies with. Fields
may be added, never changed or removed."""
_BASES = (BaseModel, models.ServedModel, requests.RequestBody)


def reference() -> str:
    """Return the reference in Markdown: a table of fields for each model."""
    replies = list(
        _models(models, library_models, draft_models, server_models, sides_models, topic_models, watch_models)
    )
    parts = [_HEAD, "## Replies", *map(_section, replies), "## Requests", *map(_section, _models(requests))]
    return "\n\n".join(parts) + "\n"


def _models(*modules: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that the modules define, in their order."""
    for module in modules:
        for value in vars(module).values():
            is_model = isinstance(value, type) and issubclass(value, BaseModel)
            if is_model and value.__module__ == module.__name__ and value not in _BASES:
                yield value


def _section(model: type[BaseModel]) -> str:
    schema = model.model_json_schema(by_alias=True)
    required = set(schema.get("required", ()))
    rows = [
        f"| `{name}` | {_type(field)}{'' if name in required else ', optional'} | {field['description']} |"
        for name, field in schema["properties"].items()
    ]
    table = "\n".join(["| field | type | meaning |", "|---|---|---|", *rows])
    return f"### {model.__name__}\n\n{' '.join((model.__doc__ or '').split())}\n\n{table}"


def _type(field: dict[str, Any]) -> str:
    """Return the type of a field, with links to the models in it."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if name.endswith(("Json", "Body", "Turn")) else "string"
    if "anyOf" in field:
        return " or ".join(map(_type, field["anyOf"]))
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("type", "any value"))


if __name__ == "__main__":
    sys.stdout.write(reference())
