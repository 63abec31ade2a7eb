"""The commands about papers: list, show, merge, unmerge, delete."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.errors import InputError, NotFoundError
from assistant.question.filters import parse_selection
from assistant.schema import Annotation, Sort
from assistant.serialization import Json, annotation_json, paper_json
from assistant.text.printable import one_line
from ui.cli import terminal
from ui.cli.common import AsJson, PageNumber, Yes, confirm, dumps, print_array, settings_of

if TYPE_CHECKING:
    from assistant.storage.library import Library
    from assistant.storage.records import StoredRecord

app = typer.Typer()
_PANEL = "Papers"

# More papers than a library can hold, and still an integer of SQLite.
_UNLIMITED = 1 << 40
# Papers that are listed by title before they are deleted.
_MAX_LISTED = 10


@app.command("list", rich_help_panel=_PANEL)
def list_papers(
    context: typer.Context,
    filters: Annotated[
        list[str] | None, typer.Argument(metavar="FILTER...", help="Words and filters, as in a question.")
    ] = None,
    sort: Annotated[Sort, typer.Option(help="Sort by this field.")] = Sort.ID,
    reverse: Annotated[bool, typer.Option("--reverse", help="Reverse the order.")] = False,
    page: PageNumber = 1,
    size: Annotated[int | None, typer.Option(min=1, help="Papers per page; all papers by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the papers of the library, or those that match. Words are looked for in tags and notes, too."""
    papers = factory.open_catalog(settings_of(context)).papers
    selection = parse_selection(" ".join(filters or ()), papers.has_author)
    limit = size or _UNLIMITED
    listed = papers.page(selection, sort, reverse=reverse, offset=(page - 1) * limit, limit=limit)
    if as_json:
        print_array(map(paper_json, listed.papers))
        return
    for paper in listed.papers:
        typer.echo(terminal.paper_line(paper))
    if (remaining := listed.total - listed.offset - len(listed.papers)) > 0:
        typer.echo(f"{remaining} more of {terminal.counted(listed.total, 'paper')}: --page {page + 1}", err=True)


@app.command(rich_help_panel=_PANEL)
def show(
    context: typer.Context,
    paper_id: str,
    with_records: Annotated[bool, typer.Option("--records", help="Show what each source says of it, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one paper; the beginning of its id is enough."""
    catalog = factory.open_catalog(settings_of(context))
    paper = catalog.papers.find(paper_id)
    records = catalog.records.of_papers([paper.id]) if with_records else []
    annotation = catalog.annotations.of(paper.id)
    if as_json:
        written = paper_json(paper) | annotation_json(annotation)
        typer.echo(dumps(written | (_records_json(records) if with_records else {})))
        return
    typer.echo(terminal.paper_text(paper))
    if annotation != Annotation():
        typer.echo(f"\n{terminal.annotation_text(annotation)}")
    for stored in records:
        typer.echo(f"\n{terminal.record_text(stored.record)}")


@app.command(rich_help_panel=_PANEL)
def merge(context: typer.Context, paper_ids: Annotated[list[str], typer.Argument(metavar="ID...")]) -> None:
    """Merge several papers into one; unmerge reverses it."""
    from ingest import merging

    library = factory.open_library(settings_of(context))
    paper = merging.merge(library, {library.catalog.papers.find(paper_id).id for paper_id in paper_ids})
    typer.echo(one_line(terminal.paper_line(paper)))


@app.command(rich_help_panel=_PANEL)
def unmerge(
    context: typer.Context,
    paper_id: str,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Separate only this source; by default, each of them.")
    ] = None,
) -> None:
    """Split a paper into those of its sources; they stay separate until merge joins them."""
    from ingest import merging

    library = factory.open_library(settings_of(context))
    for paper in merging.unmerge(library, library.catalog.papers.find(paper_id).id, source):
        typer.echo(one_line(terminal.paper_line(paper)))


@app.command(rich_help_panel=_PANEL)
def delete(
    context: typer.Context,
    paper_ids: Annotated[list[str] | None, typer.Argument(metavar="ID...")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Delete what this source says; status lists the sources.")
    ] = None,
    filters: Annotated[str | None, typer.Option("--filter", help="Delete the papers that match, as in list.")] = None,
    yes: Yes = False,
) -> None:
    """Delete papers by id, source or filter; nothing is deleted unless every id exists.

    Papers of a deleted source that other sources describe too remain, with what those sources say.
    """
    if sum(choice is not None for choice in (paper_ids, source, filters)) != 1:
        raise typer.BadParameter("give exactly one of ids, --source NAME and --filter FILTER")
    library = factory.open_library(settings_of(context))
    if source is not None:
        _delete_source(library, source, yes)
    elif filters is not None:
        _delete_matching(library, filters, yes)
    else:
        _delete(library, {library.catalog.papers.find(paper_id).id for paper_id in paper_ids or ()})


def _records_json(stored_records: Sequence[StoredRecord]) -> Json:
    """Return what each source says, and which source each field of the paper comes from."""
    from ingest import identity

    records = [stored.record for stored in stored_records]
    written = [asdict(record) | {"authors": list(record.authors)} for record in records]
    return {"records": written, "from": identity.field_sources(records)}


def _delete_source(library: Library, source: str, yes: bool) -> None:
    from ingest.maintenance import removal

    records = library.catalog.records
    alone, shared = records.papers_from(source)
    if not alone and not shared:
        names = ", ".join(repr(counts.name) for counts in records.sources()) or "none"
        raise NotFoundError(f"no source is named {source!r}; there are: {names}")
    _announce(library, alone)
    if shared:
        remaining = terminal.counted(len(shared), "paper")
        typer.echo(f"{remaining} will stay with what other sources say, and lose what {source} says.", err=True)
    confirm(yes)
    removal.remove_source(library, source)
    _report(library, len(alone))


def _delete_matching(library: Library, filters: str, yes: bool) -> None:
    papers = library.catalog.papers
    selection = parse_selection(filters, papers.has_author)
    if not selection:
        raise InputError("--filter", "selects nothing; give a filter or a word")
    paper_ids = [paper.id for paper in papers.all(selection)]
    if not paper_ids:
        raise NotFoundError(f"no paper matches {filters}")
    _announce(library, paper_ids)
    confirm(yes)
    _delete(library, paper_ids)


def _delete(library: Library, paper_ids: Collection[str]) -> None:
    from ingest.maintenance import removal

    removal.remove_papers(library, paper_ids)
    _report(library, len(paper_ids))


def _report(library: Library, deleted: int) -> None:
    typer.echo(f"{deleted} deleted, {library.catalog.papers.count()} papers left.")


def _announce(library: Library, paper_ids: Sequence[str]) -> None:
    """List on standard error the papers that are about to be deleted."""
    typer.echo(f"{terminal.counted(len(paper_ids), 'paper')} will be deleted:", err=True)
    for paper in library.catalog.papers.get(paper_ids[:_MAX_LISTED]):
        typer.echo(f"  {one_line(terminal.paper_line(paper))}", err=True)
    if len(paper_ids) > _MAX_LISTED:
        typer.echo(f"  and {len(paper_ids) - _MAX_LISTED} more", err=True)
