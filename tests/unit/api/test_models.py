"""The models of the served JSON describe exactly what the serialization writes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from pydantic import BaseModel

from assistant.disagreement.serialization import sides_json
from assistant.disagreement.sides import SidedSentence, Sides
from assistant.schema import (
    Answer,
    Cell,
    Citation,
    Cost,
    Filters,
    Heading,
    Hit,
    Paper,
    Passage,
    Query,
    Recipe,
    Row,
    Scope,
    SearchResult,
    Sentence,
    Strength,
    Table,
    Verdict,
    Verification,
    Withdrawn,
)
from assistant.serialization import answer_json, hit_json, paper_json, passage_json, search_json, verification_json
from tests.strategies import ANSWERS
from ui.api import draft_models, models, server_models, sides_models

PASSAGE = Passage("Bees.", 0, 5)
PAPER = Paper("a", "Bees.", "On bees", ("Lin",), 2020, "Nature", "10.1/x", "2001.00001", "https://x.org", ("a.bib",))
HIT = Hit(1, 0.5, PAPER, (PASSAGE,), {"dense": 0.5})
FILTERS = Filters(
    ("Lin",),
    ("bees",),
    ("Nature",),
    ("a.bib",),
    2019,
    None,
    ("waggle dance",),
    ("wasps",),
    ("c",),
    ("t",),
    ("n",),
    ("t1",),
)
SCOPE = Scope(("a",), ("b",), ("c",), ("t1",), 1999, 2001)
ANSWER = Answer(
    "q",
    "q",
    Strength.FIRM,
    0.5,
    "Bees. [1]",
    citations=(Citation(1, PAPER, (PASSAGE,)),),
    sentences=(Sentence("Bees.", (1,), Verdict.SUPPORTED, 0.9, emphasis=((0, 4),)),),
    hits=(HIT,),
    nearest=(PAPER,),
    recipe=Recipe("e", "1", 2, 3, "c", "a", "w"),
    timings={"total_ms": 1.0},
    filters=FILTERS,
    scope=SCOPE,
    withdrawn=Withdrawn("t", "r", True),
    headings=(Heading("h", 0),),
    table=Table(("Year",), (Row(PAPER, (Cell("2020", PASSAGE),)),), 1),
    cost=Cost("single", 1, 2, 3, 0.1),
)
SIDED = SidedSentence(PAPER, PASSAGE, True, 0.9)
VALUES = [
    (models.PaperJson, paper_json(PAPER)),
    (models.PassageJson, passage_json(PASSAGE)),
    (models.HitJson, hit_json(HIT)),
    (models.SearchJson, search_json(SearchResult(Query("q", "q", FILTERS, SCOPE), (HIT,), {"total_ms": 1.0}))),
    (models.AnswerJson, answer_json(ANSWER)),
    (
        sides_models.SidesJson,
        sides_json(
            Sides("c", "not c", (SIDED,), (SIDED,), (replace(SIDED, condition="in bees"),), "n", "q"),
        ),
    ),
    (models.VerificationJson, verification_json(Verification("c", "a", Verdict.SUPPORTED, 0.9, PASSAGE, "r", 0.1))),
]


def described(model: BaseModel) -> Any:
    """Return what the model has of a value, under the names of the JSON."""
    return model.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize(("model", "written"), VALUES, ids=[model.__name__ for model, _ in VALUES])
def test_a_model_has_every_key_that_is_written_and_no_other(model: type[BaseModel], written: dict[str, Any]) -> None:
    """The values have something in every field, so that no key can be missing further down."""
    assert described(model.model_validate(written)) == json.loads(json.dumps(written))


@given(ANSWERS)
def test_every_answer_fits_the_model(answer: Answer) -> None:
    written = answer_json(answer)
    model = models.AnswerJson.model_validate(written)
    assert model.model_dump(mode="json", by_alias=True, exclude_unset=True) == json.loads(json.dumps(written))


def _models() -> list[type[BaseModel]]:
    named = {**vars(models), **vars(draft_models), **vars(server_models)}
    return [model for model in named.values() if isinstance(model, type) and issubclass(model, BaseModel)]


@pytest.mark.parametrize("model", _models(), ids=lambda model: model.__name__)
def test_every_field_is_described(model: type[BaseModel]) -> None:
    assert model.__doc__
    assert all(field.description for field in model.model_fields.values())
