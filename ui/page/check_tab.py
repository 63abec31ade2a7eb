"""The check tab: a draft is pasted or dropped, and its sentences come with their verdicts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import gradio as gr

from assistant.drafts.values import DraftCheck
from assistant.errors import PaperchatError
from ingest import bibliography, drafts
from ui.page import render
from ui.page.backend import PageBackend
from ui.page.check_view import bibliography_html, check_html, running_html, sentences_html, summary_html
from ui.page.events import QUIET
from ui.page.session import TabSettings

# Seconds between two updates while a draft is checked, and sentences that the page shows of a long one.
_PAUSE, _MAX_SHOWN = 0.7, 500

# What the page shows, and the check so far while it goes on.
CheckUpdate: TypeAlias = tuple[str, DraftCheck | None]


@dataclass(frozen=True, slots=True)
class _CheckParts:
    """What the tab's events read and change."""

    text: gr.Textbox
    draft: gr.File
    bib: gr.File
    start: gr.Button
    stop: gr.Button
    result: gr.HTML


def build(backend: PageBackend, tab_settings: gr.State) -> None:
    """Build the tab with its events."""
    parts = _build_parts()

    def check(text: str, draft: str | None, bib: list[str] | None, tab: TabSettings) -> Iterator[CheckUpdate]:
        yield from check_draft(backend, tab, text, Path(draft) if draft else None, [Path(file) for file in bib or ()])

    inputs, unfinished = [parts.text, parts.draft, parts.bib, tab_settings], gr.State(None)
    checked = parts.start.click(check, inputs, [parts.result, unfinished], concurrency_limit=2, **QUIET)
    parts.stop.click(stopped, unfinished, [parts.result, unfinished], cancels=[checked], **QUIET)


def check_draft(
    backend: PageBackend, tab: TabSettings, text: str, draft: Path | None, bib: list[Path]
) -> Iterator[CheckUpdate]:
    """Yield the check of a draft as HTML, again and again as it goes on, or why it cannot be checked.

    The files are the browser's copies, and are deleted.
    """
    yield '<p class="waiting">Reading ...</p>', DraftCheck(())
    try:
        opened = drafts.open_file(draft, bib) if draft else drafts.open_text(text)
        if not draft:
            opened = drafts.with_bibliography(opened, [(bibliography.read_file(file), file.name) for file in bib])
        yield from _progress(drafts.check(opened, backend.assistant(tab)))
    except PaperchatError as error:
        yield render.error_html(str(error)), None
    finally:
        for path in [*([draft] if draft else []), *bib]:
            shutil.rmtree(path.parent, ignore_errors=True)


def stopped(unfinished: DraftCheck | None) -> tuple[Any, None]:
    """Return what was checked until the check was stopped; no change where none is in progress."""
    if unfinished is None:
        return gr.skip(), None
    return f'<p class="waiting">Stopped.</p>{result_html(unfinished)}', None


def result_html(check: DraftCheck) -> str:
    """Return the whole result; of a long draft the sentences of which something is to say come first, up to a limit."""
    if len(check.sentences) <= _MAX_SHOWN:
        return check_html(check)
    noted = [item for item in check.sentences if item.is_alarm or item.suggestions][:_MAX_SHOWN]
    note = (
        f"<p>These are {len(noted):,} sentences of which something is to say; paperchat check --html reports all.</p>"
    )
    return summary_html(check) + note + sentences_html(noted) + bibliography_html(check.bibliography)


def _progress(run: drafts.DraftRun) -> Iterator[CheckUpdate]:
    shown, total = -_PAUSE, len(run.draft.text.source)
    for _ in run.sentences():
        if time.monotonic() - shown >= _PAUSE:
            shown, unfinished = time.monotonic(), run.result()
            yield running_html(total, unfinished), unfinished
    yield result_html(run.result()), None


def _build_parts() -> _CheckParts:
    gr.HTML(
        '<p class="quiet">Paste or drop a draft: do the papers of this library say what each sentence says, and '
        "does each cited paper?</p>"
    )
    text = gr.Textbox(
        label="Draft", lines=8, max_lines=16, placeholder="LaTeX, Markdown or plain text ...", elem_id="draft"
    )
    with gr.Row(elem_id="draft-files"):
        draft = gr.File(
            label="Or a file: .tex, .md, .txt, .docx", file_types=[".tex", ".md", ".txt", ".docx"], height=130
        )
        bib = gr.File(label="Bibliography: .bib", file_count="multiple", file_types=[".bib"], height=130)
    with gr.Row(elem_id="checking"):
        start = gr.Button("Check", variant="primary", elem_id="check", scale=0, min_width=120)
        stop = gr.Button("Stop", scale=0, min_width=80)
    return _CheckParts(text, draft, bib, start, stop, gr.HTML(elem_id="checked"))
