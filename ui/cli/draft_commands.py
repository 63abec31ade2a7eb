"""The command that checks a draft against the library."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.errors import InputError
from ui.cli.common import AsJson, dumps, open_assistant, print_report, settings_of

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.drafts.values import DraftCheck, SentenceCheck
    from assistant.schema import Annotation
    from ingest.drafts import DraftRun, OpenDraft

app = typer.Typer()
_PANEL = "Questions"


@app.command(rich_help_panel=_PANEL)
def check(
    context: typer.Context,
    draft: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .tex, .md, .txt or .docx file; - is standard input.")
    ],
    bib: Annotated[
        list[Path] | None,
        typer.Option("--bib", metavar="FILE", help="A .bib file; by default the one beside the draft."),
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="Add the entries of the .bib files to the library first.")] = False,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report of one HTML file.")] = None,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the findings as SARIF, for editors.")
    ] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Print the corrected citations as a diff, and change nothing.")
    ] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Apply the corrections of --diff to the files.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 1 where a sentence is contradicted.")
    ] = False,
) -> None:
    """Check a draft: does the library say what each sentence says, and the cited paper what it is cited for?"""
    from ingest import drafts

    opened = (
        drafts.open_stream(sys.stdin.buffer, bib or ()) if draft == Path("-") else drafts.open_file(draft, bib or ())
    )
    if (diff or fix) and (reason := _unfixable(draft, opened)):
        raise InputError(str(draft), reason)
    settings = settings_of(context, llm=factory.EXTRACTIVE)
    assistant = open_assistant(settings)
    if add:
        _add(opened, assistant)
    run = drafts.check(opened, assistant)
    quiet = as_json or diff or fix
    for checked in _with_progress(run, is_shown=quiet or not sys.stdout.isatty()):
        if not quiet:
            _print_sentence(checked, run)
    result = run.result()
    _print_result(result, as_json, quiet)
    _write_reports(result, run, draft, html, sarif)
    if diff or fix:
        suggested = {paper.paper.id for checked in result.sentences for paper in checked.suggestions}
        _correct(result, run, draft, assistant.library.catalog.annotations.of_papers(suggested), fix)
    if strict and result.is_contradicted:
        raise typer.Exit(1)


def _unfixable(path: Path, draft: OpenDraft) -> str:
    """Return why a draft cannot be corrected; empty where it can."""
    from assistant.drafts.values import DraftFormat

    if path == Path("-"):
        return "only a file can be corrected"
    if draft.is_document or draft.text.format is DraftFormat.TEXT:
        return "only LaTeX and Markdown can be corrected"
    return "" if draft.encoding.startswith("utf-8") else "only files in UTF-8 can be corrected"


def _add(draft: OpenDraft, assistant: Assistant) -> None:
    from ingest import pipeline

    records = [entry.record for entry in draft.entries if not entry.is_text]
    print_report(pipeline.ingest_records(records, assistant.library), assistant.library.catalog, err=True)


def _with_progress(run: DraftRun, is_shown: bool) -> Iterator[SentenceCheck]:
    """Yield the sentences as they are checked, with a bar of the characters of the draft on a terminal."""
    from ingest.progress import progress_bar
    from ingest.report import Progress

    with progress_bar("Checking") as show:
        for checked in run.sentences():
            if show and is_shown:
                show(Progress("characters checked", checked.sentence.end, len(run.draft.text.source)))
            yield checked


def _print_sentence(checked: SentenceCheck, run: DraftRun) -> None:
    from ui.cli import draft_text

    line = run.lines.position(checked.sentence.start)[0]
    typer.echo(draft_text.sentence_text(checked, line), color=_colour())


def _print_result(result: DraftCheck, as_json: bool, quiet: bool) -> None:
    from assistant.drafts.serialization import check_json
    from ui.cli import draft_text

    if as_json:
        typer.echo(dumps(check_json(result)))
    elif not quiet:
        typer.echo(draft_text.result_text(result), color=_colour())


def _colour() -> bool | None:
    """Return whether to write colours: as the terminal wants, or never."""
    return False if os.environ.get("NO_COLOR") else None


def _write_reports(result: DraftCheck, run: DraftRun, path: Path, html: Path | None, sarif: Path | None) -> None:
    from ui.export import check_report
    from ui.export.transcripts import write_file

    name = "standard input" if path == Path("-") else path.name
    if html:
        write_file(check_report.html(result, name), html, overwrite=True)
    if sarif:
        written = check_report.sarif(result, run.draft.text.source, name, run.draft.entries)
        write_file(written, sarif, overwrite=True)


def _correct(result: DraftCheck, run: DraftRun, path: Path, annotations: Mapping[str, Annotation], apply: bool) -> None:
    """Print the corrections as a diff; apply them where that is wanted."""
    from ui.export import draft_fix

    changes = draft_fix.changes(result, run.draft, path, annotations)
    typer.echo(draft_fix.diff(changes), nl=False)
    if apply:
        draft_fix.write(changes)
        typer.echo(f"{len(changes)} files changed." if len(changes) != 1 else "1 file changed.", err=True)
