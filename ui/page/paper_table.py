"""Render the table of an answer: a row for each paper, with what the catalog or the abstract says of it.

A cell from an abstract leads to its sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from assistant.schema import Answer, Cell, CellSource, Paper, Passage, Row, Table
from assistant.tables.wording import cell_mark, cell_text
from assistant.text.latex import to_text
from assistant.text.links import paper_url
from assistant.text.printable import one_line
from assistant.text.titles import display_title
from ui.cli.terminal import counted
from ui.page.render import Write, anchor, state_html

Places = Mapping[tuple[str, Passage], str]

# Rows that are shown before the rest is folded away.
_MAX_OPEN_ROWS = 10
# Characters of a cell that are shown; its sentence has the rest.
_MAX_SHOWN = 160


def paper_table_html(answer: Answer, turn: int, write: Write) -> str:
    """Return the table of an answer with the number of papers that it is about; empty where the answer has none.

    A title leads to the card of its paper. On a narrow screen each row is a block, in which each cell has its label.
    The roles are explicit because screen readers no longer take such blocks for rows.
    """
    table = answer.table
    if table is None or not table.rows:
        return ""
    columns = [(position, name) for position, name in enumerate(table.columns) if not _repeats_titles(table, position)]
    empty = [(position, name) for position, name in columns if len(table.rows) > 1 and _is_empty(table, position)]
    columns = [column for column in columns if column not in empty]
    heads = "".join(f'<th scope="col" role="columnheader">{write(_head(name))}</th>' for _, name in columns)
    anchors = _anchors(answer, turn)
    places = _places(answer, anchors)
    rows = "".join(
        _row(row, columns, anchors[row.paper.id], places, write, is_folded=number >= _MAX_OPEN_ROWS)
        for number, row in enumerate(table.rows)
    )
    return (
        f'<div class="papers"><table role="table"><thead><tr role="row"><th scope="col" role="columnheader">Paper</th>'
        f"{heads}</tr></thead><tbody>{rows}</tbody></table>{_more(table)}{_empty_html(table, empty, write)}</div>"
    )


def unlisted_citations(answer: Answer, turn: int) -> Iterator[tuple[str, Paper, tuple[Passage, ...]]]:
    """Yield the papers of an answer's table that it does not cite: the id of the card, the paper, and its passages."""
    cited = {citation.paper.id for citation in answer.citations}
    rows = {row.paper.id: row for row in answer.table.rows} if answer.table else {}
    unlisted = (row for paper_id, row in rows.items() if paper_id not in cited)
    for number, row in enumerate(unlisted, start=1):
        yield f"paper-{turn}-{number}", row.paper, _passages(row)


def _places(answer: Answer, anchors: Mapping[str, str]) -> Places:
    """Return the ids of the sentences of cells, by paper and passage."""
    cited = {citation.paper.id: citation.passages for citation in answer.citations}
    rows = {row.paper.id: row for row in answer.table.rows} if answer.table else {}
    passages = {paper_id: _passages(row) for paper_id, row in rows.items()} | cited
    return {
        (paper_id, passage): f"{anchors[paper_id]}-{number}"
        for paper_id, of_paper in passages.items()
        for number, passage in enumerate(of_paper, start=1)
    }


def _passages(row: Row) -> tuple[Passage, ...]:
    return tuple(dict.fromkeys(cell.passage for cell in row.cells if cell.passage))


def _anchors(answer: Answer, turn: int) -> dict[str, str]:
    """Return the ids of the cards of papers, by the papers' ids."""
    cited = {citation.paper.id: anchor(turn, citation.number) for citation in answer.citations}
    return {paper.id: name for name, paper, _ in unlisted_citations(answer, turn)} | cited


def _row(
    row: Row, columns: list[tuple[int, str]], anchor_id: str, places: Places, write: Write, *, is_folded: bool
) -> str:
    title = write(one_line(display_title(row.paper)))
    link = f'<a class="cite work" href="#{anchor_id}">{title}</a>{state_html(row.paper)}'
    cells = "".join(_cell(row, position, name, places, write) for position, name in columns)
    folded = ' class="rest"' if is_folded else ""
    return f'<tr role="row"{folded}><th scope="row" role="rowheader">{link}</th>{cells}</tr>'


def _cell(row: Row, position: int, name: str, places: Places, write: Write) -> str:
    cell = row.cells[position] if position < len(row.cells) else Cell(None)
    label = f'<span class="label">{write(_lead(name))} </span>'
    value = _value(row.paper, cell, write)
    place = places.get((row.paper.id, cell.passage)) if cell.passage else None
    if place and cell.passage:
        hint = escape(one_line(to_text(cell.passage.text)))
        value = f'<a class="cite work" href="#{place}" title="{hint}">{value}</a>'
    return f'<td role="cell">{label}{value}</td>'


def _value(paper: Paper, cell: Cell, write: Write) -> str:
    """Return the value of a cell; an identifier or address of the paper becomes a link to it."""
    if cell.value is None or not cell.value.strip():
        return f'<span class="quiet">{cell_text(cell)}</span>'
    value, url = one_line(cell.value), paper_url(paper)
    if url and cell.value in (paper.doi, paper.arxiv_id, paper.url, url):
        return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(value)}</a>'
    mark = f' <span class="quiet">({write(cell_mark(cell))})</span>' if cell_mark(cell) else ""
    return write(_shortened(value)) + mark


def _shortened(text: str) -> str:
    """Return the text, cut at a word where it is too long."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN].rsplit(' ', 1)[0]} ..."


def _more(table: Table) -> str:
    """Return a control that shows the rows folded away, and the number of papers where the table has not all."""
    folded = len(table.rows) - _MAX_OPEN_ROWS
    more = (
        f'<details class="more"><summary>Show {counted(folded, "more paper")}</summary></details>' if folded > 0 else ""
    )
    if table.total <= len(table.rows):
        return more
    return f'{more}<p class="quiet">These are the first {len(table.rows):,} of {table.total:,} papers.</p>'


def _repeats_titles(table: Table, position: int) -> bool:
    """Return whether a column has nothing but the titles, which the first column shows already."""
    return all(position < len(row.cells) and row.cells[position].value == row.paper.title for row in table.rows)


def _is_empty(table: Table, position: int) -> bool:
    """Return whether no paper has anything in a column."""
    return not any(position < len(row.cells) and row.cells[position].value for row in table.rows)


def _empty_html(table: Table, columns: list[tuple[int, str]], write: Write) -> str:
    """Return which columns are left out because no paper has anything in them."""
    recorded = [name for position, name in columns if _is_recorded(table, position)]
    asked = [name for position, name in columns if not _is_recorded(table, position)]
    parts = [f"Not recorded for any of them: {', '.join(map(one_line, recorded))}."] if recorded else []
    parts += [f"No abstract of them says: {', '.join(map(one_line, asked))}."] if asked else []
    return f'<p class="quiet">{write(" ".join(parts))}</p>' if parts else ""


def _is_recorded(table: Table, position: int) -> bool:
    """Return whether a column comes from the catalog."""
    return all(row.cells[position].source is CellSource.CATALOG for row in table.rows if position < len(row.cells))


def _lead(name: str) -> str:
    """Return the name of a column before what it says; a question has its punctuation already."""
    head = _head(name)
    return head if head.endswith("?") else f"{head}:"


def _head(name: str) -> str:
    name = one_line(name)
    return name[:1].upper() + name[1:]
