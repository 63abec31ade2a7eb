from __future__ import annotations

import pytest

from assistant.verification.non_claims import denies_answer, states_nothing


@pytest.mark.parametrize(
    "sentence",
    [
        "The abstracts do not answer this.",
        "The provided abstracts do not mention the batch size.",
        "None of the abstracts addresses the question.",
        "The given abstracts don't directly answer the question.",
        "Unfortunately, the abstracts do not say which method is cheapest.",
        "Based on the abstracts, I cannot determine how many people took part.",
        "I cannot answer this from the abstracts.",
        "There is no information on dosage in these abstracts.",
        "The abstracts contain no answer.",
        "This cannot be answered from the abstracts.",
    ],
)
def test_that_there_is_no_answer_is_understood(sentence: str) -> None:
    assert denies_answer(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The abstracts do not say so, but warmup doubles the loss.",
        "The abstracts do not give a figure; it is 42.",
        "There is no evidence that warmup helps, although it costs 30 percent more.",
        "Small models do not answer hard questions.",
        "The abstracts answer this.",
        "Warmup helps because the abstracts do not say otherwise.",
        "The papers do not improve accuracy.",
    ],
)
def test_nothing_else_passes_for_it(sentence: str) -> None:
    assert not denies_answer(sentence)


@pytest.mark.parametrize(
    "sentence",
    ["In summary:", "## Findings", "Key findings on warmup:", "Does warmup help?", "Sure!", "**Methods:**", "Yes."],
)
def test_headings_questions_and_courtesies_state_nothing(sentence: str) -> None:
    assert states_nothing(sentence)


@pytest.mark.parametrize(
    "sentence", ["Warmup helps.", "Sure, warmup doubles the loss.", "In summary, warmup is harmful."]
)
def test_a_statement_behind_a_courtesy_is_one(sentence: str) -> None:
    assert not states_nothing(sentence)
