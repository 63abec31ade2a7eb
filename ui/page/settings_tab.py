"""The tab of settings: what a person may choose for this tab of the browser, and nobody else's."""

from __future__ import annotations

from typing import Any

import gradio as gr

from assistant.errors import PaperchatError
from assistant.question import filters
from assistant.schema import Message
from ui.page import render
from ui.page.backend import Backend
from ui.page.events import QUIETLY
from ui.page.session import Choices
from ui.page.turns import button

_GREETING = [Message("user", "Reply with the word: ready")]


def build(backend: Backend, choices: gr.State) -> None:
    """The parts of the tab with their events."""
    given = backend.settings
    llm = gr.Dropdown(
        label="Who writes the answer",
        info="extractive quotes, without a model; or provider/model, as ollama/llama3.2 or openai/gpt-4o-mini",
        choices=sorted({"extractive", given.llm}),
        value=given.llm,
        allow_custom_value=True,
    )
    with gr.Row():
        test = gr.Button("Test connection", size="sm", scale=0, min_width=160)
        tested = gr.HTML(elem_id="tested")
    papers = gr.Slider(1, 50, given.top_k, step=1, label="Papers that a search returns")
    statements = gr.Slider(1, 10, given.max_sentences, step=1, label="Most sentences that a quoting answer has")
    sure = gr.Slider(0, 1, given.tentative_threshold, step=0.01, label="Confidence below which there is no answer")
    always = gr.Textbox(label="Filters of every question", placeholder="year>=2020 -survey", elem_id="filters")
    gr.HTML(_THEME, elem_id="theme")
    gr.HTML(button("judgements", "", "Save the answers that I judged as questions to measure with"))
    said = gr.HTML(elem_id="chosen")
    parts: list[Any] = [llm, papers, statements, sure, always]

    def choose(*values: Any) -> tuple[Choices, str]:
        chosen = chosen_from(given.llm, *values)
        try:
            filters.parse(chosen.filters)
            backend.check(chosen)
        except PaperchatError as error:
            return Choices(), render.error_html(f"Not used: {error}")
        return chosen, "<p>Used from the next question on, in this tab of the browser.</p>"

    def connect(name: str) -> str:
        return f"<p>{render.plain_html(connection(backend, name))}</p>"

    for part in parts:
        part.change(choose, parts, [choices, said], **QUIETLY)
    test.click(connect, llm, tested, **QUIETLY)


def chosen_from(common: str, llm: str, papers: float, statements: float, sure: float, always: str) -> Choices:
    """The values of the tab; a model that is the server's own is no choice."""
    return Choices(None if llm == common else llm, int(papers), int(statements), float(sure), always.strip())


def connection(backend: Backend, name: str) -> str:
    """Whether a model answers."""
    try:
        llm = backend.assistant(Choices(llm=name)).llm
        if llm is None:
            return "Nothing to connect to: quoting needs no model."
        reply = next(iter(llm.stream(_GREETING)), "")
    except PaperchatError as error:
        return f"No answer: {error}"
    return "It answers." if reply else "It is there, but said nothing."


_THEME = (
    '<fieldset class="theme"><legend>Colours</legend>'
    '<label><input type="radio" name="theme" value="" checked> as the system</label>'
    '<label><input type="radio" name="theme" value="light"> light</label>'
    '<label><input type="radio" name="theme" value="dark"> dark</label></fieldset>'
)
