"""The commands that ask the library: ask, chat, search, verify, sides."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.disagreement.serialization import sides_json
from assistant.errors import PaperchatError
from assistant.schema import Scope, Turn
from assistant.serialization import Json, answer_json, search_json, verification_json
from assistant.text.printable import one_line
from ui.cli import batch, terminal
from ui.cli.common import AsJson, IfEmpty, Model, StrategyName, dumps, open_assistant, settings_of
from ui.cli.dialog import Dialog, ask_with_progress, resume
from ui.cli.sides_text import sides_text
from ui.logs import QuestionLog

if TYPE_CHECKING:
    from assistant.settings import Settings

app = typer.Typer()
_PANEL = "Questions"

Batch = Annotated[
    str | None,
    typer.Option("--batch", metavar="FILE.jsonl", help="Read JSON Lines from this file, or - for standard input."),
]
Pinned = Annotated[list[str] | None, typer.Option("--pin", metavar="ID", help="Use only this paper; repeatable.")]
Collected = Annotated[
    list[str] | None, typer.Option("--collection", metavar="NAME", help="Use only papers of this collection.")
]
Excluded = Annotated[list[str] | None, typer.Option("--exclude", metavar="ID", help="Ignore this paper; repeatable.")]
Continue = Annotated[bool, typer.Option("-c", "--continue", help="Continue the last conversation.")]
InConversation = Annotated[
    str | None,
    typer.Option("--conversation", metavar="ID", help="Continue this conversation; the beginning of its id is enough."),
]


@app.command(rich_help_panel=_PANEL)
def ask(
    context: typer.Context,
    question: Annotated[str | None, typer.Argument(help="The question.")] = None,
    as_json: AsJson = False,
    batch_file: Batch = None,
    llm: Model = None,
    strategy: StrategyName = None,
    if_empty: IfEmpty = None,
    pin: Pinned = None,
    exclude: Excluded = None,
    collection: Collected = None,
    last: Continue = False,
    conversation: InConversation = None,
    save: Annotated[bool, typer.Option(help="Store the question and its answer; a batch is never stored.")] = True,
) -> None:
    """Answer a question, with citations."""
    _require_one(question, batch_file)
    if batch_file and (last or conversation):
        raise typer.BadParameter("--batch cannot continue a conversation")
    settings = settings_of(context, llm=llm, strategy=strategy)
    if batch_file:
        _run_batch(batch_file, batch.ask(open_assistant(settings, if_empty)))
        return
    dialog = _resume(settings, last, conversation)
    assistant = open_assistant(settings, if_empty, answers=1)
    with QuestionLog(question or "", settings) as log:
        scope = assistant.resolve_scope(_scope(pin, exclude, collection))
        log.answer = answer = ask_with_progress(assistant, question or "", dialog.turns, scope)
        typer.echo(dumps(answer_json(answer)) if as_json else terminal.answer_text(answer))
        if save:
            log.id = dialog.store(Turn(question or "", answer, scope))


@app.command(rich_help_panel=_PANEL)
def chat(
    context: typer.Context,
    llm: Model = None,
    strategy: StrategyName = None,
    if_empty: IfEmpty = None,
    last: Continue = False,
    conversation: InConversation = None,
) -> None:
    """Hold a conversation in the terminal; an empty line ends it."""
    settings = settings_of(context, llm=llm, strategy=strategy)
    dialog = _resume(settings, last, conversation)
    assistant = open_assistant(settings, if_empty)
    typer.echo(f"{assistant.library.catalog.papers.count()} papers. Ask; an empty line ends the conversation.")
    while question := _prompt():
        try:
            with QuestionLog(question, settings) as log:
                log.answer = answer = ask_with_progress(assistant, question, dialog.turns)
                typer.echo(f"\n{terminal.answer_text(answer)}\n")
                log.id = dialog.store(Turn(question, answer))
        except PaperchatError as error:
            typer.echo(f"paperchat: {one_line(str(error))}", err=True)


@app.command(rich_help_panel=_PANEL)
def search(
    context: typer.Context,
    question: Annotated[str | None, typer.Argument(help="The question, or search words.")] = None,
    as_json: AsJson = False,
    batch_file: Batch = None,
    top_k: Annotated[int | None, typer.Option("--top-k", "--papers", help="Number of papers to return.")] = None,
    pin: Pinned = None,
    exclude: Excluded = None,
    collection: Collected = None,
) -> None:
    """Find papers without composing an answer."""
    _require_one(question, batch_file)
    settings = settings_of(context, top_k=top_k, llm=factory.EXTRACTIVE)
    assistant = open_assistant(settings, answers=None if batch_file else 1)
    if batch_file:
        _run_batch(batch_file, batch.search(assistant))
    else:
        result = assistant.search(question or "", scope=_scope(pin, exclude, collection))
        typer.echo(dumps(search_json(result)) if as_json else terminal.search_text(result))


@app.command(rich_help_panel=_PANEL)
def verify(
    context: typer.Context,
    claim: Annotated[str | None, typer.Argument(help="The statement to check.")] = None,
    paper: Annotated[str | None, typer.Option(metavar="ID", help="Check it against this paper only.")] = None,
    as_json: AsJson = False,
    batch_file: Batch = None,
) -> None:
    """Check whether a paper, or any paper of the library, supports a claim."""
    _require_one(claim, batch_file, "claim")
    settings = settings_of(context, llm=factory.EXTRACTIVE)
    assistant = open_assistant(settings, answers=None if batch_file else 1)
    if batch_file:
        _run_batch(batch_file, batch.verify(assistant))
    else:
        verification = assistant.verify(claim or "", paper)
        typer.echo(dumps(verification_json(verification)) if as_json else terminal.verification_text(verification))


@app.command(rich_help_panel=_PANEL)
def sides(
    context: typer.Context,
    claim: Annotated[str | None, typer.Argument(help="A statement, or a question for yes or no.")] = None,
    as_json: AsJson = False,
    batch_file: Batch = None,
    pin: Pinned = None,
    exclude: Excluded = None,
    collection: Collected = None,
) -> None:
    """Show which sentences support a claim, which contradict it, and which make it depend on a condition."""
    _require_one(claim, batch_file, "claim")
    settings = settings_of(context, llm=factory.EXTRACTIVE)
    assistant = open_assistant(settings, answers=None if batch_file else 1)
    if batch_file:
        _run_batch(batch_file, batch.sides(assistant))
    else:
        result = assistant.sides(claim or "", _scope(pin, exclude, collection))
        typer.echo(dumps(sides_json(result)) if as_json else sides_text(result))


def _resume(settings: Settings, last: bool, conversation_id: str | None) -> Dialog:
    """Return the dialog to continue, and name it on standard error."""
    if last and conversation_id:
        raise typer.BadParameter("-c and --conversation cannot be combined")
    dialog = resume(settings, last, conversation_id)
    if dialog.id:
        turns = terminal.counted(len(dialog.turns), "turn")
        typer.echo(f"Continuing {dialog.id}: {one_line(dialog.title)} ({turns})", err=True)
    return dialog


def _scope(pinned: list[str] | None, excluded: list[str] | None, collections: list[str] | None) -> Scope:
    return Scope(tuple(pinned or ()), tuple(excluded or ()), tuple(collections or ()))


def _require_one(text: str | None, batch_file: str | None, name: str = "question") -> None:
    if (text is None) == (batch_file is None):
        raise typer.BadParameter(f"give either a {name} or --batch FILE.jsonl")


def _run_batch(file: str, reply: Callable[[Json], Json]) -> None:
    """Print a line for each line of the file, and exit with code 1 if one of them failed."""
    failed = False
    with batch.open_lines(file) as lines:
        for result in batch.run(lines, reply):
            failed |= "error" in result
            typer.echo(dumps(result))
            sys.stdout.flush()
    if failed:
        raise typer.Exit(1)


def _prompt() -> str:
    try:
        return input("> ").strip()
    except (EOFError, KeyboardInterrupt):
        return ""
