"""The commands about watched sources and retractions: watch, retractions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.errors import InputError, NotFoundError
from assistant.text.printable import one_line, printable
from ui.cli import terminal
from ui.cli.common import AsJson, Force, ToFile, dumps, print_array, settings_of, write_text
from ui.export.formats import DigestFormat

if TYPE_CHECKING:
    from assistant.schema import Paper
    from assistant.settings import Settings
    from assistant.storage.catalog import Catalog
    from assistant.storage.library import Library
    from assistant.storage.watches import Watch
    from ingest.watching.run import WatchOutcome
    from ui.export.watch_digest import DatedDigest

app = typer.Typer()
_PANEL = "Library"
watch_app = typer.Typer(help="Watch sources for new papers, and read what they brought.", no_args_is_help=True)
app.add_typer(watch_app, name="watch", rich_help_panel=_PANEL)
# The owner of the conversations of a machine's single user.
_OWNER = ""
_FEED_NAME = "digests.atom"
# Digests that a feed has.
_IN_FEED = 50


@watch_app.command("add")
def add_watch(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="arxiv-search:WORDS, the address of a feed (RSS, Atom), a folder, or zotero:.")
    ],
) -> None:
    """Watch a source; nothing is fetched before watch run."""
    from ingest.watching.sources import parse_source
    from ui.watching import SERVICES

    watch = factory.open_catalog(settings_of(context)).watches.add(parse_source(source, SERVICES.keys()))
    typer.echo(one_line(f"{watch.id}  {watch.source}"))


@watch_app.command("list")
def list_watches(context: typer.Context, as_json: AsJson = False) -> None:
    """List what is watched, when it was last looked at, and what went wrong."""
    watches = factory.open_catalog(settings_of(context)).watches.all()
    if as_json:
        print_array(map(_watch_json, watches))
        return
    for watch in watches:
        typer.echo(one_line(_watch_line(watch)))


@watch_app.command("remove")
def remove_watch(
    context: typer.Context, name: Annotated[str, typer.Argument(help="The id, or the source as it was added.")]
) -> None:
    """Stop watching a source; the papers that it brought stay."""
    watches = factory.open_catalog(settings_of(context)).watches
    watch = watches.find(name)
    watches.remove(watch.id)
    typer.echo(one_line(f"{watch.source} is no longer watched."))


@watch_app.command("run")
def run_watches(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Ids or sources; by default, all.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Ask sources that failed lately again at once.")] = False,
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the digest and the feed of digests to this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add what is new in the watched sources, and show a digest of it; exit with code 1 if a source failed."""
    settings = settings_of(context)
    library = factory.open_library(settings)
    watches = library.catalog.watches
    chosen = [watches.find(name) for name in names] if names else watches.all()
    outcomes = _look(settings, library, chosen, retry)
    digest = _make_digest(settings, library)
    if as_json:
        typer.echo(dumps({"watches": list(map(_outcome_json, outcomes)), "digest": _json_or_none(digest)}))
    elif digest:
        typer.echo(printable(_written(digest, DigestFormat.TEXT)), nl=False)
    else:
        typer.echo("Nothing is new." if chosen else "Nothing is watched: paperchat watch add begins to.")
    if to:
        _write_files(to, library.catalog, digest)
    library.close()
    if any(outcome.error and not outcome.postponed for outcome in outcomes):
        raise typer.Exit(1)


@watch_app.command("digest")
def show_digest(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(help="Number of the digest; by default, the last one.")] = None,
    form: Annotated[DigestFormat, typer.Option("--format", help="Format of the digest.")] = DigestFormat.TEXT,
    to: ToFile = None,
    force: Force = False,
) -> None:
    """Show a digest, which is read from then on."""
    from ui.export.watch_digest import read_digest

    digests = factory.open_catalog(settings_of(context)).digests
    stored = digests.find(number, _OWNER) if number else next(iter(digests.recent(_OWNER, 1)), None)
    if stored is None:
        raise NotFoundError(f"there is no digest {number}" if number else "there is no digest yet: paperchat watch run")
    digests.mark_read([stored.id], _OWNER)
    write_text(_written(read_digest(stored), form), to, overwrite=force)


@watch_app.command("digests")
def list_digests(context: typer.Context, as_json: AsJson = False) -> None:
    """List the digests, the newest first; those that were not read have a star."""
    from ui.export.watch_digest import as_json as digest_as_json
    from ui.export.watch_digest import digests_of

    digests = factory.open_catalog(settings_of(context)).digests
    dated = list(digests_of(digests.recent(_OWNER, _IN_FEED)))
    if as_json:
        print_array(map(digest_as_json, dated))
        return
    for digest in dated:
        typer.echo(f"{' ' if digest.is_read else '*'} {digest.id:4}  {digest.title}")


@watch_app.command("feed")
def write_feed(context: typer.Context, to: ToFile = None, force: Force = False) -> None:
    """Write the last digests as an Atom feed, for a feed reader."""
    catalog = factory.open_catalog(settings_of(context))
    write_text(_feed(catalog), to, overwrite=force)


@app.command(rich_help_panel=_PANEL)
def retractions(
    context: typer.Context,
    filters: Annotated[
        list[str] | None, typer.Argument(metavar="FILTER...", help="Words and filters, as in list.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Ask Crossref, OpenAlex and arXiv first; sends DOIs and arXiv ids.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the papers that were retracted or withdrawn, as far as is known."""
    from assistant.question.filters import parse_selection
    from assistant.serialization import paper_json

    settings = settings_of(context)
    catalog = factory.open_catalog(settings)
    selection = parse_selection(" ".join(filters or ()), catalog.papers.has_author)
    papers = list(catalog.papers.all(selection))
    failed = _check(settings, catalog, [paper.id for paper in papers]) if online else False
    noticed = [paper for paper in catalog.papers.all(selection) if paper.notice]
    if as_json:
        print_array(map(paper_json, noticed))
    else:
        _print_noticed(noticed, len(papers))
    if failed:
        raise typer.Exit(1)


def _print_noticed(noticed: list[Paper], checked: int) -> None:
    from assistant.text.notices import notice_text

    for paper in noticed:
        typer.echo(one_line(terminal.paper_line(paper)))
        if paper.notice:
            typer.echo(f"    {one_line(notice_text(paper.notice))}")
    typer.echo(f"{len(noticed)} of {terminal.counted(checked, 'paper')} known to be retracted or withdrawn.", err=True)


def _check(settings: Settings, catalog: Catalog, paper_ids: list[str]) -> bool:
    """Ask the services about papers; return whether one of them failed."""
    from ingest.adding import user_agent
    from ingest.retractions import AnnouncementUrls, check
    from ingest.sources.http_client import HttpClient

    urls = AnnouncementUrls(settings.crossref_url.rstrip("/"), settings.openalex_url.rstrip("/"), settings.arxiv_url)
    with HttpClient(user_agent(settings)) as client:
        problems = list(check(catalog.papers.get(paper_ids), catalog, client, urls))
    for problem in problems:
        typer.echo(f"paperchat: {one_line(str(problem))}", err=True)
    return bool(problems)


def _look(settings: Settings, library: Library, watches: list[Watch], retry: bool) -> list[WatchOutcome]:
    """Run watches, with what goes wrong on standard error."""
    from ingest.progress import progress_bar
    from ui import watching

    outcomes = []
    with progress_bar() as progress:
        for outcome in watching.look(settings, library, watches, patient=not retry, progress=progress):
            outcomes.append(outcome)
            for line in _outcome_lines(outcome):
                typer.echo(one_line(line), err=True)
    return outcomes


def _outcome_lines(outcome: WatchOutcome) -> list[str]:
    if outcome.postponed:
        return [f"paperchat: {outcome.source}: left alone until {outcome.postponed}: {outcome.error}"]
    if outcome.error:
        return [f"paperchat: {outcome.source}: {outcome.error}"]
    problems = outcome.report.problems if outcome.report else []
    return [*(f"paperchat: warning: {problem}" for problem in problems), f"{outcome.source}: {outcome.new} new"]


def _make_digest(settings: Settings, library: Library) -> DatedDigest | None:
    """Make a digest where there is something to tell; only then the models are loaded."""
    from assistant.watching.digest_making import has_news
    from ui import watching
    from ui.export.watch_digest import read_digest

    if not has_news(library.catalog):
        return None
    number = watching.digest(settings, factory.open_assistant(settings, library))
    stored = library.catalog.digests.find(number, _OWNER) if number else None
    return read_digest(stored) if stored else None


def _write_files(folder: Path, catalog: Catalog, digest: DatedDigest | None) -> None:
    """Write a digest in every format, and the feed. Raises InputError."""
    from ui.export import transcripts
    from ui.export.watch_digest import write_digest

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(str(folder), f"cannot be made: {error.strerror}") from error
    endings = {DigestFormat.MARKDOWN: "md", DigestFormat.HTML: "html", DigestFormat.JSON: "json"}
    for form, ending in endings.items() if digest else ():
        if digest:
            name = f"digest-{digest.made[:10]}-{digest.id}.{ending}"
            transcripts.write_file(write_digest(digest, form), folder / name, overwrite=True)
    transcripts.write_file(_feed(catalog), folder / _FEED_NAME, overwrite=True)


def _feed(catalog: Catalog) -> str:
    from ui.export.watch_digest import atom, digests_of

    return atom(list(digests_of(catalog.digests.recent(_OWNER, _IN_FEED))), f"urn:paperchat:{catalog.library_id:016x}")


def _written(digest: DatedDigest, form: DigestFormat) -> str:
    from ui.export.watch_digest import write_digest

    return write_digest(digest, form)


def _json_or_none(digest: DatedDigest | None) -> object:
    from ui.export.watch_digest import as_json

    return as_json(digest) if digest else None


def _watch_line(watch: Watch) -> str:
    last = f"looked at {watch.last_run}" if watch.last_run else "not looked at yet"
    failed = f"; failed {watch.failures} times, left alone until {watch.not_before}: {watch.error}"
    return f"{watch.id}  {watch.source}  ({last}{failed if watch.failures else ''})"


def _watch_json(watch: Watch) -> dict[str, object]:
    names = ("id", "source", "created", "last_run", "failures", "error", "not_before")
    return {name: getattr(watch, name) for name in names}


def _outcome_json(outcome: WatchOutcome) -> dict[str, object]:
    return {
        "source": outcome.source,
        "new": outcome.new,
        "error": outcome.error or None,
        "postponed": outcome.postponed or None,
    }
