"""The parts of the page and where they stand: conversations left, chat in the middle, papers right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.schema import EVERYTHING
from ui.page.session import Choices, Open

SCRIPT = Path(__file__).with_name("page.js")
_MATHEMATICS: list[dict[str, str | bool]] = [{"left": "\\(", "right": "\\)", "display": False}]
_MASTHEAD = (
    '<h1>paperchat</h1><p class="quiet">Every statement leads to the sentence behind it.</p>'
    '<p id="notice" role="status" aria-live="polite"></p>'
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What events read and change. `bridge` hands pressed buttons on, and messages to the page's script."""

    open: gr.State
    scope: gr.State
    choices: gr.State
    new: gr.Button
    words: gr.Textbox
    history: gr.HTML
    talk: gr.Markdown
    now: gr.Markdown
    looking: gr.HTML
    box: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    evidence: gr.Markdown
    bridge: gr.HTML

    @property
    def shown(self) -> list[Any]:
        """The parts that a `View` is about, in its order."""
        states = [self.open, self.scope]
        return [*states, self.box, self.talk, self.now, self.evidence, self.history, self.looking, self.bridge]


def chat() -> Parts:
    """The three columns."""
    states: dict[str, Any] = {"open": gr.State(Open()), "scope": gr.State(EVERYTHING), "choices": gr.State(Choices())}
    with gr.Row(elem_id="columns"):
        with gr.Column(elem_id="left", min_width=0):
            left = _left()
        with gr.Column(elem_id="middle", min_width=0):
            middle = _middle()
        with gr.Column(elem_id="right", min_width=0):
            evidence = _prose("evidence")
    # Its script may be long, but nothing of it is ever seen.
    bridge = gr.HTML(None, html_template="", js_on_load=SCRIPT.read_text(encoding="utf-8"), elem_id="bridge")
    return Parts(**states, **left, **middle, evidence=evidence, bridge=bridge)


def masthead() -> None:
    """The name of the page, and where short messages are read out."""
    gr.HTML(_MASTHEAD, elem_id="masthead")


def _left() -> dict[str, Any]:
    return {
        "new": gr.Button("New chat", elem_id="new", size="sm"),
        "words": gr.Textbox(
            label="Search conversations", show_label=False, container=False, placeholder="Search", elem_id="words"
        ),
        "history": gr.HTML(elem_id="history"),
    }


def _middle() -> dict[str, Any]:
    with gr.Column(elem_id="talking", min_width=0):
        parts: dict[str, Any] = {"talk": _prose("talk"), "now": _prose("now")}
    parts["looking"] = gr.HTML(elem_id="looking")
    with gr.Row(elem_id="asking"):
        parts["box"] = gr.Textbox(
            label="Question",
            show_label=False,
            container=False,
            placeholder="Ask the abstracts ...",
            max_lines=6,
            autofocus=True,
            elem_id="question",
        )
        parts["ask"] = gr.Button("Ask", variant="primary", elem_id="ask", scale=0, min_width=80)
        parts["stop"] = gr.Button("Stop", elem_id="stop", scale=0, min_width=80)
    return parts


def _prose(name: str) -> gr.Markdown:
    """Our own HTML with mathematics in it; sanitised by the browser once more."""
    return gr.Markdown(elem_id=name, latex_delimiters=_MATHEMATICS, sanitize_html=True)
