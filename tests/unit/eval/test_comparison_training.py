from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import InputError
from assistant.question.side_tagger import TAGS, best_tags, spans_of, word_spans
from eval.training import chain
from eval.training.comparisons import (
    COMPARISONS,
    ComparedQuestion,
    cross_validated,
    features,
    fit,
    gold_tags,
    read,
    report,
)
from tests.fakes import WordHashEmbedder

QUESTIONS = [
    ComparedQuestion(f"{a} or {b}", ((0, len(a)), (len(a) + 4, len(a) + 4 + len(b))), "written")
    for a in ("bats", "red bees", "cats", "dogs")
    for b in ("owls", "mice", "blue ants")
]
QUESTIONS += [ComparedQuestion(text, None, "written") for text in ("who sings", "list all papers", "what is it")]


def test_the_shipped_questions_have_sides_of_whole_words_in_their_order() -> None:
    questions = read(COMPARISONS)
    compared = [question for question in questions if question.sides]
    assert len(compared) >= 450
    assert len(questions) - len(compared) >= 150
    assert len({question.text.casefold() for question in questions}) == len(questions)
    for question in compared:
        assert spans_of(gold_tags(question), word_spans(question.text)) == question.sides


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        ([0, 3], [8, 12], "`first` has to be the start and the end of a run of words"),
        ([0, 4], [8, 99], "`second` has to be"),
        ([0, 4], None, "`second` has to be"),
        ([8, 12], [0, 4], "the first side has to come before the second"),
    ],
)
def test_a_side_that_is_no_run_of_words_is_named_with_its_line(
    tmp_path: Path, first: object, second: object, fault: str
) -> None:
    file = tmp_path / "comparisons.jsonl"
    file.write_text(json.dumps({"question": "bats or owls", "first": first, "second": second, "origin": "written"}))
    with pytest.raises(InputError, match=fault) as raised:
        read(file)
    assert "comparisons.jsonl" in str(raised.value)


def test_the_tagger_finds_the_sides_that_it_was_fitted_on() -> None:
    rows = features(QUESTIONS, WordHashEmbedder())
    tagger = fit(QUESTIONS, rows)
    for question, row in zip(QUESTIONS, rows, strict=True):
        tags = best_tags(row @ tagger.weights.T + tagger.bias)
        assert spans_of(tags, word_spans(question.text)) == question.sides


def test_the_figures_count_exact_pairs_shared_words_and_false_sides() -> None:
    predicted = cross_validated(QUESTIONS, features(QUESTIONS, WordHashEmbedder()))
    assert len(predicted) == len(QUESTIONS)
    gold = [question.sides for question in QUESTIONS]
    assert "all, 12: exact 1.000, F1 of words 1.000" in report("gold", QUESTIONS, gold)
    none = report("none", QUESTIONS, [None] * len(QUESTIONS))
    assert "all, 12: exact 0.000, F1 of words 0.000" in none
    assert "no comparison, 3: taken for one 0.000" in none


def test_the_chain_learns_only_allowed_sequences() -> None:
    rows = [np.eye(3, dtype=np.float32)] * 4
    classifier = chain.fit(rows, [[1, 3, 4]] * 4, penalty=0.01)
    assert classifier.labels == TAGS
    assert best_tags(rows[0] @ classifier.weights.T + classifier.bias) == [1, 3, 4]
