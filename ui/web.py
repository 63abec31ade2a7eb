"""The chat page: the only home of gradio. Serves on this machine alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import Any

import gradio as gr

from assistant import wiring
from assistant.catalog import Catalog
from assistant.chat import Assistant
from assistant.errors import PaperchatError, SettingsError
from assistant.schema import Turn
from assistant.settings import Settings
from ui import render

HOST = "127.0.0.1"
_PORTS_TRIED = 50
_EXAMPLES = 4
_MASTHEAD = (
    "<h1>paperchat</h1><p>Ask the abstracts of your library. Every statement leads to the sentence behind it.</p>"
)
_STYLE = Path(__file__).with_name("page.css")

Message = dict[str, Any]
# What an event of the page changes: the box, the messages, the cards, the conversation.
Update = tuple[str, list[Message], str, list[Turn]]


def serve(settings: Settings, announce: Callable[[str], Any]) -> None:
    """Serve the page until interrupted. The models load while the page starts; a question waits for them.

    Raises PaperchatError where the library cannot be opened or no port is free.
    """
    assistant = _in_background(lambda: wiring.open_assistant(settings))
    page, address = start(assistant, examples(wiring.open_catalog(settings.home)), settings.port)
    announce(f"paperchat is at {address} - press Ctrl+C to stop.")
    try:
        assistant.result()
        page.block_thread()
    finally:
        page.close()


def start(assistant: Future[Assistant], questions: Sequence[str], port: int) -> tuple[Any, str]:
    """Serve the page in the background; returns it and its address. Port 0 is any free one."""
    page = build(assistant, questions)
    port = _free_port(port)
    page.queue(default_concurrency_limit=4).launch(
        server_name=HOST,
        server_port=port,
        quiet=True,
        prevent_thread_lock=True,
        css_paths=_STYLE,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
    )
    return page, f"http://{HOST}:{port}"


def build(assistant: Future[Assistant], questions: Sequence[str]) -> Any:
    """The page over an assistant that may still be loading, with example questions for an empty conversation."""
    with gr.Blocks(title="paperchat", fill_height=True, analytics_enabled=False) as page:
        turns = gr.State([])
        with gr.Row(elem_classes="masthead"):
            gr.HTML(_MASTHEAD)
            again = gr.Button("New conversation", size="sm", scale=0, min_width=160)
        with gr.Row(elem_classes="columns"):
            with gr.Column(scale=3, min_width=320):
                messages = _messages(questions)
                with gr.Row(elem_classes="asking"):
                    box = gr.Textbox(
                        label="Question",
                        show_label=False,
                        container=False,
                        placeholder="Ask the abstracts ...",
                        scale=8,
                        autofocus=True,
                        elem_id="question",
                    )
                    button = gr.Button("Ask", variant="primary", scale=1, min_width=80)
            with gr.Column(scale=2, min_width=320):
                cards = gr.HTML(render.cards_html(()), elem_id="cards", padding=False)
        shown = [box, messages, cards, turns]

        def respond(question: str, said: list[Message], held: list[Turn]) -> Iterator[Update]:
            yield from _respond(assistant, question, said, held)

        def chosen(event: gr.SelectData, said: list[Message], held: list[Turn]) -> Iterator[Update]:
            yield from _respond(assistant, event.value["text"], said, held)

        gr.on([box.submit, button.click], respond, [box, messages, turns], shown, api_name="ask")
        messages.example_select(chosen, [messages, turns], shown, api_visibility="private")
        for emptied in (again.click, messages.clear):
            emptied(lambda: ("", [], render.cards_html(()), []), None, shown, api_visibility="private")
    return page


def examples(catalog: Catalog) -> list[str]:
    """Questions that this very library answers: about the first few of its papers, which are in no order."""
    titles = (paper.title for paper in catalog.all() if paper.title and paper.abstract)
    return [f"What does “{title}” show?" for title in islice(titles, _EXAMPLES)]


def _messages(questions: Sequence[str]) -> gr.Chatbot:
    return gr.Chatbot(
        label="Conversation",
        show_label=False,
        elem_id="messages",
        height="calc(100dvh - 12rem)",
        examples=[{"text": question} for question in questions],
        placeholder="Ask a question, or take one of these." if questions else "Ask a question.",
        latex_delimiters=[{"left": "\\(", "right": "\\)", "display": False}],
        buttons=[],
    )


def _respond(assistant: Future[Assistant], question: str, said: list[Message], turns: list[Turn]) -> Iterator[Update]:
    """The page after each piece of the answer."""
    said = [*said, _message("user", render.question_html(question))]
    cards = render.cards_html(turns)
    waiting = _message(
        "assistant", render.waiting_html("Searching ..." if assistant.done() else "Loading the model ...")
    )
    yield "", [*said, waiting], cards, turns
    try:
        for answer in assistant.result().stream(question, turns):
            grown = [*turns, Turn(answer.question, answer)]
            reply = _message("assistant", render.answer_html(answer, len(grown)))
            yield "", [*said, reply], render.cards_html(grown), grown
    except PaperchatError as error:
        yield "", [*said, _message("assistant", render.error_html(str(error)))], cards, turns


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _in_background(open_assistant: Callable[[], Assistant]) -> Future[Assistant]:
    """The assistant that a thread opens; a daemon, so that Ctrl+C does not wait for it."""
    future: Future[Assistant] = Future()

    def work() -> None:
        try:
            future.set_result(open_assistant())
        except BaseException as error:  # whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def _free_port(first: int) -> int:
    for port in range(first, min(first + _PORTS_TRIED, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SettingsError(f"no port from {first} on is free; choose another with --port")
