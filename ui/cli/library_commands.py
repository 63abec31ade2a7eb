"""The verbs about the library itself: what goes in, what is there, what goes, and whether all is well."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.errors import InputError, NotFoundError
from assistant.question.filters import parse_selection
from assistant.schema import Sort
from assistant.serialization import Json, paper_json
from assistant.text.printable import one_line
from ui.cli import terminal
from ui.cli.common import AsJson, PageNumber, dumps, print_array, print_report, settings_of

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.storage.library import Library
    from assistant.storage.records import StoredRecord

app = typer.Typer()

# More papers than a library has, and yet a number that SQLite takes.
_EVERYTHING = 1 << 40
# Of the papers that are to be deleted so many are named.
_NAMED = 10

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant.")]


@app.command()
def ingest(context: typer.Context, paths: Annotated[list[Path], typer.Argument(help="Files or folders.")]) -> None:
    """Add the papers of files and folders to the library; - is standard input."""
    from ingest import pipeline
    from ingest.progress import progress_bar

    library = factory.open_library(settings_of(context))
    with progress_bar() as progress:
        report = pipeline.ingest(paths, library, progress)
    print_report(report, library.catalog)
    if report.failed:
        raise typer.Exit(1)


@app.command()
def add(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="arxiv:ID, doi:DOI or arxiv-search:WORDS.")],
    limit: Annotated[int, typer.Option(min=1, max=2000, help="The most papers of a search.")] = 50,
) -> None:
    """Add papers from arXiv, or by their DOI: the one verb that asks the network."""
    from importlib.metadata import version

    from ingest import pipeline
    from ingest.progress import progress_bar
    from ingest.sources import lookup
    from ingest.sources.http_client import HttpClient

    settings = settings_of(context)
    services = lookup.ServiceUrls(settings.arxiv_url, settings.doi_url.rstrip("/"))
    with HttpClient(f"paperchat/{version('paperchat')}") as web:
        found = list(lookup.fetch(names, web, services, limit))  # all of it before the library is locked
    library = factory.open_library(settings)
    with progress_bar() as progress:
        report = pipeline.ingest_records(found, library, progress)
    print_report(report, library.catalog)
    if report.failed:
        raise typer.Exit(1)


@app.command("list")
def list_papers(
    context: typer.Context,
    matching: Annotated[
        list[str] | None, typer.Argument(metavar="FILTER...", help="Filters as in a question, and words.")
    ] = None,
    sort: Annotated[Sort, typer.Option(help="What to sort by.")] = Sort.ID,
    backwards: Annotated[bool, typer.Option("--reverse", help="Turn the order round.")] = False,
    page: PageNumber = 1,
    size: Annotated[int | None, typer.Option(min=1, help="How many papers a page has; all of them else.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the papers of the library, or those that match."""
    catalog = factory.open_catalog(settings_of(context).home)
    selected = parse_selection(" ".join(matching or ()), catalog.papers.has_author)
    limit = size or _EVERYTHING
    found = catalog.papers.page(selected, sort, reverse=backwards, offset=(page - 1) * limit, limit=limit)
    if as_json:
        print_array(map(paper_json, found.papers))
        return
    for paper in found.papers:
        typer.echo(terminal.paper_line(paper))
    if (more := found.total - found.offset - len(found.papers)) > 0:
        typer.echo(f"{more} more of {terminal.counted(found.total, 'paper')}: --page {page + 1}", err=True)


@app.command()
def show(
    context: typer.Context,
    paper_id: str,
    records: Annotated[bool, typer.Option("--records", help="And what each source says of it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one paper; the beginning of its id is enough."""
    catalog = factory.open_catalog(settings_of(context).home)
    paper = catalog.papers.find(paper_id)
    held = catalog.records.of_papers([paper.id]) if records else []
    if as_json:
        typer.echo(dumps(paper_json(paper) | (_records_json(held) if records else {})))
        return
    typer.echo(terminal.paper_text(paper))
    for each in held:
        typer.echo(f"\n{terminal.record_text(each.record)}")


@app.command()
def unmerge(
    context: typer.Context,
    paper_id: str,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Set apart what this source says; else what each of them says.")
    ] = None,
) -> None:
    """Take a paper apart that is really several; they stay apart until merge joins them."""
    from ingest import merging

    library = factory.open_library(settings_of(context))
    for paper in merging.unmerge(library, library.catalog.papers.find(paper_id).id, source):
        typer.echo(one_line(terminal.paper_line(paper)))


@app.command()
def merge(context: typer.Context, paper_ids: Annotated[list[str], typer.Argument(metavar="ID...")]) -> None:
    """Make one paper of several; unmerge takes them apart again."""
    from ingest import merging

    library = factory.open_library(settings_of(context))
    paper = merging.merge(library, {library.catalog.papers.find(paper_id).id for paper_id in paper_ids})
    typer.echo(one_line(terminal.paper_line(paper)))


@app.command()
def delete(
    context: typer.Context,
    paper_ids: Annotated[list[str] | None, typer.Argument(metavar="ID...")] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="What this source said; see status.")] = None,
    matching: Annotated[str | None, typer.Option("--filter", help="The papers that match, as in list.")] = None,
    yes: Yes = False,
) -> None:
    """Delete papers by id, by source or by filter; unless every id is known, none is deleted.

    What other sources say of a source's papers stays.
    """
    if sum(given is not None for given in (paper_ids, source, matching)) != 1:
        raise typer.BadParameter("give ids, --source NAME or --filter FILTER, and only one of these")
    library = factory.open_library(settings_of(context))
    if source is not None:
        _delete_source(library, source, yes)
    elif matching is not None:
        _delete_matching(library, matching, yes)
    else:
        _delete(library, {library.catalog.papers.find(paper_id).id for paper_id in paper_ids or ()})


@app.command()
def doctor(
    context: typer.Context,
    mend: Annotated[bool, typer.Option("--repair", help="Mend the indexes first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the settings, the library and the models; exit code 1 where something is wrong."""
    from ui import doctor

    settings = settings_of(context)
    if mend:
        _repair(settings)
    found = doctor.examine(settings)
    typer.echo(dumps(doctor.as_json(found)) if as_json else doctor.as_text(found))
    if found.problems:
        raise typer.Exit(1)


@app.command("backup")
def write_backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write the whole library with its conversations to one file; others may read and ingest meanwhile."""
    from ingest.maintenance import backup

    made = backup.backup(settings_of(context), file, force)
    typer.echo(f"{terminal.counted(made.papers, 'paper')} in {file}, {file.stat().st_size:,} bytes.")


@app.command()
def restore(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="A file that backup wrote.")], yes: Yes = False
) -> None:
    """Put a backup in the place of the library and its conversations; a wrong or cut file changes nothing."""
    from ingest.maintenance import backup
    from ingest.progress import progress_bar

    settings = settings_of(context)
    made = backup.inspect(file)
    typer.echo(
        f"{terminal.counted(made.papers, 'paper')} of {one_line(made.made)} will replace the library "
        f"in {settings.home} with its conversations.",
        err=True,
    )
    _confirm(yes)
    with progress_bar() as progress:
        done = backup.restore(settings, file, progress)
    typer.echo(f"{terminal.counted(done, 'paper')} restored.")


@app.command()
def reindex(context: typer.Context) -> None:
    """Build both indexes anew from the catalog: after a change of the embedder, or when they are damaged."""
    from ingest import indexing
    from ingest.progress import progress_bar

    settings = settings_of(context)
    embedder = factory.open_embedder(settings)  # first, so that a wrong name leaves the indexes alone
    factory.reset_indexes(settings)
    library = factory.open_library(settings, embedder)
    with progress_bar() as progress, library.writing():
        done = indexing.update_indexes(library, progress)
    typer.echo(f"{done} papers indexed.")


@app.command()
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the library at a glance: papers, sources, size on disk, embedder, last ingest."""
    from ui import status

    found = status.status(settings_of(context))
    typer.echo(dumps(status.status_json(found)) if as_json else status.status_text(found))


@app.command()
def libraries(context: typer.Context, as_json: AsJson = False) -> None:
    """List the libraries that there are; --library NAME, before the verb, works with one of them."""
    from ui import status

    found = status.libraries(settings_of(context))
    if as_json:
        print_array(map(status.entry_json, found))
        return
    for each in found:
        typer.echo(status.entry_line(each))


def _records_json(held: Sequence[StoredRecord]) -> Json:
    """What each source says, and which of them the paper's fields are from."""
    from ingest import identity

    said = [asdict(each.record) | {"authors": list(each.record.authors)} for each in held]
    return {"records": said, "from": identity.field_sources([each.record for each in held])}


def _repair(settings: Settings) -> None:
    from ingest.maintenance.repair import repair
    from ingest.progress import progress_bar

    with progress_bar() as progress:
        done = repair(settings, progress)
    typer.echo(f"{terminal.counted(done, 'paper')} indexed again.", err=True)


def _delete_source(library: Library, source: str, yes: bool) -> None:
    from ingest.maintenance import removal

    alone, shared = library.catalog.records.papers_from(source)
    if not alone and not shared:
        known = ", ".join(repr(each.name) for each in library.catalog.records.sources()) or "none"
        raise NotFoundError(f"no source is named {source!r}; there are: {known}")
    _announce(library, alone)
    if shared:
        kept = terminal.counted(len(shared), "paper")
        typer.echo(f"{kept} will stay with what other sources say, and lose what {source} says.", err=True)
    _confirm(yes)
    removal.remove_source(library, source)
    typer.echo(f"{len(alone)} deleted, {library.catalog.papers.count()} papers left.")


def _delete_matching(library: Library, matching: str, yes: bool) -> None:
    selected = parse_selection(matching, library.catalog.papers.has_author)
    if not selected:
        raise InputError("--filter", "says nothing that papers could be told by")
    found = [paper.id for paper in library.catalog.papers.all(selected)]
    if not found:
        raise NotFoundError(f"no paper matches {matching}")
    _announce(library, found)
    _confirm(yes)
    _delete(library, found)


def _delete(library: Library, paper_ids: Collection[str]) -> None:
    from ingest.maintenance import removal

    removal.remove_papers(library, paper_ids)
    typer.echo(f"{len(paper_ids)} deleted, {library.catalog.papers.count()} papers left.")


def _announce(library: Library, paper_ids: Sequence[str]) -> None:
    """Say on standard error which papers will go."""
    typer.echo(f"{terminal.counted(len(paper_ids), 'paper')} will be deleted:", err=True)
    for paper in library.catalog.papers.get(paper_ids[:_NAMED]):
        typer.echo(f"  {one_line(terminal.paper_line(paper))}", err=True)
    if len(paper_ids) > _NAMED:
        typer.echo(f"  and {len(paper_ids) - _NAMED} more", err=True)


def _confirm(yes: bool) -> None:
    """Ask on standard error; anything but a yes ends the command with exit code 1."""
    if yes:
        return
    typer.echo("Go on? [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        typer.echo("Nothing was done. --yes goes on without asking.", err=True)
        raise typer.Exit(1)
