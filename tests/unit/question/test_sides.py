"""The two sides of a comparison are read by a tagger, and by the word that joins them for other embedders."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ModelError
from assistant.protocols import Embedder
from assistant.question import linear, sides
from assistant.question.encoder import QuestionEncoder
from assistant.question.side_tagger import AFTER, BEFORE, BETWEEN, FIRST, SECOND, TAGS, best_tags, spans_of
from assistant.question.sides import find_sides
from assistant.question.terms import QuestionTerms, Term
from tests.fakes import WordHashEmbedder

_FUNCTION_WORDS = frozenset("a an and are be does do how in is it of on or than the to what which with".split())


def terms_of(question: str) -> QuestionTerms:
    """Return the words of the question but for some function words, all of the same idf."""
    words = [match for match in re.finditer(r"\w+", question) if match[0].casefold() not in _FUNCTION_WORDS]
    return QuestionTerms(tuple(Term(word[0], *word.span(), (word[0].casefold(),), 1.0) for word in words))


def texts(question: str, encoder: QuestionEncoder | None = None) -> tuple[str, ...] | None:
    pair = find_sides(question, terms_of(question), encoder)
    return None if pair is None else tuple(side.text for side in pair)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Do nurses have an edge over physicians in patient satisfaction?", ("nurses", "physicians")),
        ("is RoBERTa better than a CRF for tagging chemical names", ("RoBERTa", "CRF")),
        ("between Word2vec and ELMo, which is faster to train?", ("Word2vec", "ELMo")),
        ("UMAP, t-SNE, Isomap: which one keeps local neighbourhoods?", ("t-SNE", "Isomap")),
        ("Does hypnosis outperform sedation in dental anxiety?", ("hypnosis", "sedation")),
        ("Does group therapy beat medication?", ("group therapy", "medication")),
        ("What is the difference between Kalman filters and particle filters?", ("Kalman filters", "particle filters")),
        ("compare SARSA with Q-learning for cliff walking", ("SARSA", "Q-learning")),
        ("trade-offs of federated learning and centralized training", ("federated learning", "centralized training")),
        ("zinc versus copper coatings against bacteria", ("zinc", "copper coatings")),
        ("Which is safer for children, ketamine or midazolam?", ("ketamine", "midazolam")),
        ("Are bats more diverse than rodents?", ("bats", "rodents")),
        ("How do Mamba models compare with transformers on long documents?", ("Mamba models", "transformers")),
    ],
)
def test_both_sides_are_named_by_their_shortest_phrase(
    encoder: QuestionEncoder, question: str, expected: tuple[str, str]
) -> None:
    assert texts(question, encoder) == expected


@pytest.mark.parametrize(
    "question", ["Who discovered penicillin?", "what is a convolutional network", "papers on coral bleaching", "", "?!"]
)
def test_a_question_that_compares_nothing_has_no_sides(encoder: QuestionEncoder, question: str) -> None:
    assert texts(question, encoder) is None


def test_a_side_has_the_content_words_within_it(encoder: QuestionEncoder) -> None:
    question = "What is the difference between Kalman filters and particle filters?"
    pair = find_sides(question, terms_of(question), encoder)
    assert pair is not None
    assert [[term.text for term in side.terms] for side in pair] == [["Kalman", "filters"], ["particle", "filters"]]


def test_a_side_without_a_content_word_counts_as_none(encoder: QuestionEncoder) -> None:
    question = "Are bats more diverse than rodents?"
    bats = QuestionTerms(terms_of(question).content[:1])
    assert find_sides(question, bats, encoder) is None


def test_a_question_beyond_the_limit_of_the_embedder_is_no_error(encoder: QuestionEncoder) -> None:
    texts("Is BERT better than an LSTM " + "for tagging notes " * 2000, encoder)


@pytest.mark.parametrize("encoder_of_another", [None, QuestionEncoder(WordHashEmbedder())])
def test_for_another_embedder_the_joining_word_decides(encoder_of_another: QuestionEncoder | None) -> None:
    assert texts("zinc versus copper", encoder_of_another) == ("zinc", "copper")
    assert texts("zinc", encoder_of_another) is None
    assert texts("zinc versus zinc", encoder_of_another) is None
    assert texts("which of the and in it", encoder_of_another) is None


def test_the_best_sequence_has_two_runs_or_no_side() -> None:
    scores = np.zeros((5, len(TAGS)), np.float32)
    scores[0, FIRST] = scores[1, BETWEEN] = scores[3, SECOND] = scores[4, AFTER] = 2
    assert best_tags(scores) == [FIRST, BETWEEN, BETWEEN, SECOND, AFTER]
    scores[3, SECOND] = -9
    scores[:, BEFORE] = 2
    assert best_tags(scores) == [BEFORE] * 5, "a first side alone is none"
    assert spans_of([BEFORE] * 2, [(0, 1), (2, 3)]) is None


def test_a_word_alone_cannot_be_compared() -> None:
    assert best_tags(np.full((1, len(TAGS)), 3.0, np.float32)) == [BEFORE]


@pytest.mark.parametrize(("content", "fault"), [(None, "missing"), (b"PK", "damaged")])
def test_missing_or_damaged_weights_name_the_file_and_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: QuestionEncoder, content: bytes | None, fault: str
) -> None:
    file = tmp_path / "comparisons.npz"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(sides, "WEIGHTS", file)
    with pytest.raises(ModelError, match=rf"comparisons\.npz is {fault}: reinstall paperchat"):
        texts("bats or birds", encoder)


@pytest.mark.parametrize("changes", [{"labels": tuple("abcdefg")}, {"weights": np.ones((7, 9), np.float32)}])
def test_weights_of_another_version_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packaged_embedder: Embedder, changes: dict[str, object]
) -> None:
    packaged = linear.load(sides.WEIGHTS)
    linear.save(replace(packaged, **changes), tmp_path / "comparisons.npz")  # type: ignore[arg-type]
    monkeypatch.setattr(sides, "WEIGHTS", tmp_path / "comparisons.npz")
    with pytest.raises(ModelError, match="reinstall paperchat"):
        texts("bats or birds", QuestionEncoder(packaged_embedder))
