"""Render the papers of the library as a table, one page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from assistant.schema import Paper, Sort
from assistant.storage.records import StoredRecord
from assistant.text.latex import to_text
from assistant.text.links import paper_url
from assistant.text.titles import display_title
from ui.cli.terminal import counted
from ui.page import render
from ui.page.turns import attribute, button, line_html

PAGE_SIZE = 25
_COLUMNS = {Sort.TITLE: "Title", Sort.AUTHOR: "Authors", Sort.YEAR: "Year", Sort.VENUE: "Venue"}
_RECORD_FIELDS = ("title", "authors", "year", "venue", "doi", "arxiv_id", "abstract")


@dataclass(frozen=True, slots=True)
class TableState:
    """Which papers the table shows, in which order, which page of them, and the paper whose details are open.

    `query` is words and filters as `assistant.question.filters.parse_selection` takes them; `collection` is the id of
    the collection that is shown, empty for all papers.
    """

    query: str = ""
    sort: Sort = Sort.TITLE
    reverse: bool = False
    page: int = 0
    open_id: str | None = None
    collection: str = ""


def table_html(papers: Sequence[Paper], state: TableState, count: int, detail: str = "") -> str:
    """Return a page of papers with its position among all `count`; `detail` belongs below the open paper.

    The roles are explicit because a phone shows the rows as blocks, which screen readers no longer take for rows.
    """
    if not count:
        hint = "The library is empty: drop a file above."
        hint = "This collection is empty: tick papers among all papers, and add them." if state.collection else hint
        hint = "No paper has these words." if state.query else hint
        return f'<p class="quiet">{hint}</p>'
    heads = "".join(_head(sort, state) for sort in _COLUMNS)
    rows = "".join(_row(paper) + (_detail_row(detail) if paper.id == state.open_id else "") for paper in papers)
    return (
        f'{_pager(state, len(papers), count)}<div class="table"><table role="table">'
        f'<thead><tr role="row">{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def refused_html(reason: str) -> str:
    """Return why a query has no table."""
    return f'<p class="quiet">{render.plain_html(reason)}</p>'


def detail_html(paper: Paper, records: Sequence[StoredRecord], added: str = "") -> str:
    """Return the details of a paper, and the fields that each source has of it.

    `added` is HTML with its tags and note.
    """
    url = paper_url(paper)
    link = (f"<p>{_web_link(url)}</p>" if url else "") + render.zotero_html(paper)
    abstract = render.plain_html(paper.abstract) or "There is no abstract, so searches do not find this paper."
    sources = "".join(_record(stored) for stored in records)
    merged = f"<p>{counted(len(records), 'record')} of it:</p><ul>{sources}</ul>"
    title = to_text(display_title(paper))[:60]
    buttons = button("remove", paper.id, "Delete this paper", unseen=title)
    if len(records) > 1:
        buttons += button("unmerge", paper.id, "Split", "The records are of several papers", title)
    authors = render.plain_html(", ".join(paper.authors))
    notice = render.notice_html(paper, render.plain_html)
    return f'{notice}<p class="quiet">{authors}</p>{link}<p>{abstract}</p>{added}{merged}{buttons}'


def _web_link(url: str) -> str:
    escaped = escape(url)
    return f'<a href="{escaped}" target="_blank" rel="noopener noreferrer">{escaped}</a>'


def _pager(state: TableState, shown: int, count: int) -> str:
    first = state.page * PAGE_SIZE + 1
    before = button("turn", state.page - 1, "Previous page") if state.page else ""
    after = button("turn", state.page + 1, "Next page") if state.page * PAGE_SIZE + shown < count else ""
    return f'<p class="places">{first:,} to {first + shown - 1:,} of {count:,} papers {before}{after}</p>'


def _head(sort: Sort, state: TableState) -> str:
    is_descending = state.reverse is not sort.latest_first
    order = ("descending" if is_descending else "ascending") if sort is state.sort else "none"
    arrow = {"ascending": " ↑", "descending": " ↓", "none": ""}[order]
    label = button("sort", sort, _COLUMNS[sort] + arrow)
    return f'<th scope="col" role="columnheader" aria-sort="{order}">{label}</th>'


def _row(paper: Paper) -> str:
    authors = f"{paper.authors[0]}{' et al.' if len(paper.authors) > 1 else ''}" if paper.authors else ""
    cells = "".join(_cell(value) for value in (authors, paper.year, paper.venue))
    text = to_text(display_title(paper))
    title = button("show", paper.id, text) + render.state_html(paper)
    tick = f'<input type="checkbox" class="pick" value="{attribute(paper.id)}" aria-label="Tick {line_html(text)}">'
    return f'<tr role="row"><th scope="row" role="rowheader"><span class="titled">{tick}{title}</span></th>{cells}</tr>'


def _cell(value: object) -> str:
    return f'<td role="cell">{line_html(to_text(str(value or "")))}</td>'


def _detail_row(detail: str) -> str:
    return f'<tr class="detail" role="row"><td role="cell" colspan="{len(_COLUMNS)}">{detail}</td></tr>'


def _record(stored: StoredRecord) -> str:
    record = stored.record
    source = f"{record.source}, line {record.line}" if record.line else record.source
    present = [name for name in _RECORD_FIELDS if getattr(record, name)]
    return f"<li>{line_html(source)} <span class=quiet>({', '.join(present)})</span></li>"
