"""Hold figures against the floors of `floors.toml`, for whole suites and for a small slice of each."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NotRequired, TypeAlias

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from assistant.errors import InputError
from assistant.settings import Settings
from eval.measures import LOWER_IS_BETTER, Table, drafts
from eval.runs import execution
from eval.runs.storage import Run
from eval.suites import ANNOTATED, selection, tables

FLOORS = Path(__file__).parent / "floors.toml"


# Measure, then group, then floor.
SuiteFloors: TypeAlias = dict[str, dict[str, float]]


@with_config(ConfigDict(extra="forbid"))
class Floors(TypedDict):
    """Floors by suite, measure and group, for whole suites and for a slice of `slice_size` items of each.

    `workbench` has those of the suites that are not about questions, by split, which only the whole gate measures.
    """

    slice_size: Annotated[int, Field(ge=1)]
    whole: dict[str, SuiteFloors]
    slice: dict[str, SuiteFloors]
    workbench: NotRequired[dict[str, SuiteFloors]]


@dataclass(frozen=True, slots=True)
class Regression:
    """A figure below its floor."""

    suite: str
    measure: str
    group: str
    floor: float
    value: float

    def __str__(self) -> str:
        relation = "above" if self.measure in LOWER_IS_BETTER else "below"
        return f"{self.suite}, {self.measure} ({self.group}): {self.value:.3f} is {relation} {self.floor:.3f}"


def read_floors(file: Path = FLOORS) -> Floors:
    """Read the floors of a file. Raises InputError for a missing or malformed file."""
    try:
        return TypeAdapter(Floors).validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(str(file), f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (OSError, ValueError) as error:
        raise InputError(str(file), f"cannot be read: {error}") from error


def floors_of(floors: Mapping[str, SuiteFloors], asked: Iterable[str]) -> dict[str, SuiteFloors]:
    """Return the floors that a run of these suites must keep: those over the seeds, over the abstracts, or both."""
    families = {_is_annotated(suite) for suite in asked}
    return {suite: measures for suite, measures in floors.items() if _is_annotated(suite) in families}


def _is_annotated(suite: str) -> bool:
    return suite.startswith(f"{ANNOTATED}-")


def regressions(
    floors: Mapping[str, Mapping[str, Mapping[str, float]]], figures: Mapping[str, Table], file: Path = FLOORS
) -> list[Regression]:
    """Return the figures below their floor. Raises InputError for a floor without a figure."""
    below = []
    for suite, measures in floors.items():
        for measure, groups in measures.items():
            for group, floor in groups.items():
                value = figures.get(suite, {}).get(measure, {}).get(group)
                if value is None:
                    raise InputError(str(file), f"has a floor for {suite}, {measure} ({group}), which was not measured")
                if not (value <= floor if measure in LOWER_IS_BETTER else value >= floor):
                    below.append(Regression(suite, measure, group, floor, value))
    return below


def gate_run(floors: Floors, settings: Settings, name: str, small: bool) -> Run:
    """Ask the suites over the seeds, and those over the annotated abstracts that have floors, whole or a slice."""
    gated = floors["slice" if small else "whole"]
    names = (*selection.OVER_SEEDS, *(suite for suite in selection.OVER_ABSTRACTS if suite in gated))
    options = execution.RunOptions(names, limit=floors["slice_size"] if small else None)
    suites = selection.read(options.suites, limit=options.limit)
    if small:
        suites = selection.with_fewer_papers(suites)
    return execution.run_suites(settings, suites, options, name)


def workbench_figures(settings: Settings, show: Callable[[str], None]) -> dict[str, Table]:
    """Measure the suites that are not about questions; show those of drafts, and return the figures of all."""
    measured = drafts.measure_drafts(settings, "dev")
    show(drafts.table(measured))
    return {"drafts": drafts.by_measure(measured), tables.NAME: tables.gate_figures(settings)}
