"""The papers of the library as a table to HTML, a page of it at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from assistant.schema import Paper, Sort
from assistant.storage.records import StoredRecord
from assistant.text.latex import to_text
from assistant.text.titles import display_title
from ui.cli.terminal import counted
from ui.links import paper_url
from ui.page import render
from ui.page.turns import button, line

SIZE = 25
# The columns, each with its heading.
_COLUMNS = {Sort.TITLE: "Title", Sort.AUTHOR: "Authors", Sort.YEAR: "Year", Sort.VENUE: "Venue"}
_KNOWN = ("title", "authors", "year", "venue", "doi", "arxiv_id", "abstract")


@dataclass(frozen=True, slots=True)
class Shelf:
    """What of the library is on the screen: which papers, in which order, which page, and the paper that is open.

    `words` are words and filters, as `assistant.question.filters.parse_selection` takes them.
    """

    words: str = ""
    sort: Sort = Sort.TITLE
    backwards: bool = False
    page: int = 0
    paper: str | None = None


def table_html(papers: Sequence[Paper], shelf: Shelf, count: int, detail: str = "") -> str:
    """A page of papers with its place among them all; `detail` stands below the paper that is open.

    The roles are said because a phone shows the rows as blocks, which are else no rows to a screen reader.
    """
    if not count:
        said = "No paper has these words." if shelf.words else "The library is empty: drop a file above."
        return f'<p class="quiet">{said}</p>'
    heads = "".join(_head(sort, shelf) for sort in _COLUMNS)
    rows = "".join(_row(paper) + (_detail(detail) if paper.id == shelf.paper else "") for paper in papers)
    return (
        f'{_places(shelf, len(papers), count)}<div class="table"><table role="table">'
        f'<thead><tr role="row">{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def refused_html(reason: str) -> str:
    """Why there is no table for what was typed."""
    return f'<p class="quiet">{render.plain_html(reason)}</p>'


def detail_html(paper: Paper, records: Sequence[StoredRecord]) -> str:
    """Everything known of a paper, and what each source says of it."""
    address = paper_url(paper)
    where = f"<p>{_web_link(address)}</p>" if address else ""
    abstract = render.plain_html(paper.abstract) or "There is no abstract, so searches do not find this paper."
    sources = "".join(_record(each) for each in records)
    merged = f"<p>{counted(len(records), 'record')} of it:</p><ul>{sources}</ul>"
    title = to_text(display_title(paper))[:60]
    acts = button("remove", paper.id, "Delete this paper", unseen=title)
    if len(records) > 1:
        acts += button("unmerge", paper.id, "Take it apart", "The records are of several papers", title)
    return f'<p class="quiet">{render.plain_html(", ".join(paper.authors))}</p>{where}<p>{abstract}</p>{merged}{acts}'


def _web_link(address: str) -> str:
    shown = escape(address)
    return f'<a href="{shown}" target="_blank" rel="noopener noreferrer">{shown}</a>'


def _places(shelf: Shelf, shown: int, count: int) -> str:
    first = shelf.page * SIZE + 1
    before = button("turn", shelf.page - 1, "Previous page") if shelf.page else ""
    after = button("turn", shelf.page + 1, "Next page") if shelf.page * SIZE + shown < count else ""
    return f'<p class="places">{first:,} to {first + shown - 1:,} of {count:,} papers {before}{after}</p>'


def _head(sort: Sort, shelf: Shelf) -> str:
    falls = shelf.backwards is not sort.latest_first
    state = ("descending" if falls else "ascending") if sort is shelf.sort else "none"
    arrow = {"ascending": " ↑", "descending": " ↓", "none": ""}[state]
    named = button("sort", sort, _COLUMNS[sort] + arrow)
    return f'<th scope="col" role="columnheader" aria-sort="{state}">{named}</th>'


def _row(paper: Paper) -> str:
    authors = f"{paper.authors[0]}{' et al.' if len(paper.authors) > 1 else ''}" if paper.authors else ""
    cells = "".join(_cell(each) for each in (authors, paper.year, paper.venue))
    title = button("show", paper.id, to_text(display_title(paper)))
    return f'<tr role="row"><th scope="row" role="rowheader">{title}</th>{cells}</tr>'


def _cell(value: object) -> str:
    return f'<td role="cell">{line(to_text(str(value or "")))}</td>'


def _detail(detail: str) -> str:
    return f'<tr class="detail" role="row"><td role="cell" colspan="{len(_COLUMNS)}">{detail}</td></tr>'


def _record(stored: StoredRecord) -> str:
    record = stored.record
    place = f"{record.source}, line {record.line}" if record.line else record.source
    known = [name for name in _KNOWN if getattr(record, name)]
    return f"<li>{line(place)} <span class=quiet>({', '.join(known)})</span></li>"
