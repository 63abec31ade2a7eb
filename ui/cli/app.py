"""The command `paperchat`: parse, call, print."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from assistant import factory
from assistant.errors import InputError, PaperchatError
from assistant.schema import Scope, Turn
from assistant.serialization import Json, answer_json, search_json, verification_json
from assistant.settings import Settings
from assistant.text.printable import one_line
from ui.cli import batch, conversation_commands, library_commands, terminal
from ui.cli.common import AsJson, Model, dumps, ingest_if_empty, open_assistant, settings_of
from ui.cli.dialog import Dialog, resume
from ui.logs import QuestionLog

app = typer.Typer(
    help="Ask questions of a library of research-paper abstracts; every statement of an answer is cited.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(library_commands.app)
app.add_typer(conversation_commands.app)

BatchFile = Annotated[
    str | None,
    typer.Option("--batch", metavar="FILE.jsonl", help="Read questions from a JSON Lines file; - is standard input."),
]
ClaimsFile = Annotated[
    str | None,
    typer.Option("--batch", metavar="FILE.jsonl", help="Read claims from a JSON Lines file; - is standard input."),
]
IfEmpty = Annotated[Path | None, typer.Option(help="Ingest this file or folder first if the library is empty.")]
Pinned = Annotated[list[str] | None, typer.Option("--pin", metavar="ID", help="Look at this paper only; repeatable.")]
Excluded = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="ID", help="Leave this paper out; repeatable.")
]
Continue = Annotated[bool, typer.Option("-c", "--continue", help="Continue the last conversation.")]
InConversation = Annotated[
    str | None,
    typer.Option("--conversation", metavar="ID", help="Continue this conversation; the beginning of its id is enough."),
]


def main() -> None:
    """Run the command; an error of paperchat's is one line on standard error and exit code 1."""
    # Abstracts hold characters that a terminal's encoding may lack; in JSON their escapes mean the same.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app()
    except PaperchatError as error:
        sys.stderr.write(f"paperchat: {one_line(str(error))}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; there is nobody to complain to


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Directory of the library.")] = None,
    library: Annotated[str | None, typer.Option(metavar="NAME", help="A library of its own, by its name.")] = None,
    embedder: Annotated[str | None, typer.Option(help="The embedder: a name or a folder.")] = None,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Log to standard error; -vv logs more.")
    ] = 0,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Settings that every verb takes."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"paperchat {installed('paperchat')}")
        raise typer.Exit
    log = {0: None, 1: "info"}.get(verbose, "debug")
    context.obj = {"home": home, "library": library, "embedder": embedder, "log": log}


@app.command()
def search(
    context: typer.Context,
    question: Annotated[str | None, typer.Argument(help="The question, or search words.")] = None,
    as_json: AsJson = False,
    batch_file: BatchFile = None,
    top_k: Annotated[int | None, typer.Option("--top-k", "--papers", help="Number of papers to return.")] = None,
    pin: Pinned = None,
    exclude: Excluded = None,
) -> None:
    """Find papers, without composing an answer."""
    _need_one(question, batch_file)
    assistant = factory.open_assistant(settings_of(context, top_k=top_k, llm=factory.EXTRACTIVE))
    if batch_file:
        _run_batch(batch_file, batch.search(assistant))
    else:
        found = assistant.search(question or "", scope=_scope(pin, exclude))
        typer.echo(dumps(search_json(found)) if as_json else terminal.search_text(found))


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[str | None, typer.Argument(help="The question.")] = None,
    as_json: AsJson = False,
    batch_file: BatchFile = None,
    llm: Model = None,
    if_empty: IfEmpty = None,
    pin: Pinned = None,
    exclude: Excluded = None,
    last: Continue = False,
    conversation: InConversation = None,
    save: Annotated[bool, typer.Option(help="Keep question and answer as a conversation; a batch is not kept.")] = True,
) -> None:
    """Answer a question from the library, with citations."""
    _need_one(question, batch_file)
    if batch_file and (last or conversation):
        raise typer.BadParameter("a batch continues no conversation")
    settings = settings_of(context, llm=llm)
    if batch_file:
        _run_batch(batch_file, batch.ask(open_assistant(settings, if_empty)))
        return
    dialog = _resume(settings, last, conversation)
    assistant = open_assistant(settings, if_empty)
    with QuestionLog(question or "", settings) as log:
        scope = assistant.resolve_scope(_scope(pin, exclude))
        log.answer = answer = assistant.ask(question or "", dialog.turns, scope)
        typer.echo(dumps(answer_json(answer)) if as_json else terminal.answer_text(answer))
        if save:
            log.id = dialog.store(Turn(question or "", answer, scope))


@app.command()
def verify(
    context: typer.Context,
    claim: Annotated[str | None, typer.Argument(help="The statement to be checked.")] = None,
    paper: Annotated[str | None, typer.Option(help="Id of the paper; any of the library where not given.")] = None,
    as_json: AsJson = False,
    batch_file: ClaimsFile = None,
) -> None:
    """Check whether a paper, or any of the library, supports a claim."""
    _need_one(claim, batch_file, "claim")
    assistant = factory.open_assistant(settings_of(context, llm=factory.EXTRACTIVE))
    if batch_file:
        _run_batch(batch_file, batch.verify(assistant))
    else:
        found = assistant.verify(claim or "", paper)
        typer.echo(dumps(verification_json(found)) if as_json else terminal.verification_text(found))


@app.command()
def chat(
    context: typer.Context,
    llm: Model = None,
    if_empty: IfEmpty = None,
    last: Continue = False,
    conversation: InConversation = None,
) -> None:
    """Hold a conversation in the terminal; it is kept, and an empty line ends it."""
    settings = settings_of(context, llm=llm)
    dialog = _resume(settings, last, conversation)
    assistant = open_assistant(settings, if_empty)
    typer.echo(f"{assistant.library.catalog.papers.count()} papers. Ask; an empty line ends the conversation.")
    while question := _prompt():
        try:
            with QuestionLog(question, settings) as log:
                log.answer = answer = assistant.ask(question, dialog.turns)
                typer.echo(f"\n{terminal.answer_text(answer)}\n")
                log.id = dialog.store(Turn(question, answer))
        except PaperchatError as error:
            typer.echo(f"paperchat: {one_line(str(error))}", err=True)


@app.command()
def serve(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1; the next free one is taken.")] = None,
    llm: Model = None,
    if_empty: IfEmpty = None,
) -> None:
    """Serve the chat page on this machine."""
    settings = settings_of(context, port=port, llm=llm)
    if if_empty:
        ingest_if_empty(settings, if_empty)
    from ui.page import server

    server.serve(settings, announce=typer.echo)


@app.command()
def user(
    file: Annotated[Path, typer.Argument(help="The file of users; it is made where there is none.")],
    name: Annotated[str, typer.Argument(help="Who may log in to the page.")],
) -> None:
    """Let somebody log in to the page of a lab server, or give them another password."""
    from ui import users

    users.add_user(file, name, typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    typer.echo(f"{name} may log in where PAPERCHAT_AUTH is {file}.")


@app.command("models")
def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List who can run a language model, and the models of a local Ollama and of the configured server."""
    from assistant.llm import providers
    from ui.cli import models

    settings, found = settings_of(context), providers.list_models()
    typer.echo(dumps(models.as_json(found)) if as_json else models.as_text(found, settings.llm))


def _resume(settings: Settings, last: bool, conversation_id: str | None) -> Dialog:
    """The conversation to go on with. On standard error it says which one that is."""
    if last and conversation_id:
        raise typer.BadParameter("give -c or --conversation ID, and not both")
    dialog = resume(settings, last, conversation_id)
    if dialog.id:
        turns = terminal.counted(len(dialog.turns), "turn")
        typer.echo(f"Continuing {dialog.id}: {one_line(dialog.title)} ({turns})", err=True)
    return dialog


def _scope(pin: list[str] | None, exclude: list[str] | None) -> Scope:
    return Scope(tuple(pin or ()), tuple(exclude or ()))


def _need_one(text: str | None, batch_file: str | None, kind: str = "question") -> None:
    if (text is None) == (batch_file is None):
        raise typer.BadParameter(f"give a {kind} or --batch FILE.jsonl, and not both")


def _run_batch(file: str, reply: Callable[[Json], Json]) -> None:
    """Print a line for each line of the file; exit code 1 if one of them failed."""
    failed = False
    with _lines(file) as lines:
        for result in batch.run(lines, reply):
            failed |= "error" in result
            typer.echo(dumps(result))
            sys.stdout.flush()
    if failed:
        raise typer.Exit(1)


@contextmanager
def _lines(file: str) -> Iterator[Iterable[str]]:
    if file == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
        yield sys.stdin
        return
    try:
        with Path(file).open(encoding="utf-8-sig", errors="replace") as lines:
            yield lines
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}") from error


def _prompt() -> str:
    try:
        return input("> ").strip()
    except (EOFError, KeyboardInterrupt):
        return ""
