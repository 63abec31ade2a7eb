"""The types of columns, stored alike by SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine

# PostgreSQL refuses NUL in texts; nothing that is stored has it, so that what is looked for with it is not found.
_STAND_IN = "\N{REPLACEMENT CHARACTER}"
# How NUL, and the beginnings of surrogates, are escaped in JSON; of the latter, PostgreSQL reads pairs only.
_REFUSED = (r"\u0000", r"\ud")


class Text(TypeDecorator[str]):
    """Texts, which are compared by code points."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[str]:
        """Return the database's type: PostgreSQL compares by the rules of a language unless it is told otherwise."""
        return dialect.type_descriptor(sa.Text(collation="C") if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Return the text without NUL where the database takes none."""
        return value.replace("\0", _STAND_IN) if value and dialect.name == "postgresql" else value


class Json(TypeDecorator[Any]):
    """Values as JSON text, which can be compared and searched; None as NULL."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Return the value as JSON in ASCII, of which the functions of the database can read every text."""
        if value is None:
            return None
        text = json.dumps(value)
        is_refused = dialect.name == "postgresql" and any(escape in text for escape in _REFUSED)
        return json.dumps(_readable(value)) if is_refused else text

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        """Return the value of a JSON text."""
        return None if value is None else json.loads(value)


def _readable(value: Any) -> Any:
    """Return the value of a JSON text without NUL and without halves of surrogate pairs."""
    if isinstance(value, str):
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", _STAND_IN)
    if isinstance(value, Mapping):
        return {_readable(name): _readable(item) for name, item in value.items()}
    return [_readable(item) for item in value] if isinstance(value, list | tuple) else value
