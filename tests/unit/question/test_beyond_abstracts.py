from __future__ import annotations

import pytest

from assistant.question.beyond_abstracts import rarely_stated


@pytest.mark.parametrize(
    ("question", "detail"),
    [
        ("Which learning rate was used for fine-tuning?", "hyper-parameters and exact settings"),
        ("what value of gamma works best, and which batch size do they use?", "hyper-parameters and exact settings"),
        ("exactly which prompt did the judge get", "hyper-parameters and exact settings"),
        ("Exactly how many layers are frozen?", "exact counts"),
        ("how many training epochs does it take", "exact counts"),
        ("its word error rate on clean speech", "scores by a named measure"),
        ("F1 of the tagger?", "scores by a named measure"),
        ("how many GPUs were needed?", "hardware and running times"),
        ("GPU hours of the largest run", "hardware and running times"),
        ("How many of the annotators agreed?", "who took part, how many and for what pay"),
        ("the number of crowd workers", "who took part, how many and for what pay"),
        ("what were the raters paid?", "who took part, how many and for what pay"),
        ("is the code on GitHub?", "licences and where code is found"),
        ("under which license is it released", "licences and where code is found"),
    ],
)
def test_details_that_abstracts_rarely_state_are_recognized(question: str, detail: str) -> None:
    assert detail in rarely_stated(question)


@pytest.mark.parametrize(
    "question",
    [
        "what is the largest learning rate that training survives?",
        "Does the best weight decay depend on the learning rate?",
        "why do people need warmup?",
        "how much better is it than the baseline?",
        "How many data sets does the benchmark cover?",
        "did it pay off in practice?",
        "learning rate schedules",
        "Which layers change the most?",
        "",
    ],
)
def test_details_that_abstracts_often_state_are_not_reported(question: str) -> None:
    assert rarely_stated(question) == []
