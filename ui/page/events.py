"""Connect the events of the chat with what they do, which is in `ui.page.asking` and `ui.page.actions`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, cast

import gradio as gr

from assistant.errors import PaperchatError
from assistant.schema import Scope
from ui.page.actions import handle_action
from ui.page.asking import ask, stop
from ui.page.backend import PageBackend
from ui.page.cookies import conversation_owner
from ui.page.layout import ChatParts
from ui.page.page_context import PageContext
from ui.page.session import OpenConversation, PageUpdate, TabSettings
from ui.page.write_controls import style_html
from ui.permissions import Permissions
from ui.request_context import on_behalf_of

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
Outputs = list[Any]
MakeContext = Callable[..., PageContext]


def bind_events(page: gr.Blocks, parts: ChatParts, backend: PageBackend) -> None:
    """Give every part of the chat its events."""

    def context(
        request: gr.Request, conversation: OpenConversation, scope: Scope, settings: TabSettings
    ) -> PageContext:
        return PageContext(backend, request_owner(request), conversation, scope, settings, permissions_of(request))

    _bind_questions(parts, context)
    _bind_conversations(page, parts, context)


def _bind_questions(parts: ChatParts, context: MakeContext) -> None:
    def respond(
        question: str, conversation: OpenConversation, scope: Scope, settings: TabSettings, request: gr.Request
    ) -> Iterator[Outputs]:
        updates = ask(context(request, conversation, scope, settings), question)
        yield from map(to_outputs, on_behalf_of(request.state.request, updates))

    def press(
        conversation: OpenConversation, scope: Scope, settings: TabSettings, event: gr.EventData, request: gr.Request
    ) -> Iterator[Outputs]:
        pressed = [str(event._data.get(key) or "") for key in ("name", "value", "text")]
        updates = handle_action(context(request, conversation, scope, settings), *pressed)
        yield from map(to_outputs, on_behalf_of(request.state.request, updates))

    def halt(conversation: OpenConversation, scope: Scope, settings: TabSettings, request: gr.Request) -> Outputs:
        return to_outputs(stop(context(request, conversation, scope, settings)))

    states = [parts.conversation, parts.scope, parts.settings]
    inputs = [parts.question, *states]
    sent = gr.on([parts.question.submit, parts.ask.click], respond, inputs, parts.outputs, **QUIET)
    pressed = parts.bridge.act(press, states, parts.outputs, trigger_mode="multiple", **QUIET)
    parts.stop.click(halt, states, parts.outputs, cancels=[sent, pressed], **QUIET)


def _bind_conversations(page: gr.Blocks, parts: ChatParts, context: MakeContext) -> None:
    def load(conversation: OpenConversation, scope: Scope, settings: TabSettings, request: gr.Request) -> Outputs:
        loaded = context(request, conversation, scope, settings)
        return to_outputs(_resume(loaded, request.query_params.get("talk", "")))

    def start_new(conversation: OpenConversation, scope: Scope, settings: TabSettings, request: gr.Request) -> Outputs:
        return to_outputs(context(request, conversation, scope, settings).show_conversation(None, question=""))

    def search(
        words: str, conversation: OpenConversation, scope: Scope, settings: TabSettings, request: gr.Request
    ) -> str:
        return context(request, conversation, scope, settings).history_html(words)

    states = [parts.conversation, parts.scope, parts.settings]
    page.load(load, states, parts.outputs, **QUIET)
    parts.new.click(start_new, states, parts.outputs, **QUIET)
    inputs = [parts.history_words, *states]
    parts.history_words.change(search, inputs, parts.history, trigger_mode="always_last", **QUIET)


def bind_permissions(page: gr.Blocks) -> None:
    """Hide from a visitor what is not allowed; the server refuses it as well."""

    def hide(request: gr.Request) -> str:
        return style_html(permissions_of(request))

    page.load(hide, None, gr.HTML(elem_id="permissions"), **QUIET)


def request_owner(request: gr.Request) -> str:
    """Return the owner of an event's conversations; without a cookie, it is the visit to the page."""
    return conversation_owner(request.cookies, request.username) or f"visit:{request.session_hash}"


def permissions_of(request: gr.Request) -> Permissions:
    """Return what the sender of an event may do, as `ui.page.middleware.VisitorCheck` has found."""
    return cast("Permissions", request.state.permissions)


def to_outputs(update: PageUpdate) -> Outputs:
    """Return the fields of an update as gradio takes them."""
    values = (getattr(update, field.name) for field in fields(PageUpdate))
    outputs = [gr.skip() if value is None else value for value in values]
    if update.message is not None:
        outputs[-1] = stamped(update.message)
    return outputs


def stamped(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message to the page's script that differs from an equal one before it."""
    return {**message, "stamp": secrets.token_hex(4)}


def _resume(context: PageContext, conversation_id: str) -> PageUpdate:
    """Return the conversation that the page's address names, or a new one."""
    try:
        if conversation_id:
            return context.reopen(context.conversations.find(conversation_id).id)
        return context.show_conversation(None)
    except PaperchatError:
        return context.show_all()
