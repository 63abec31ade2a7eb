"""Which event of the page leads to what. What an event does is in `ui.page.asking` and `ui.page.actions`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import gradio as gr

from assistant.errors import PaperchatError
from assistant.schema import Scope
from ui.page import actions
from ui.page.asking import ask, stopped
from ui.page.backend import Backend
from ui.page.cookies import conversation_owner
from ui.page.layout import Parts
from ui.page.page_context import Desk
from ui.page.session import Choices, Open, View

QUIETLY: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def bind(page: gr.Blocks, parts: Parts, backend: Backend) -> None:
    """Give every part of the chat its events."""
    states = [parts.open, parts.scope, parts.choices]

    def desk(request: gr.Request, open: Open, scope: Scope, choices: Choices) -> Desk:
        return Desk(backend, owner_of(request), open, scope, choices)

    def load(open: Open, scope: Scope, choices: Choices, request: gr.Request) -> list[Any]:
        begun = desk(request, open, scope, choices)
        return shown(_resumed(begun, request.query_params.get("talk", "")))

    def respond(question: str, open: Open, scope: Scope, choices: Choices, request: gr.Request) -> Iterator[list[Any]]:
        yield from map(shown, ask(desk(request, open, scope, choices), question))

    def press(
        open: Open, scope: Scope, choices: Choices, event: gr.EventData, request: gr.Request
    ) -> Iterator[list[Any]]:
        pressed = [str(event._data.get(key) or "") for key in ("name", "value", "text")]
        yield from map(shown, actions.act(desk(request, open, scope, choices), *pressed))

    def stop(open: Open, scope: Scope, choices: Choices, request: gr.Request) -> list[Any]:
        return shown(stopped(desk(request, open, scope, choices)))

    def start_anew(open: Open, scope: Scope, choices: Choices, request: gr.Request) -> Iterator[list[Any]]:
        yield from map(shown, actions.act(desk(request, open, scope, choices), "new", ""))

    def search(words: str, open: Open, request: gr.Request) -> str:
        return Desk(backend, owner_of(request), open).history(words)

    page.load(load, states, parts.shown, **QUIETLY)
    asked = gr.on([parts.box.submit, parts.ask.click], respond, [parts.box, *states], parts.shown, **QUIETLY)
    pressed = parts.bridge.act(press, states, parts.shown, trigger_mode="multiple", **QUIETLY)
    parts.stop.click(stop, states, parts.shown, cancels=[asked, pressed], **QUIETLY)
    parts.new.click(start_anew, states, parts.shown, **QUIETLY)
    parts.words.change(search, [parts.words, parts.open], parts.history, trigger_mode="always_last", **QUIETLY)


def owner_of(request: gr.Request) -> str:
    """Who sends an event; a browser that keeps no cookie is somebody for as long as its page is open."""
    return conversation_owner(request.cookies, request.username) or f"visit:{request.session_hash}"


def shown(view: View) -> list[Any]:
    """A view as gradio wants it."""
    values = (getattr(view, field.name) for field in fields(View))
    named = [gr.skip() if value is None else value for value in values]
    if view.message is not None:
        named[-1] = stamped(view.message)
    return named


def stamped(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message to the page's script; two equal ones, one after the other, are two."""
    return {**message, "stamp": secrets.token_hex(4)}


def _resumed(desk: Desk, conversation_id: str) -> View:
    """The conversation that the page's address names, or a new one."""
    try:
        found = desk.conversations.find(conversation_id) if conversation_id else None
        return replace(desk, open=Open(found.id if found else None)).whole()
    except PaperchatError:
        return desk.whole()
