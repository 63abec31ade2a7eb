"""The verbs about what was asked before: conversations, replay, export."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.question.filters import selection
from assistant.replay import Comparison, replay
from ui.cli import terminal
from ui.cli.common import AsJson, Model, PageNumber, dumps, open_assistant, print_array, settings_of
from ui.export import transcripts

if TYPE_CHECKING:
    from assistant.storage.conversation_schema import Conversation, StoredTurn
    from assistant.storage.conversations import Conversations

app = typer.Typer()
talks = typer.Typer(help="The conversations that were kept.")
app.add_typer(talks, name="conversations")


@talks.callback(invoke_without_command=True)
def list_conversations(
    context: typer.Context,
    words: Annotated[str, typer.Option("--search", metavar="WORDS", help="Only those with each of these words.")] = "",
    page: PageNumber = 1,
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
        print_array(map(transcripts.summary_json, found))
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
        typer.echo(dumps(transcripts.conversation_json(found, turns)))
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
    for each in replay(open_assistant(settings_of(context, llm=llm), None), [stored.turn for stored in turns]):
        compared.append(each)
        if not as_json:
            typer.echo(terminal.comparison_text(each))
    if as_json:
        typer.echo(
            dumps(transcripts.summary_json(found) | {"turns": [transcripts.comparison_json(each) for each in compared]})
        )
    else:
        typer.echo(
            f"{sum(each.changed for each in compared)} of {terminal.counted(len(compared), 'answer')} would change."
        )


@app.command("export")
def export_papers(
    context: typer.Context,
    form: Annotated[transcripts.Format, typer.Option("--format", help="What to write.")],
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="This conversation, or the papers that it cites.")
    ] = None,
    matching: Annotated[
        str | None, typer.Option("--filter", help="Of the library only the papers that match, as in list.")
    ] = None,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Write this file, not to standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a conversation, its bibliography, or the papers of the whole library."""
    if conversation and matching:
        raise typer.BadParameter("give --conversation ID or --filter FILTER, and not both")
    if conversation:
        text = transcripts.conversation_as(*_conversation(context, conversation), form)
    else:
        catalog = factory.open_catalog(settings_of(context).home)
        text = transcripts.papers_as(catalog.papers.all(selection(matching or "", catalog.papers.has_author)), form)
    if to:
        transcripts.write(text, to, overwrite=force)
    else:
        typer.echo(text, nl=False)


def _conversations(context: typer.Context) -> closing[Conversations]:
    return closing(factory.open_conversations(settings_of(context).home))


def _conversation(context: typer.Context, conversation_id: str) -> tuple[Conversation, list[StoredTurn]]:
    with _conversations(context) as kept:
        found = kept.find(conversation_id)
        return found, kept.turns(found.id)
