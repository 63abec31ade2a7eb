from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import ModelError
from assistant.question import quantity
from assistant.question.quantity import asks_for_number
from eval.training.examples import read_lines
from eval.training.quantity_questions import QUESTIONS

FOR_A_NUMBER = (
    "How many patients were randomised?",
    "how much memory does gradient checkpointing save?",
    "What accuracy does the parser reach on biomedical text?",
    "by how much does warmup lower the loss",
    "How long do the batteries last?",
    "at what temperature does the enzyme denature",
    "what percentage of submissions is accepted?",
    "HOW MANY STARS ARE IN THE CLUSTER",
    "how many authors wrote it",
    "How often do the sensors fail?",
)
FOR_SOMETHING_ELSE = (
    "Why does warmup help?",
    "Is DPO better than PPO?",
    "what is known about reward model over-optimisation",
    "How does accuracy scale with model size?",
    "How do octopuses taste with their arms?",
    "compare DPO and PPO",
    "Which papers use Bayesian optimisation?",
    "graph neural networks for molecules",
    "Does pruning hurt calibration?",
    "Who invented dropout?",
)


@pytest.mark.parametrize("question", FOR_A_NUMBER)
def test_a_question_for_a_figure_is_recognized(question: str) -> None:
    assert asks_for_number(question)


@pytest.mark.parametrize("question", FOR_SOMETHING_ELSE)
def test_any_other_question_is_not_taken_for_one(question: str) -> None:
    assert not asks_for_number(question)


def test_the_questions_of_these_tests_are_not_trained_on() -> None:
    trained = {row["question"].casefold() for row in read_lines(QUESTIONS, "question")}
    assert trained.isdisjoint(question.casefold() for question in (*FOR_A_NUMBER, *FOR_SOMETHING_ELSE))


@pytest.mark.parametrize("question", ["", " ", "?", "42", "\u202e\x00", "word " * 10_000, "\ud800 lone surrogate"])
def test_what_is_hardly_a_question_asks_for_no_figure(question: str) -> None:
    assert not asks_for_number(question)


@pytest.mark.parametrize(("content", "fault"), [(None, "missing"), (b"no archive", "damaged")])
def test_weights_that_fail_are_named_with_the_cure(
    content: bytes | None, fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "quantity_questions.npz"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(quantity, "WEIGHTS", file)
    with pytest.raises(ModelError, match=rf"quantity_questions\.npz is {fault}: reinstall paperchat"):
        asks_for_number("How many patients were randomised?")
