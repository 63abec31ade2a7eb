"""Floors: what fell is told, and a floor that nothing can be held against is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import InputError
from eval import gate, measures
from eval.gate import Regression
from eval.measures import COST_MEASURES, LOWER_IS_BETTER, drafts
from eval.measures.readability import readability_measures
from eval.suites import tables
from tests.evaluation import answer_record, claim_record, question_record

FIGURES = {
    "single": {"R@1": {"all": 0.8, "hard": 0.4}},
    "trust": {"Brier score": {"all": 0.15}, "ROC AUC of confidence": {"all": 0.9}},
}


@pytest.fixture
def floors(tmp_path: Path) -> Path:
    return tmp_path / "floors.toml"


def test_a_figure_on_its_floor_has_not_fallen() -> None:
    wanted = {"single": {"R@1": {"all": 0.8, "hard": 0.3}}, "trust": {"Brier score": {"all": 0.15}}}
    assert gate.regressions(wanted, FIGURES) == []


def test_every_figure_below_its_floor_is_told() -> None:
    found = gate.regressions({"single": {"R@1": {"all": 0.81, "hard": 0.5}}}, FIGURES)
    assert found == [Regression("single", "R@1", "all", 0.81, 0.8), Regression("single", "R@1", "hard", 0.5, 0.4)]
    assert str(found[0]) == "single, R@1 (all): 0.800 is below 0.810"


def test_where_less_is_better_the_floor_is_a_ceiling() -> None:
    assert gate.regressions({"trust": {"Brier score": {"all": 0.2}}}, FIGURES) == []
    (fall,) = gate.regressions({"trust": {"Brier score": {"all": 0.1}}}, FIGURES)
    assert str(fall) == "trust, Brier score (all): 0.150 is above 0.100"


def test_what_is_said_to_be_better_lower_is_a_measure_that_there_is() -> None:
    both = [
        question_record("one", "a", "a", answer_record(cited="a")),
        question_record("two", "", "a", answer_record()),
    ]
    names = measures.trust_measures(both).keys() | measures.values([claim_record("1", True)]).keys()
    of_drafts = gate.read_floors()["workbench"]["drafts"].keys()
    others = {*readability_measures(), *COST_MEASURES, *of_drafts, tables.WRONG_CELLS}
    assert names | others >= LOWER_IS_BETTER


def test_a_run_over_the_abstracts_or_the_seeds_alone_is_held_against_its_own_floors() -> None:
    floors: dict[str, dict[str, dict[str, float]]] = {name: {} for name in ("single", "trust", "abstracts-trust")}
    assert gate.floors_of(floors, ["single", "claims"]).keys() == {"single", "trust"}
    assert gate.floors_of(floors, ["abstracts-near"]).keys() == {"abstracts-trust"}
    assert gate.floors_of(floors, ["single", "abstracts-near"]) == floors


@pytest.mark.parametrize("value", [float("nan")])
@pytest.mark.parametrize("measure", ["R@1", "Brier score"])
def test_a_figure_that_is_no_number_has_fallen(measure: str, value: float) -> None:
    assert len(gate.regressions({"s": {measure: {"all": 0.5}}}, {"s": {measure: {"all": value}}})) == 1


@pytest.mark.parametrize(
    ("floor", "name"),
    [
        ({"sinlge": {"R@1": {"all": 0.1}}}, r"sinlge, R@1 \(all\)"),
        ({"single": {"R@2": {"all": 0.1}}}, r"single, R@2 \(all\)"),
        ({"single": {"R@1": {"harder": 0.1}}}, r"single, R@1 \(harder\)"),
    ],
)
def test_a_floor_of_what_was_not_measured_is_refused_by_name(
    floor: dict[str, dict[str, dict[str, float]]], name: str
) -> None:
    with pytest.raises(InputError, match=rf"floors\.toml: has a floor for {name}, which was not measured"):
        gate.regressions(floor, FIGURES)


def test_floors_are_read_by_suite_measure_and_group(floors: Path) -> None:
    floors.write_text('slice_size = 4\n[whole.single."R@1"]\nall = 0.5\n[slice]\n', encoding="utf-8")
    assert gate.read_floors(floors) == {"slice_size": 4, "whole": {"single": {"R@1": {"all": 0.5}}}, "slice": {}}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("slice_size = ", "cannot be read"),
        ("slice_size = 4\n[whole]\n", "slice: Field required"),
        ("slice_size = 0\n[whole]\n[slice]\n", "slice_size: Input should be greater"),
        ("slice_size = 4\n[whole]\n[slice]\n[hole]\n", "hole: Extra inputs are not permitted"),
        ('slice_size = 4\n[whole.single]\n"R@1" = 0.5\n[slice]\n', r"whole\.single\.R@1: Input should be a valid dict"),
        ('slice_size = 4\n[whole.single."R@1"]\nall = "high"\n[slice]\n', r"R@1\.all: Input should be a valid number"),
        ("\udcff", "cannot be read"),
    ],
)
def test_a_malformed_file_of_floors_is_refused_with_the_place(floors: Path, text: str, complaint: str) -> None:
    floors.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=rf"floors\.toml: .*{complaint}"):
        gate.read_floors(floors)


def test_a_missing_file_of_floors_is_named(floors: Path) -> None:
    with pytest.raises(InputError, match=r"floors\.toml: cannot be read"):
        gate.read_floors(floors)


def test_the_floors_that_paperchat_comes_with_are_well_formed() -> None:
    held = gate.read_floors()
    floors = [
        floor
        for table in (held["whole"], held["slice"], held["workbench"])
        for suite in table.values()
        for groups in suite.values()
        for floor in groups.values()
    ]
    assert all(0 <= floor <= 1 for floor in floors)


def test_the_check_of_drafts_has_floors_for_what_it_measures() -> None:
    figures = drafts.by_measure(
        {"dev": {"false alarms": 0.2, "found: number": 1.0}, "test": {"false alarms": 0.0, "found: number": 0.5}}
    )
    floors = {"drafts": {"false alarms": {"dev": 0.1, "test": 0.1}, "found: number": {"dev": 0.9, "test": 0.9}}}
    fallen = [(fall.measure, fall.group) for fall in gate.regressions(floors, {"drafts": figures})]
    assert fallen == [("false alarms", "dev"), ("found: number", "test")]


def test_floors_hold_against_figures_from_records() -> None:
    figures = measures.figures([question_record("one", "a", "ba"), claim_record("1", True)])
    assert gate.regressions({"single": {"RR@10": {"all": 0.5}}, "claims": {"accuracy": {"all": 1.0}}}, figures) == []
    assert len(gate.regressions({"single": {"R@1": {"all": 0.5}}}, figures)) == 1
