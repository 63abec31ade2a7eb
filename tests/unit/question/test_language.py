"""A question in another language is recognized, and names and keywords are not taken for one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from assistant.question.language import LANGUAGES, WEIGHTS, foreign_language, read_classifier
from eval.training import languages


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Wie funktioniert DPO?", "German"),
        ("Welche Verfahren brauchen weniger Speicher als Adam?", "German"),
        ("Quelles méthodes évitent l'oubli catastrophique ?", "French"),
        ("¿Qué se sabe del calentamiento de la tasa de aprendizaje?", "Spanish"),
        ("学习率预热有什么作用？", "Chinese"),
        ("Что такое обучение с подкреплением?", "Russian"),
    ],
)
def test_the_language_of_a_question_is_named(question: str, language: str) -> None:
    assert foreign_language(question) == language


@pytest.mark.parametrize(
    "question",
    [
        "Which methods need less memory than Adam?",
        "WHICH METHODS NEED LESS MEMORY",
        "wich methds ned les memry then adam",
        "DPO vs PPO",
        "miniF2F accuracy Goedel-Prover",
        "aromatase inhibitors arthralgia bone fractures",
        "Schrödinger bridge samplers",
        "",
        "?!",
        "12345",
        "\x00\u202e",
    ],
)
def test_english_names_keywords_and_noise_are_in_no_other_language(question: str) -> None:
    assert foreign_language(question) is None


def test_a_very_long_text_is_recognized_by_its_beginning() -> None:
    assert foreign_language("Welche Verfahren brauchen weniger Speicher? " * 2000) == "German"


PROBED = [
    "Which methods need less memory than Adam?",
    "Welche Verfahren brauchen weniger Speicher als Adam?",
    "Quelles méthodes évitent l'oubli catastrophique ?",
    "学习率预热有什么作用？",
    "ΠΟΙΑ ΜΟΝΤΕΛΑ ΕΙΝΑΙ ΜΙΚΡΟΤΕΡΑ;",
    "nai\u0308ve Bayes",  # a letter and its accent apart
    "DPO vs PPO",
    "a" * 1000,
    "\ud800 half a character",
    "x",
    "🐝",
    "",
]


@pytest.fixture(scope="module")
def identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


@pytest.mark.parametrize("text", PROBED)
def test_the_probabilities_are_those_of_py3langid(text: str, identifier: Any) -> None:
    assert read_classifier().probabilities(text) == pytest.approx(dict(identifier.rank(text)), abs=0.01)


@pytest.mark.slow
def test_the_packaged_weights_are_made_from_py3langid(identifier: Any) -> None:
    made, packaged = languages.written_out(identifier), read_classifier()
    for name in ("keys", "steps", "scale", "least", "prior"):
        assert np.array_equal(made[name], getattr(packaged, name)), name
    assert tuple(made["classes"]) == packaged.classes


def test_the_weights_are_a_small_part_of_the_package() -> None:
    assert WEIGHTS.stat().st_size < 5_000_000
