"""The commands about stored conversations: conversations, replay, export."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.replay import ReplayComparison, replay
from ui.cli import terminal
from ui.cli.common import (
    AsJson,
    Force,
    Model,
    PageNumber,
    ToFile,
    dumps,
    open_assistant,
    print_array,
    selected_papers_text,
    settings_of,
    write_text,
)
from ui.export.formats import ExportFormat
from ui.kept_answers import cited_annotations, with_notices

if TYPE_CHECKING:
    from assistant.storage.conversation_schema import Conversation, StoredTurn
    from assistant.storage.conversations import Conversations

app = typer.Typer()
_PANEL = "Conversations and exports"
conversations_app = typer.Typer(help="List, show, rename or delete stored conversations.")
app.add_typer(conversations_app, name="conversations", rich_help_panel=_PANEL)


@conversations_app.callback(invoke_without_command=True)
def list_conversations(
    context: typer.Context,
    words: Annotated[
        str, typer.Option("--search", metavar="WORDS", help="Only conversations with all of these words.")
    ] = "",
    page: PageNumber = 1,
    size: Annotated[int, typer.Option(min=1, help="Conversations per page.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List stored conversations, the newest first; or show, rename and delete them."""
    from ui.export import transcripts

    if context.invoked_subcommand:
        return
    with _conversations(context) as conversations:
        listed = conversations.recent(words, limit=size, offset=(page - 1) * size)
        remaining = conversations.count(words) - (page - 1) * size - len(listed)
    if as_json:
        print_array(map(transcripts.summary_json, listed))
        return
    for conversation in listed:
        typer.echo(terminal.conversation_line(conversation))
    if remaining > 0:
        typer.echo(f"{remaining} more: --page {page + 1}", err=True)


@conversations_app.command("show")
def show_conversation(context: typer.Context, conversation_id: str, as_json: AsJson = False) -> None:
    """Show a conversation; the beginning of its id is enough."""
    from ui.export import transcripts

    conversation, turns = _conversation(context, conversation_id)
    if as_json:
        typer.echo(dumps(transcripts.conversation_json(conversation, turns)))
    else:
        typer.echo(terminal.conversation_line(conversation))
        typer.echo(f"\n{terminal.turns_text(stored.turn for stored in turns)}")


@conversations_app.command("rename")
def rename_conversation(context: typer.Context, conversation_id: str, title: str) -> None:
    """Give a conversation another title."""
    with _conversations(context) as conversations:
        conversations.rename(conversations.find(conversation_id).id, title)


@conversations_app.command("delete")
def delete_conversations(
    context: typer.Context, conversation_ids: Annotated[list[str], typer.Argument(metavar="ID...")]
) -> None:
    """Delete conversations; nothing is deleted unless every id exists."""
    with _conversations(context) as conversations:
        deleted = {conversations.find(conversation_id).id for conversation_id in conversation_ids}
        conversations.delete(sorted(deleted))
        typer.echo(f"{len(deleted)} deleted, {terminal.counted(conversations.count(), 'conversation')} left.")


@app.command("replay", rich_help_panel=_PANEL)
def replay_conversation(
    context: typer.Context, conversation_id: str, llm: Model = None, as_json: AsJson = False
) -> None:
    """Ask the questions of a conversation again and show what has changed. Nothing is stored."""
    from ui.export import transcripts

    conversation, turns = _conversation(context, conversation_id)
    assistant = open_assistant(settings_of(context, llm=llm), None)
    comparisons: list[ReplayComparison] = []
    for comparison in replay(assistant, [stored.turn for stored in turns]):
        comparisons.append(comparison)
        if not as_json:
            typer.echo(terminal.comparison_text(comparison))
    if as_json:
        compared = {"turns": list(map(transcripts.comparison_json, comparisons))}
        typer.echo(dumps(transcripts.summary_json(conversation) | compared))
    else:
        changed = sum(comparison.changed for comparison in comparisons)
        typer.echo(f"{changed} of {terminal.counted(len(comparisons), 'answer')} would change.")


@app.command("export", rich_help_panel=_PANEL)
def export_papers(
    context: typer.Context,
    form: Annotated[ExportFormat, typer.Option("--format", help="Format of the export.")],
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="Export this conversation, or the papers that it cites.")
    ] = None,
    matching: Annotated[
        str | None, typer.Option("--filter", help="Export only the papers of the library that match, as in list.")
    ] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="NAME", help="Export only the papers of this collection.")
    ] = None,
    to: ToFile = None,
    force: Force = False,
) -> None:
    """Export a conversation, its bibliography, or the papers of the library."""
    from ui.export import transcripts

    if conversation and (matching or collection):
        raise typer.BadParameter("--conversation cannot be combined with --filter or --collection")
    if conversation:
        exported, turns = _conversation(context, conversation)
        with closing(factory.open_catalog(settings_of(context))) as catalog:
            annotations = cited_annotations(turns, catalog)
        text = transcripts.export_conversation(exported, turns, form, annotations)
        write_text(text, to, overwrite=force)
    else:
        catalog = factory.open_catalog(settings_of(context))
        write_text(selected_papers_text(catalog, matching or "", collection, form), to, overwrite=force)


def _conversations(context: typer.Context) -> closing[Conversations]:
    return closing(factory.open_conversations(settings_of(context)))


def _conversation(context: typer.Context, conversation_id: str) -> tuple[Conversation, list[StoredTurn]]:
    with _conversations(context) as conversations:
        conversation = conversations.find(conversation_id)
        turns = conversations.turns(conversation.id)
    with closing(factory.open_catalog(settings_of(context))) as catalog:
        return conversation, with_notices(turns, catalog)
