"""`paperchat verify` and `Assistant.verify`: a claim by a paper, by an abstract, or by the library."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from assistant.chat import Assistant
from assistant.errors import InputError, NotFoundError
from assistant.schema import Paper, Verdict
from tests.conftest import Run
from tests.contract.json_keys import PASSAGE, VERIFICATION
from tests.fakes import WordOverlapReader
from ui.cli import batch

if TYPE_CHECKING:
    from assistant.encodings import Vectors

Paperchat = Callable[..., Run]
Json = dict[str, Any]

SMALL = "Small glaciers shrink the fastest."
WRONG = "The loss doubles after 2015."


@pytest.fixture
def glaciers(reader: Assistant) -> Paper:
    return next(paper for paper in reader.library.catalog.papers.all() if "Glaciers" in paper.abstract)


def run(assistant: Assistant, *lines: object) -> list[Json]:
    """Replies by way of the JSON that a script would read."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return [json.loads(json.dumps(reply, allow_nan=False)) for reply in batch.run(texts, batch.verify(assistant))]


def check_reply(reply: Json, abstract: str) -> None:
    assert set(reply) - {"id"} == VERIFICATION
    assert reply["verdict"] in {"supported", "contradicted", "unsupported"}
    assert 0 <= reply["support"] <= 1
    assert 0 <= reply["contradiction"] <= 1
    if reply["passage"]:
        assert set(reply["passage"]) == PASSAGE
        assert abstract[reply["passage"]["start"] : reply["passage"]["end"]] == reply["passage"]["text"]


def test_a_claim_is_checked_by_the_paper_of_the_id(reader: Assistant, glaciers: Paper) -> None:
    right, wrong = reader.verify(SMALL, glaciers.id), reader.verify(WRONG, glaciers.id)
    assert (right.verdict, right.support, right.paper_id) == (Verdict.SUPPORTED, 1.0, glaciers.id)
    assert (wrong.verdict, wrong.reason) == (Verdict.UNSUPPORTED, "2015 is not in the paper")


def test_a_claim_of_which_the_paper_says_the_opposite_is_contradicted(reader: Assistant, glaciers: Paper) -> None:
    result = reader.verify("Small glaciers do not shrink the fastest.", glaciers.id)
    assert (result.verdict, result.reason) == (Verdict.CONTRADICTED, "the passage says otherwise")
    assert result.contradiction > 0.5 > result.support
    assert result.passage is not None
    assert result.passage.text == SMALL


def test_without_a_paper_the_library_is_searched_and_the_best_one_is_named(reader: Assistant, glaciers: Paper) -> None:
    found = reader.verify(SMALL)
    assert (found.verdict, found.support, found.paper_id) == (Verdict.SUPPORTED, 1.0, glaciers.id)
    assert reader.verify("Volcanoes warm distant oceans.").verdict is Verdict.UNSUPPORTED


def test_another_paper_does_not_support_what_the_first_one_says(reader: Assistant, glaciers: Paper) -> None:
    other = next(paper for paper in reader.library.catalog.papers.all() if paper.id != glaciers.id)
    assert reader.verify(SMALL, other.id).verdict is Verdict.UNSUPPORTED


def test_an_abstract_that_is_given_is_checked_without_the_library_having_it(reader: Assistant) -> None:
    found = reader.verify("Moss grows slowly.", abstract="Moss grows slowly. Fern does not.")
    assert (found.verdict, found.paper_id) == (Verdict.SUPPORTED, None)
    assert found.passage is not None
    assert (found.passage.start, found.passage.end) == (0, 18)


def test_an_empty_library_supports_nothing(library: Any, settings: Any) -> None:
    found = Assistant(library, settings, WordOverlapReader()).verify(SMALL)
    assert (found.verdict, found.support, found.passage) == (Verdict.UNSUPPORTED, 0.0, None)
    assert found.reason == "no paper in the library is relevant to the claim"


def test_what_cannot_be_checked_is_an_error(reader: Assistant, glaciers: Paper) -> None:
    with pytest.raises(NotFoundError, match="'nobody'"):
        reader.verify(SMALL, "nobody")
    with pytest.raises(InputError, match="too many"):
        reader.verify("so " * 5_000, glaciers.id)
    with pytest.raises(InputError, match="60,000 characters are too many for an abstract"):
        reader.verify(SMALL, abstract="a" * 60_000)
    with pytest.raises(InputError, match="not both"):
        reader.verify(SMALL, glaciers.id, SMALL)


def test_a_batch_has_the_names_that_scripts_rely_on(reader: Assistant, glaciers: Paper) -> None:
    by_paper, by_abstract, by_any = run(
        reader,
        {"id": 1, "claim": SMALL, "paper_id": glaciers.id},
        {"id": "b", "claim": WRONG, "abstract": glaciers.abstract},
        {"claim": SMALL, "paper_id": None},
    )
    for reply in (by_paper, by_abstract, by_any):
        check_reply(reply, glaciers.abstract)
    assert (by_paper["id"], by_paper["verdict"], by_paper["paper_id"]) == (1, "supported", glaciers.id)
    assert (by_abstract["id"], by_abstract["verdict"], by_abstract["paper_id"]) == ("b", "unsupported", None)
    assert ("id" in by_any, by_any["paper_id"]) == (False, glaciers.id)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("no json", "not JSON"),
        ("[]", "an object"),
        ("{}", '"claim" is missing'),
        ('{"claim": 7}', '"claim" is missing or not a text'),
        ('{"claim": "Bees dance.", "paper_id": 7}', '"paper_id" is missing or not a text'),
        ('{"claim": "Bees dance.", "abstract": []}', '"abstract" is missing or not a text'),
        ('{"claim": "Bees dance.", "paper_id": "nobody"}', "no paper has the id 'nobody'"),
        ('{"claim": "Bees dance.", "paper_id": ""}', "have the id ''"),
        ('{"claim": "Bees dance.", "paper_id": "0", "abstract": "Bees."}', "not both"),
        (json.dumps({"claim": "b" * 20_000}), "20,000 characters"),
    ],
)
def test_a_bad_line_is_an_error_in_its_place_and_the_run_goes_on(reader: Assistant, line: str, complaint: str) -> None:
    before, bad, after = run(reader, {"claim": SMALL}, line, {"claim": SMALL})
    assert set(bad) == {"error"}
    assert bad["error"].startswith("line 2: ")
    assert complaint in bad["error"]
    assert before["verdict"] == after["verdict"] == "supported"


def test_broken_characters_do_not_stop_the_run(reader: Assistant) -> None:
    replies = run(reader, '{"claim": "bees \\ud800 dance"}', '{"claim": "bees dance", "abstract": "bees \\ud800"}')
    assert [set(reply) == VERIFICATION for reply in replies] == [True, True]


def test_the_command_prints_the_verdict_the_reason_and_the_passage(paperchat: Paperchat, papers_file: Any) -> None:
    paperchat("ingest", papers_file)
    plain, found = paperchat("verify", SMALL), paperchat("verify", SMALL, "--json").json
    assert plain.out.startswith("supported (1.00): the abstract says this word for word\n")
    assert SMALL in plain.out
    assert set(found) == VERIFICATION
    assert paperchat("verify", WRONG, "--paper", found["paper_id"]).out.startswith("unsupported (")
    missing = paperchat("verify", SMALL, "--paper", "nobody")
    assert (missing.code, missing.out, missing.err) == (1, "", "paperchat: no paper has the id 'nobody'\n")


def test_a_bad_line_of_a_batch_is_told_by_the_exit_code(paperchat: Paperchat, papers_file: Any) -> None:
    paperchat("ingest", papers_file)
    good = json.dumps({"id": 1, "claim": SMALL})
    assert paperchat("verify", "--batch", "-", stdin=f"{good}\n").code == 0
    done = paperchat("verify", "--batch", "-", stdin=f'{{"id": 2}}\n{good}\n')
    assert done.code == 1
    bad, after = map(json.loads, done.out.splitlines())
    assert (set(bad), bad["id"], after["verdict"]) == ({"id", "error"}, 2, "supported")


@pytest.mark.parametrize("wrong", [("verify",), ("verify", "a claim", "--batch", "-")])
def test_a_claim_or_a_batch_is_needed_and_not_both(paperchat: Paperchat, wrong: tuple[str, ...]) -> None:
    done = paperchat(*wrong)
    assert (done.code, done.out) == (2, "")
    assert "claim" in done.err


class Sure:
    """An entailment model that always says the same."""

    name = "sure"

    def __init__(self, *row: float) -> None:
        self.row, self.asked = row, list[tuple[str, str]]()

    def predict(self, pairs: Sequence[tuple[str, str]]) -> Vectors:
        self.asked += pairs
        return np.array([self.row] * len(pairs), dtype=np.float32)


def test_an_entailment_model_judges_the_passage_where_one_is_given(reader: Assistant, glaciers: Paper) -> None:
    claim = "The smallest of the glaciers melt sooner than the others."
    for row, verdict, reason in [
        ((0.0, 0.1, 0.9), Verdict.SUPPORTED, "the passage supports the claim, according to sure"),
        ((0.9, 0.1, 0.0), Verdict.CONTRADICTED, "the passage contradicts the claim, according to sure"),
        ((0.1, 0.5, 0.4), Verdict.UNSUPPORTED, "the passage leaves the claim open, according to sure"),
    ]:
        model = Sure(*row)
        found = Assistant(reader.library, reader.settings, reader.reader, entailment=model).verify(claim, glaciers.id)
        assert (found.verdict, found.reason) == (verdict, reason)
        assert (found.contradiction, found.support) == pytest.approx((row[0], row[2]), abs=1e-4)
        assert found.passage is not None
        assert model.asked == [(found.passage.text, claim)]


def test_an_entailment_model_does_not_talk_a_wrong_number_right(reader: Assistant, glaciers: Paper) -> None:
    found = Assistant(reader.library, reader.settings, reader.reader, entailment=Sure(0.0, 0.0, 1.0)).verify(
        WRONG, glaciers.id
    )
    assert (found.verdict, found.reason) == (Verdict.UNSUPPORTED, "2015 is not in the paper")
