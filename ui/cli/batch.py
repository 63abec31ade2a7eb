"""Batches: one JSON line in, one out, in the same order; a bad line does not stop the run."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.disagreement.serialization import sides_json
from assistant.errors import InputError, PaperchatError
from assistant.schema import Scope, Turn
from assistant.serialization import Json, answer_json, search_json, verification_json

if TYPE_CHECKING:
    from assistant.chat import Assistant


def run(lines: Iterable[str], reply: Callable[[Json], Json]) -> Iterator[Json]:
    """Yield a reply, or `{"id"?, "error"}`, for each line that is not empty; `id` is passed through."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _reply(number, line, reply)


@contextmanager
def open_lines(file: str) -> Iterator[Iterable[str]]:
    """Open a file of JSON Lines, or standard input for `-`. Raises InputError where it cannot be read."""
    if file == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
        yield sys.stdin
        return
    try:
        opened = Path(file).open(encoding="utf-8-sig", errors="replace")  # noqa: SIM115 - closed below
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}") from error
    with opened as lines:
        yield lines


def ask(assistant: Assistant) -> Callable[[Json], Json]:
    """Return a function that answers `{"question"}`, or `{"questions": [...]}` as a dialog.

    In a dialog each question sees the turns before it. `{"pin": [ids], "exclude": [ids]}` set the scope of a request.
    """

    def reply(request: Json) -> Json:
        if "questions" in request:
            return {"answers": _dialog(assistant, _texts(request["questions"], "questions"), _scope(request))}
        return answer_json(assistant.ask(_question(request), scope=_scope(request)))

    return reply


def search(assistant: Assistant) -> Callable[[Json], Json]:
    """Return a function that searches for `{"question"}`; the scope is as in `ask`."""
    return lambda request: search_json(assistant.search(_question(request), scope=_scope(request)))


def verify(assistant: Assistant) -> Callable[[Json], Json]:
    """Return a function that verifies `{"claim"}` by the library, a `"paper_id"` or an `"abstract"`."""

    def reply(request: Json) -> Json:
        claim = _text(request, "claim")
        paper_id, abstract = _optional(request, "paper_id"), _optional(request, "abstract")
        return verification_json(assistant.verify(claim, paper_id, abstract))

    return reply


def sides(assistant: Assistant) -> Callable[[Json], Json]:
    """Return a function that shows both sides of `{"claim"}`; the scope is as in `ask`."""
    return lambda request: sides_json(assistant.sides(_text(request, "claim"), _scope(request)))


def _reply(number: int, line: str, reply: Callable[[Json], Json]) -> Json:
    identity: Json = {}
    try:
        request = _request(line)
        identity = {"id": request["id"]} if "id" in request else {}
        return identity | reply(request)
    except (ValueError, PaperchatError) as error:
        return identity | {"error": f"line {number}: {error}"}


def _request(line: str) -> Json:
    try:
        request = json.loads(line, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(request, dict):
        raise ValueError('expected an object like {"id": 1, "question": "..."}')
    return request


def _finite(digits: str) -> float:
    return float(digits) if math.isfinite(float(digits)) else _refuse_constant(digits)


def _refuse_constant(digits: str) -> float:
    raise ValueError(f"{digits} is not a JSON number")


def _question(request: Json) -> str:
    return _text(request, "question")


def _text(request: Json, name: str) -> str:
    if not isinstance(request.get(name), str):
        raise ValueError(f'"{name}" is missing or not a text')
    return str(request[name])


def _optional(request: Json, name: str) -> str | None:
    return _text(request, name) if request.get(name) is not None else None


def _texts(texts: Any, name: str) -> list[str]:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f'"{name}" is not a list of texts')
    return texts


def _scope(request: Json) -> Scope:
    pinned, excluded = (tuple(_texts(request.get(name, []), name)) for name in ("pin", "exclude"))
    return Scope(pinned, excluded)


def _dialog(assistant: Assistant, questions: list[str], scope: Scope) -> list[Json]:
    turns: list[Turn] = []
    for question in questions:
        turns.append(Turn(question, assistant.ask(question, turns, scope)))
    return [answer_json(turn.answer) for turn in turns]
