"""Questions with the form and the content that their answers should have: lines of `seeds/forms.jsonl`.

    id, question, split, form, topic, policy, papers; optionally borderline, sides, expected, evidence

`papers` are those that a good answer cites, for a list all that belong to it; those in `borderline` may be cited as
well, and are never missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from eval.suites import Question, load_items


class Form(StrEnum):
    """The form of an answer; the last three are questions of any form that are hard to answer."""

    FACT = "fact"
    DEFINITION = "definition"
    COMPARISON = "comparison"
    YES_NO = "yes_no"
    LIST = "list"
    SUMMARY = "summary"
    METADATA = "metadata"
    ABSTAIN = "abstain"
    PARTIAL = "partial"
    OTHER_LANGUAGE = "other-language"


class Policy(StrEnum):
    """What the assistant should do with a question: answer it firmly, in part, or not at all."""

    ANSWER = "answer"
    PARTIAL = "partial"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True)
class Side:
    """A side of a comparison, and the ids of the papers that speak of it; none if the library does not know it."""

    name: str
    papers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """The form, the outcome and the content that are expected of an answer.

    `borderline` are papers that may be cited beside the relevant ones, `strings` texts that the answer must contain.
    """

    form: Form
    policy: Policy
    borderline: tuple[str, ...] = ()
    sides: tuple[Side, ...] = ()
    strings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormQuestion(Question):
    """A question with what is expected of its answer; its group is the form. No topic occurs in both splits."""

    expectation: Expectation
    topic: str


def load_forms(file: Path, split: str | None = None) -> list[FormQuestion]:
    """Load the questions of a suite of forms, of one split or of both. Raises InputError as `eval.suites.load` does."""
    return load_items(file, split, _form_question)


def _form_question(row: Mapping[str, Any]) -> FormQuestion:
    return FormQuestion(
        id=row["id"],
        text=row["question"],
        papers=frozenset(row["papers"]),
        split=row["split"],
        group=row["form"],
        evidence=tuple(row.get("evidence", ())),
        expectation=_expectation(row),
        topic=row["topic"],
    )


def _expectation(row: Mapping[str, Any]) -> Expectation:
    form, sides = Form(row["form"]), tuple(Side(side["name"], tuple(side["papers"])) for side in row.get("sides", ()))
    if len(sides) != 2 * (form is Form.COMPARISON):
        raise ValueError("a comparison has two sides, and no other question has any")
    return Expectation(
        form=form,
        policy=Policy(row["policy"]),
        borderline=tuple(row.get("borderline", ())),
        sides=sides,
        strings=tuple(row.get("expected", ())),
    )
