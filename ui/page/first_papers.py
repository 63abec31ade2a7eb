"""The actions of the first-run guide: the sample library, and papers from arXiv or by DOI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.errors import InputError
from ingest import adding
from ingest.sample import sample_folder
from ingest.sources import arxiv, doi
from ui.page import ingest_view
from ui.page.page_context import PageContext
from ui.page.session import PageUpdate

if TYPE_CHECKING:
    pass

_MAX_LENGTH, _MAX_FOUND = 500, 20
_SEARCH = "arxiv-search:"


def paper_names(text: str) -> list[str]:
    """Return the names by which `ingest.sources.lookup` finds what a person typed: ids, addresses, DOIs or words.

    Raises InputError where nothing was typed, or too much.
    """
    words = text.removeprefix(_SEARCH).replace(",", " ").split()
    if not words or len(text) > _MAX_LENGTH:
        raise InputError("arXiv", f"give an id, an address, a DOI, or words of at most {_MAX_LENGTH} characters")
    names = [_name(word) for word in words]
    return names if all(names) else [f"{_SEARCH}{' '.join(words)}"]


def _name(word: str) -> str:
    """Return the name of one id, address or DOI; empty for a plain word."""
    if word.startswith(("arxiv:", "doi:")):
        return word
    if arxiv_id := arxiv.parse_id(word):
        return f"arxiv:{arxiv_id}"
    return f"doi:{identifier}" if (identifier := doi.parse_doi(word)) else ""


def _add_sample(context: PageContext, value: str, text: str) -> Iterator[PageUpdate]:
    """Add the sample library to an empty library."""
    if context.backend.catalog.papers.count():
        yield context.show_all()
        return
    yield from _with_report(context, ingest_view.add_papers(context.backend.library, [sample_folder()]))


def _fetch(context: PageContext, value: str, text: str) -> Iterator[PageUpdate]:
    """Add papers from arXiv or by DOI."""
    names, settings = paper_names(text), context.backend.settings
    yield from _with_report(
        context, ingest_view.add_fetched(context.backend.library, lambda: adding.fetch(names, settings, _MAX_FOUND))
    )


def _with_report(context: PageContext, reports: Iterator[str]) -> Iterator[PageUpdate]:
    """Yield the progress of an ingest, then the page with its report."""
    report = ""
    for report in reports:
        yield PageUpdate(pending=report)
    yield replace(context.show_all(), pending=report)


ACTIONS: dict[str, Callable[[PageContext, str, str], Iterator[PageUpdate]]] = {"sample": _add_sample, "fetch": _fetch}
