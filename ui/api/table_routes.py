"""The JSON API of tables: fill one, as a whole or row by row, and correct its cells."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from assistant.serialization import Json, cell_json, row_json
from assistant.tables.rows import RowChoice
from ui.api.backend import ApiBackend
from ui.api.context import Backend, Queue, Writer
from ui.api.event_stream import EventStream, event, prefers_events, with_comments
from ui.api.models import CellJson, RowJson, TableJson
from ui.api.problems import problem_json, problem_of
from ui.api.requests import CellBody, TableBody
from ui.tables import correct_cell, forget_correction, run_table

router = APIRouter(tags=["Tables"])
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The table."}
}
PaperId = Annotated[str, Query(max_length=200, description="Id of the paper, or its beginning.")]
ColumnName = Annotated[str, Query(max_length=1000, description="The column, as in the table.")]


@router.post("/tables", response_model=TableJson, response_model_exclude_unset=True, responses=_EVENTS)
async def fill_table(body: TableBody, request: Request, backend: Backend, queue: Queue) -> Any:
    """Compare papers in a table: a cell has what the abstract says, or null where it does not say.

    With `stream`, or where the client accepts `text/event-stream` only, the reply is a stream of events: `columns` with
    `{"columns", "count", "total"}`; a `row` for each paper; and last `done`, or `error` with problem details. What was
    read is kept: a table that was interrupted goes on where it was.
    """
    if body.stream or prefers_events(request):
        return cast("Response", EventStream(with_comments(_events(await queue.stream(lambda: _items(body, backend))))))
    return await queue.last(lambda: _gathered(_items(body, backend)))


@router.put("/tables/cells", response_model=CellJson, response_model_exclude_unset=True)
async def correct(body: CellBody, backend: Backend, queue: Queue, _: Writer) -> Json:
    """Correct a cell by hand; the value is kept over later runs, with `person` as its source."""

    def work() -> Json:
        catalog = backend.assistant(body.library).library.catalog
        cell = correct_cell(catalog, body.paper_id, body.column, body.value)
        return cell_json(cell)

    return await queue.run(work)


@router.delete("/tables/cells", status_code=204)
async def forget(paper_id: PaperId, column: ColumnName, backend: Backend, queue: Queue, _: Writer) -> Response:
    """Forget the correction of a cell."""
    await queue.run(lambda: forget_correction(backend.assistant().library.catalog, paper_id, column))
    return Response(status_code=204)


def _items(body: TableBody, backend: ApiBackend) -> Iterator[tuple[str, Json]]:
    """Yield the columns, and then each row, with the names of their events."""
    choice = RowChoice(tuple(body.ids), body.question, body.filter, body.limit)
    run = run_table(backend.assistant(body.library), body.columns, choice)
    yield "columns", {"columns": list(run.names), "count": run.count, "total": run.total}
    for row in run.rows:
        yield "row", row_json(row)


def _gathered(items: Iterator[tuple[str, Json]]) -> Iterator[Json]:
    """Yield the table as it grows."""
    table: Json = {"columns": [], "rows": [], "total": 0}
    for name, item in items:
        if name == "columns":
            table |= {"columns": item["columns"], "total": item["total"]}
        else:
            table["rows"].append(item)
        yield table


async def _events(items: AsyncGenerator[tuple[str, Json]]) -> AsyncGenerator[str]:
    try:
        async with aclosing(items):
            async for name, item in items:
                written = RowJson.model_validate(item).model_dump_json(exclude_unset=True) if name == "row" else item
                yield event(written, name)
        yield event({}, "done")
    except Exception as error:
        yield event(problem_json(problem_of(error)), "error")
