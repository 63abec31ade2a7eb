"""The settings tab: what a person may choose for this tab of the browser, and for nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.errors import PaperchatError
from assistant.question import filters
from assistant.schema import SINGLE, Message
from assistant.settings import Settings
from ui.page import render
from ui.page.backend import PageBackend
from ui.page.events import QUIET
from ui.page.session import TabSettings
from ui.page.turns import button

_GREETING = [Message("user", "Reply with the word: ready")]
# What the settings name, as the page does.
_STRATEGIES = (
    ("one reply", SINGLE),
    ("the supported sentences of several drafts", "best-of-n"),
    ("several drafts, put together", "self-moa"),
    ("a draft whose unsupported sentences are written again", "refine"),
)
_THEME = (
    '<fieldset class="theme"><legend>Colours</legend>'
    '<label><input type="radio" name="theme" value="" checked> as the system</label>'
    '<label><input type="radio" name="theme" value="light"> light</label>'
    '<label><input type="radio" name="theme" value="dark"> dark</label></fieldset>'
)


@dataclass(frozen=True, slots=True)
class _ModelParts:
    """The choice of a model and the test of its connection."""

    llm: gr.Dropdown
    strategy: gr.Dropdown
    test: gr.Button
    result: gr.HTML


def build(backend: PageBackend, tab_settings: gr.State) -> None:
    """Build the tab with its events."""
    model = _build_model(backend.settings)
    inputs: list[Any] = [model.llm, model.strategy, *_build_search(backend.settings)]
    gr.HTML(_THEME, elem_id="theme")
    gr.HTML(button("judgements", "", "Export judged answers as questions for evaluation"))
    notice = gr.HTML(elem_id="chosen")

    def choose(*values: Any) -> tuple[TabSettings, str]:
        chosen = tab_settings_of(backend.settings, *values)
        try:
            filters.parse(chosen.filters)
            backend.apply(chosen)
        except PaperchatError as error:
            return TabSettings(), render.error_html(f"Not used: {error}")
        return chosen, "<p>Used from the next question on, in this tab of the browser.</p>"

    def connect(llm: str) -> str:
        return f"<p>{render.plain_html(test_connection(backend, llm))}</p>"

    for part in inputs:
        part.change(choose, inputs, [tab_settings, notice], **QUIET)
    model.test.click(connect, model.llm, model.result, **QUIET)


def tab_settings_of(
    server: Settings, llm: str, strategy: str, top_k: float, max_sentences: float, threshold: float, always: str
) -> TabSettings:
    """Return the values of the tab; the server's own model and strategy count as unchanged."""
    return TabSettings(
        llm=None if llm == server.llm else llm,
        top_k=int(top_k),
        max_sentences=int(max_sentences),
        tentative_threshold=float(threshold),
        filters=always.strip(),
        strategy=None if strategy == server.strategy else strategy,
    )


def test_connection(backend: PageBackend, llm: str) -> str:
    """Tell whether a model answers."""
    try:
        model = backend.assistant(TabSettings(llm=llm)).llm
        if model is None:
            return "Nothing to connect to: quoting needs no model."
        reply = next(iter(model.stream(_GREETING)), "")
    except PaperchatError as error:
        return f"No answer: {error}"
    return "It answers." if reply else "It is there, but returned no text."


def _build_model(settings: Settings) -> _ModelParts:
    llm = gr.Dropdown(
        label="Who writes the answer",
        info="extractive quotes, without a model; or provider/model, as ollama/llama3.2 or openai/gpt-4o-mini",
        choices=sorted({"extractive", settings.llm}),
        value=settings.llm,
        allow_custom_value=True,
    )
    strategy = gr.Dropdown(
        label="How a language model writes the answer",
        info="in one reply, or in several: slower, and with fewer sentences that the abstracts do not support",
        choices=list(_STRATEGIES),
        value=settings.strategy,
    )
    with gr.Row():
        test = gr.Button("Test connection", size="sm", scale=0, min_width=160)
        result = gr.HTML(elem_id="tested")
    return _ModelParts(llm, strategy, test, result)


def _build_search(settings: Settings) -> list[Any]:
    threshold = settings.tentative_threshold
    return [
        gr.Slider(1, 50, settings.top_k, step=1, label="Papers that a search returns"),
        gr.Slider(1, 10, settings.max_sentences, step=1, label="Maximum sentences of an extractive answer"),
        gr.Slider(0, 1, threshold, step=0.01, label="Confidence below which there is no answer"),
        gr.Textbox(label="Filters of every question", placeholder="year>=2020 -survey", elem_id="filters"),
    ]
