"""A question in another language is recognized, and names and keywords are not taken for one."""

from __future__ import annotations

import pytest

from assistant.question.language import foreign_language


@pytest.mark.parametrize(
    ("question", "language"),
    [
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
