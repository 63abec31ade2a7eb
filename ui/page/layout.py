"""The parts of the page and their layout: conversations left, chat in the middle, papers right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.schema import EVERYTHING
from ui.page.session import OpenConversation, TabSettings

SCRIPT = Path(__file__).with_name("page.js")
_FORMULAS: list[dict[str, str | bool]] = [{"left": "\\(", "right": "\\)", "display": False}]
_MASTHEAD = (
    '<h1>paperchat</h1><p class="quiet">Every statement leads to the sentence behind it.</p>'
    '<p id="notice" role="status" aria-live="polite"></p>'
)


@dataclass(frozen=True, slots=True)
class ChatParts:
    """What events read and change. `bridge` passes pressed buttons on, and messages to the page's script."""

    conversation: gr.State
    scope: gr.State
    settings: gr.State
    new: gr.Button
    history_words: gr.Textbox
    history: gr.HTML
    turns: gr.Markdown
    pending: gr.Markdown
    scope_bar: gr.HTML
    question: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    evidence: gr.Markdown
    bridge: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        """Return the parts that a `PageUpdate` changes, in the order of its fields."""
        content = [self.question, self.turns, self.pending, self.evidence, self.history, self.scope_bar]
        return [self.conversation, self.scope, *content, self.bridge]


def build_chat() -> ChatParts:
    """Build the three columns."""
    states: dict[str, Any] = {
        "conversation": gr.State(OpenConversation()),
        "scope": gr.State(EVERYTHING),
        "settings": gr.State(TabSettings()),
    }
    with gr.Row(elem_id="columns"):
        with gr.Column(elem_id="left", min_width=0):
            left = _build_left()
        with gr.Column(elem_id="middle", min_width=0):
            middle = _build_middle()
        with gr.Column(elem_id="right", min_width=0):
            evidence = _markdown("evidence")
    # An invisible part, whose script may be long.
    bridge = gr.HTML(None, html_template="", js_on_load=SCRIPT.read_text(encoding="utf-8"), elem_id="bridge")
    return ChatParts(**states, **left, **middle, evidence=evidence, bridge=bridge)


def build_masthead() -> None:
    """Build the name of the page, and the line in which short messages are read out."""
    gr.HTML(_MASTHEAD, elem_id="masthead")


def _build_left() -> dict[str, Any]:
    return {
        "new": gr.Button("New chat", elem_id="new", size="sm"),
        "history_words": gr.Textbox(
            label="Search conversations", show_label=False, container=False, placeholder="Search", elem_id="words"
        ),
        "history": gr.HTML(elem_id="history"),
    }


def _build_middle() -> dict[str, Any]:
    with gr.Column(elem_id="talking", min_width=0):
        parts: dict[str, Any] = {"turns": _markdown("talk"), "pending": _markdown("now")}
    parts["scope_bar"] = gr.HTML(elem_id="looking")
    with gr.Row(elem_id="asking"):
        parts["question"] = _build_question()
        parts["ask"] = gr.Button("Ask", variant="primary", elem_id="ask", scale=0, min_width=80)
        parts["stop"] = gr.Button("Stop", elem_id="stop", scale=0, min_width=80)
    return parts


def _build_question() -> gr.Textbox:
    return gr.Textbox(
        label="Question",
        show_label=False,
        container=False,
        placeholder="Ask the abstracts ...",
        max_lines=6,
        autofocus=True,
        elem_id="question",
    )


def _markdown(elem_id: str) -> gr.Markdown:
    """Build a part for our own HTML with formulas in it, which the browser sanitises once more."""
    return gr.Markdown(elem_id=elem_id, latex_delimiters=_FORMULAS, sanitize_html=True)
