"""The commands about what a person adds to papers: collections, tags, notes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.errors import InputError
from assistant.schema import Filters, PaperCollection, Selection, Sort
from assistant.serialization import annotation_json, collection_json, paper_json
from assistant.text.printable import one_line, printable
from ui import collecting
from ui.cli import terminal
from ui.cli.common import (
    AsJson,
    Force,
    ToFile,
    Yes,
    confirm,
    dumps,
    print_array,
    selected_papers_text,
    settings_of,
    write_text,
)
from ui.export.formats import ExportFormat

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.storage.catalog import Catalog

app = typer.Typer()
_PANEL = "Papers"
_ABOUT = "Named sets of papers, as a scope of questions, lists and exports."
collection_app = typer.Typer(help=_ABOUT, no_args_is_help=True)
app.add_typer(collection_app, name="collection", rich_help_panel=_PANEL)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of the collection, in any case.")]
PaperIds = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Papers, by id or its beginning.")]
Matching = Annotated[str | None, typer.Option("--filter", help="The papers that match, as in list.")]
FromFile = Annotated[
    Path | None, typer.Option("--file", help="The papers that this file describes: BibTeX, RIS, CSV, ...")
]
OfAnswer = Annotated[
    str | None,
    typer.Option("--answer", metavar="CONVERSATION#N", help="The papers of the Nth answer of a conversation."),
]


@collection_app.command("list")
def list_collections(context: typer.Context, as_json: AsJson = False) -> None:
    """List the collections."""
    listed = _catalog(context).collections.all()
    if as_json:
        print_array(map(collection_json, listed))
        return
    for collection in listed:
        typer.echo(terminal.collection_line(collection))


@collection_app.command("show")
def show_collection(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show a collection with its papers, the newest first."""
    catalog = _catalog(context)
    collection = catalog.collections.find(name)
    selection = Selection(Filters(collections=(collection.name,)))
    papers = catalog.papers.page(selection, Sort.YEAR, limit=max(1, collection.papers)).papers
    if as_json:
        typer.echo(dumps(collection_json(collection) | {"members": list(map(paper_json, papers))}))
        return
    typer.echo(terminal.collection_line(collection))
    for paper in papers:
        typer.echo(terminal.paper_line(paper))


@collection_app.command("create")
def create_collection(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="At most 100 characters.")],
    paper_ids: PaperIds = None,
    matching: Matching = None,
    file: FromFile = None,
    answer: OfAnswer = None,
    as_json: AsJson = False,
) -> None:
    """Create a collection, empty or of these papers."""
    settings = settings_of(context)
    catalog = factory.open_catalog(settings)
    selected = _selected(settings, catalog, paper_ids, matching, file, answer)
    _print(catalog.collections.create(name, selected), as_json)


@collection_app.command("add")
def add_to_collection(
    context: typer.Context,
    name: Name,
    paper_ids: PaperIds = None,
    matching: Matching = None,
    file: FromFile = None,
    answer: OfAnswer = None,
    as_json: AsJson = False,
) -> None:
    """Add papers to a collection; nothing is added unless every id exists."""
    settings = settings_of(context)
    catalog = factory.open_catalog(settings)
    collection = catalog.collections.find(name)
    selected = _require_some(_selected(settings, catalog, paper_ids, matching, file, answer))
    added = catalog.collections.add(collection.id, selected)
    typer.echo(f"{added} added, {len(selected) - added} in it already.", err=True)
    _print(catalog.collections.find(collection.id), as_json)


@collection_app.command("remove")
def remove_from_collection(
    context: typer.Context,
    name: Name,
    paper_ids: PaperIds = None,
    matching: Matching = None,
    file: FromFile = None,
    answer: OfAnswer = None,
    as_json: AsJson = False,
) -> None:
    """Remove papers from a collection; they stay in the library."""
    settings = settings_of(context)
    catalog = factory.open_catalog(settings)
    collection = catalog.collections.find(name)
    selected = _require_some(_selected(settings, catalog, paper_ids, matching, file, answer))
    typer.echo(f"{catalog.collections.remove(collection.id, selected)} removed.", err=True)
    _print(catalog.collections.find(collection.id), as_json)


@collection_app.command("rename")
def rename_collection(context: typer.Context, name: Name, new_name: str, as_json: AsJson = False) -> None:
    """Give a collection another name."""
    collections = _catalog(context).collections
    collection = collections.find(name)
    collections.rename(collection.id, new_name)
    _print(collections.find(collection.id), as_json)


@collection_app.command("delete")
def delete_collection(context: typer.Context, name: Name, yes: Yes = False) -> None:
    """Delete a collection; its papers stay in the library."""
    collections = _catalog(context).collections
    collection = collections.find(name)
    papers = terminal.counted(collection.papers, "paper")
    typer.echo(f"The collection {collection.name!r} will be deleted; its {papers} will stay in the library.", err=True)
    confirm(yes)
    collections.delete(collection.id)
    typer.echo(f"{terminal.counted(len(collections.all()), 'collection')} left.")


@collection_app.command("export")
def export_collection(
    context: typer.Context,
    name: Name,
    form: Annotated[ExportFormat, typer.Option("--format", help="bibtex, ris, csl-json or jsonl.")],
    to: ToFile = None,
    force: Force = False,
) -> None:
    """Export the papers of a collection, with tags and notes."""
    write_text(selected_papers_text(_catalog(context), "", name, form), to, overwrite=force)


@app.command(rich_help_panel=_PANEL)
def tag(
    context: typer.Context,
    paper_id: str,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="The tags.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take these tags from the paper.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a paper tags, or show those that it has; tag:NAME finds its papers."""
    catalog = _catalog(context)
    paper = catalog.papers.find(paper_id)
    if names:
        change = catalog.annotations.remove_tags if remove else catalog.annotations.add_tags
        change(paper.id, names)
    annotation = catalog.annotations.of(paper.id)
    typer.echo(dumps(annotation_json(annotation)) if as_json else ", ".join(map(one_line, annotation.tags)))
    if annotation.keywords and not as_json:
        typer.echo(f"from its files: {', '.join(annotation.keywords)}")


@app.command(rich_help_panel=_PANEL)
def note(
    context: typer.Context,
    paper_id: str,
    text: Annotated[str | None, typer.Argument(help="The note; an empty one deletes it. Without it, show it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set or show the note of a paper; list finds its words, and answers never quote it."""
    catalog = _catalog(context)
    paper = catalog.papers.find(paper_id)
    if text is not None:
        catalog.annotations.set_note(paper.id, text)
    annotation = catalog.annotations.of(paper.id)
    typer.echo(dumps(annotation_json(annotation)) if as_json else printable(annotation.note))


def _catalog(context: typer.Context) -> Catalog:
    return factory.open_catalog(settings_of(context))


def _selected(
    settings: Settings,
    catalog: Catalog,
    paper_ids: list[str] | None,
    matching: str | None,
    file: Path | None,
    answer: str | None,
) -> list[str]:
    """Return the ids of all papers that the options select, each once."""
    selected = catalog.papers.resolve(paper_ids or [])
    selected += collecting.matching_ids(catalog, matching) if matching is not None else []
    selected += _of_answer(settings, catalog, answer) if answer is not None else []
    if file is not None:
        described = collecting.file_papers(catalog, file)
        selected += described.paper_ids
        if described.note:
            typer.echo(f"paperchat: {described.note}", err=True)
    return list(dict.fromkeys(selected))


def _of_answer(settings: Settings, catalog: Catalog, address: str) -> list[str]:
    """Return the papers of an answer, by the id of its conversation and its number there."""
    conversation_id, _, number = address.partition("#")
    with closing(factory.open_conversations(settings)) as conversations:
        turns = conversations.turns(conversations.find(conversation_id).id)
    position = int(number) if number.isdecimal() and number.isascii() else 0
    if not 1 <= position <= len(turns):
        raise InputError("--answer", f"write CONVERSATION#N, with N from 1 to {len(turns)}, not {one_line(address)!r}")
    return collecting.answer_ids(catalog, turns[position - 1].turn.answer)


def _require_some(selected: list[str]) -> list[str]:
    if not selected:
        raise InputError("collection", "no paper is selected: give ids, --filter, --file or --answer that select any")
    return selected


def _print(collection: PaperCollection, as_json: bool) -> None:
    typer.echo(dumps(collection_json(collection)) if as_json else terminal.collection_line(collection))
