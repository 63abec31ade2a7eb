"""The command `paperchat`: parse, call, print."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant import wiring
from assistant.errors import InputError, PaperchatError
from assistant.replay import Comparison, replay
from assistant.schema import Scope, Turn
from assistant.settings import Settings, load
from assistant.wire import Json, answer_json, paper_json, search_json, verification_json
from ui import batch, export, terminal
from ui.talk import Talk, resume

if TYPE_CHECKING:
    from assistant.catalog import Catalog
    from assistant.chat import Assistant
    from assistant.conversations import Conversation, Conversations, StoredTurn
    from ingest.pipeline import Report

app = typer.Typer(
    help="Ask questions of a library of research-paper abstracts; every statement of an answer is cited.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

talks = typer.Typer(help="The conversations that were kept.")
app.add_typer(talks, name="conversations")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
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
Model = Annotated[str | None, typer.Option("--llm", help="Who writes the answer: extractive, or provider/model.")]


def main() -> None:
    """Run the command; an error of paperchat's is one line on standard error and exit code 1."""
    # Abstracts hold characters that a terminal's encoding may lack; in JSON their escapes mean the same.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app()
    except PaperchatError as error:
        sys.stderr.write(f"paperchat: {terminal.one_line(str(error))}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; there is nobody to complain to


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Directory of the library.")] = None,
    embedder: Annotated[str | None, typer.Option(help="The embedder: a name or a folder.")] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Settings that every verb takes."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"paperchat {installed('paperchat')}")
        raise typer.Exit
    context.obj = {"home": home, "embedder": embedder}


@app.command()
def ingest(context: typer.Context, paths: Annotated[list[Path], typer.Argument(help="Files or folders.")]) -> None:
    """Add the papers of files and folders to the library; - is standard input."""
    from ingest import pipeline
    from ingest.progress import progress_bar

    library = wiring.open_library(_settings(context))
    with progress_bar("Indexing") as progress:
        report = pipeline.ingest(paths, library, progress)
    _print_report(report, library.catalog)
    if report.failed:
        raise typer.Exit(1)


@app.command("list")
def list_papers(context: typer.Context, as_json: AsJson = False) -> None:
    """List the papers of the library."""
    papers = wiring.open_catalog(_settings(context).home).all()
    if as_json:
        _print_array(map(paper_json, papers))
    else:
        for paper in papers:
            typer.echo(terminal.paper_line(paper))


@app.command()
def show(context: typer.Context, paper_id: str, as_json: AsJson = False) -> None:
    """Show one paper; the beginning of its id is enough."""
    paper = wiring.open_catalog(_settings(context).home).find(paper_id)
    typer.echo(_dumps(paper_json(paper)) if as_json else terminal.paper_text(paper))


@app.command()
def search(
    context: typer.Context,
    question: Annotated[str | None, typer.Argument(help="The question, or search words.")] = None,
    as_json: AsJson = False,
    batch_file: BatchFile = None,
    papers: Annotated[int | None, typer.Option(help="How many papers to return.")] = None,
    pin: Pinned = None,
    exclude: Excluded = None,
) -> None:
    """Find papers, without composing an answer."""
    _need_one(question, batch_file)
    assistant = wiring.open_assistant(_settings(context, papers=papers, llm=wiring.EXTRACTIVE))
    if batch_file:
        _run_batch(batch_file, batch.search(assistant))
    else:
        found = assistant.search(question or "", scope=_scope(pin, exclude))
        typer.echo(_dumps(search_json(found)) if as_json else terminal.search_text(found))


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
    settings = _settings(context, llm=llm)
    if batch_file:
        _run_batch(batch_file, batch.ask(_open_assistant(settings, if_empty)))
        return
    talk = _resume(settings, last, conversation)
    assistant = _open_assistant(settings, if_empty)
    scope = assistant.whole(_scope(pin, exclude))
    answer = assistant.ask(question or "", talk.turns, scope)
    typer.echo(_dumps(answer_json(answer)) if as_json else terminal.answer_text(answer))
    if save:
        talk.keep(Turn(question or "", answer, scope))


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
    assistant = wiring.open_assistant(_settings(context, llm=wiring.EXTRACTIVE))
    if batch_file:
        _run_batch(batch_file, batch.verify(assistant))
    else:
        found = assistant.verify(claim or "", paper)
        typer.echo(_dumps(verification_json(found)) if as_json else terminal.verification_text(found))


@app.command()
def chat(
    context: typer.Context,
    llm: Model = None,
    if_empty: IfEmpty = None,
    last: Continue = False,
    conversation: InConversation = None,
) -> None:
    """Hold a conversation in the terminal; it is kept, and an empty line ends it."""
    settings = _settings(context, llm=llm)
    talk = _resume(settings, last, conversation)
    assistant = _open_assistant(settings, if_empty)
    typer.echo(f"{assistant.library.catalog.count()} papers. Ask; an empty line ends the conversation.")
    while question := _prompt():
        try:
            answer = assistant.ask(question, talk.turns)
            typer.echo(f"\n{terminal.answer_text(answer)}\n")
            talk.keep(Turn(question, answer))
        except PaperchatError as error:
            typer.echo(f"paperchat: {terminal.one_line(str(error))}", err=True)


@talks.callback(invoke_without_command=True)
def list_conversations(
    context: typer.Context,
    words: Annotated[str, typer.Option("--search", metavar="WORDS", help="Only those with each of these words.")] = "",
    page: Annotated[int, typer.Option(min=1, help="Which page of the list.")] = 1,
    size: Annotated[int, typer.Option(min=1, help="How many conversations a page has.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the conversations that were kept, the newest first; or show, rename and delete them."""
    if context.invoked_subcommand:
        return
    with _conversations(context) as kept:
        found = kept.recent(words, limit=size, offset=(page - 1) * size)
        more = kept.count(words) - (page - 1) * size - len(found)
    if as_json:
        _print_array(map(export.summary_json, found))
        return
    for each in found:
        typer.echo(terminal.conversation_line(each))
    if more > 0:
        typer.echo(f"{more} more: --page {page + 1}", err=True)


@talks.command("show")
def show_conversation(context: typer.Context, conversation_id: str, as_json: AsJson = False) -> None:
    """Show a conversation; the beginning of its id is enough."""
    found, turns = _conversation(context, conversation_id)
    if as_json:
        typer.echo(_dumps(export.conversation_json(found, turns)))
    else:
        typer.echo(terminal.conversation_line(found))
        typer.echo(f"\n{terminal.turns_text(stored.turn for stored in turns)}")


@talks.command("rename")
def rename_conversation(context: typer.Context, conversation_id: str, title: str) -> None:
    """Give a conversation another title."""
    with _conversations(context) as kept:
        kept.rename(kept.find(conversation_id).id, title)


@talks.command("delete")
def delete_conversations(
    context: typer.Context, conversation_ids: Annotated[list[str], typer.Argument(metavar="ID...")]
) -> None:
    """Delete conversations; unless every id is known, none is deleted."""
    with _conversations(context) as kept:
        found = {kept.find(conversation_id).id for conversation_id in conversation_ids}
        kept.delete(sorted(found))
        typer.echo(f"{len(found)} deleted, {terminal.counted(kept.count(), 'conversation')} left.")


@app.command("replay")
def replay_conversation(
    context: typer.Context, conversation_id: str, llm: Model = None, as_json: AsJson = False
) -> None:
    """Ask the questions of a conversation again, and show what has changed since. Nothing is kept."""
    found, turns = _conversation(context, conversation_id)
    compared: list[Comparison] = []
    for each in replay(_open_assistant(_settings(context, llm=llm), None), [stored.turn for stored in turns]):
        compared.append(each)
        if not as_json:
            typer.echo(terminal.comparison_text(each))
    if as_json:
        typer.echo(_dumps(export.summary_json(found) | {"turns": [export.comparison_json(each) for each in compared]}))
    else:
        typer.echo(
            f"{sum(each.changed for each in compared)} of {terminal.counted(len(compared), 'answer')} would change."
        )


@app.command("export")
def export_papers(
    context: typer.Context,
    form: Annotated[export.Format, typer.Option("--format", help="What to write.")],
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="This conversation, or the papers that it cites.")
    ] = None,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Write this file, not to standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a conversation, its bibliography, or the papers of the whole library."""
    if conversation:
        text = export.conversation_as(*_conversation(context, conversation), form)
    else:
        text = export.papers_as(wiring.open_catalog(_settings(context).home).all(), form)
    if to:
        export.write(text, to, overwrite=force)
    else:
        typer.echo(text, nl=False)


@app.command()
def serve(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1; the next free one is taken.")] = None,
    llm: Model = None,
    if_empty: IfEmpty = None,
) -> None:
    """Serve the chat page on this machine."""
    settings = _settings(context, port=port, llm=llm)
    if if_empty:
        _ingest_if_empty(settings, if_empty)
    from ui import web

    web.serve(settings, announce=typer.echo)


@app.command()
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check the settings, the library and the models; exit code 1 where something is wrong."""
    from ui import checks

    found = checks.examine(_settings(context))
    typer.echo(_dumps(checks.as_json(found)) if as_json else checks.as_text(found))
    if found.problems:
        raise typer.Exit(1)


@app.command("models")
def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List who can run a language model, and the models of a local Ollama and of the configured server."""
    from assistant import providers
    from ui import models

    settings, found = _settings(context), providers.offers()
    typer.echo(_dumps(models.as_json(found)) if as_json else models.as_text(found, settings.llm))


@app.command()
def reindex(context: typer.Context) -> None:
    """Build both indexes anew from the catalog: after a change of the embedder, or when they are damaged."""
    from ingest import pipeline
    from ingest.progress import progress_bar

    settings = _settings(context)
    embedder = wiring.open_embedder(settings)  # first, so that a wrong name leaves the indexes alone
    wiring.reset_indexes(settings)
    library = wiring.open_library(settings, embedder)
    with progress_bar("Indexing") as progress, library.writing():
        done = pipeline.synchronise(library, progress)
    typer.echo(f"{done} papers indexed.")


@app.command()
def delete(context: typer.Context, paper_ids: Annotated[list[str], typer.Argument(metavar="ID...")]) -> None:
    """Delete papers; unless every id is known, none is deleted."""
    from ingest import pipeline

    library = wiring.open_library(_settings(context))
    with library.writing():
        papers = {library.catalog.find(paper_id).id for paper_id in paper_ids}
        library.catalog.delete(papers)
        pipeline.synchronise(library)
    typer.echo(f"{len(papers)} deleted, {library.catalog.count()} papers left.")


def _settings(context: typer.Context, **overrides: Any) -> Settings:
    settings = load(**context.obj, **overrides)
    wiring.stay_local(settings)
    return settings


def _resume(settings: Settings, last: bool, conversation_id: str | None) -> Talk:
    """The conversation to go on with. On standard error it says which one that is."""
    if last and conversation_id:
        raise typer.BadParameter("give -c or --conversation ID, and not both")
    talk = resume(settings, last, conversation_id)
    if talk.id:
        turns = terminal.counted(len(talk.turns), "turn")
        typer.echo(f"Continuing {talk.id}: {terminal.one_line(talk.title)} ({turns})", err=True)
    return talk


def _conversations(context: typer.Context) -> closing[Conversations]:
    return closing(wiring.open_conversations(_settings(context).home))


def _conversation(context: typer.Context, conversation_id: str) -> tuple[Conversation, list[StoredTurn]]:
    with _conversations(context) as kept:
        found = kept.find(conversation_id)
        return found, kept.turns(found.id)


def _open_assistant(settings: Settings, if_empty: Path | None) -> Assistant:
    if if_empty:
        _ingest_if_empty(settings, if_empty)
    return wiring.open_assistant(settings)


def _ingest_if_empty(settings: Settings, path: Path) -> None:
    """Fill an empty library. The report goes to standard error: standard output is for what was asked."""
    catalog = wiring.open_catalog(settings.home)
    if catalog.count():
        return
    from ingest import pipeline
    from ingest.progress import progress_bar

    typer.echo(f"The library in {settings.home} is empty; reading {path} ...", err=True)
    library = wiring.open_library(settings)
    with progress_bar("Indexing") as progress:
        report = pipeline.ingest([path], library, progress)
    _print_report(report, library.catalog, err=True)
    library.close()


def _print_report(report: Report, catalog: Catalog, err: bool = False) -> None:
    for problem in report.problems:
        typer.echo(f"paperchat: {'' if problem.lost else 'warning: '}{terminal.one_line(str(problem))}", err=True)
    typer.echo(
        f"{report.records} records read: {report.added} papers added, {report.updated} updated, "
        f"{report.merged} merged, {report.unchanged} unchanged, {report.skipped} skipped. "
        f"The library has {catalog.count()} papers.",
        err=err,
    )
    if report.without_abstract:
        typer.echo(
            f"{report.without_abstract} records came without an abstract. They are kept and listed, but not searched; "
            f"the library has {catalog.count_without_abstract()} such papers.",
            err=err,
        )


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
            typer.echo(_dumps(result))
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


def _print_array(items: Iterable[Json]) -> None:
    """A JSON array, an item a line, written as it comes."""
    before = "["
    for item in items:
        typer.echo(f"{before}\n{_dumps(item)}", nl=False)
        before = ","
    typer.echo("\n]" if before == "," else "[]")


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
