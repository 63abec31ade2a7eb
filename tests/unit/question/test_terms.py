from __future__ import annotations

import pytest

from assistant.chat import Assistant
from assistant.question.terms import QuestionTerms, Term, analyze, is_in


def analyzed(reader: Assistant, question: str) -> QuestionTerms:
    return analyze(question, reader.library.lexicon)


def words(reader: Assistant, question: str) -> list[Term]:
    return list(analyzed(reader, question).content)


def names(reader: Assistant, question: str) -> list[str]:
    return [word.text for word in words(reader, question) if word.is_name]


@pytest.mark.parametrize(
    ("question", "content"),
    [
        ("What do the glaciers of the Alps lose?", ["glaciers", "Alps", "lose"]),
        ("Are there any papers about how bees dance?", ["bees", "dance"]),
        ("Adam's step, they've said, doesn't shrink", ["Adam", "step", "said", "shrink"]),
        ("T5-small vs GPT-4o", ["T5", "small", "vs", "GPT", "4o"]),
        ("Which ones do they?", ["ones"]),
        ("", []),
        ("?!", []),
    ],
)
def test_question_words_are_not_content_words(reader: Assistant, question: str, content: list[str]) -> None:
    assert [word.text for word in words(reader, question)] == content


def test_a_term_has_its_offsets_in_the_question(reader: Assistant) -> None:
    question = "Do honey bees' dances, (honestly) help?"
    assert all(question[word.start :].startswith(word.text) for word in words(reader, question))
    assert all(word.text in question[word.start : word.end] for word in words(reader, question))


def test_the_idf_grows_with_rarity_and_is_highest_for_unseen_words(reader: Assistant) -> None:
    question = analyzed(reader, "third bees violins")
    third, bees, violins = question.content
    assert third.idf < bees.idf < violins.idf == question.max_idf
    assert [question.is_unseen(term) for term in question.content] == [False, False, True]


def test_every_index_term_of_a_question_has_its_idf(reader: Assistant) -> None:
    question = analyzed(reader, "What do they say about older bees' dances?")
    assert {"older", "bee", "danc"} <= set(question.index_idf)
    assert question.index_idf == reader.library.lexicon.idf(question.index_idf)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Does NovoGrad beat Adam on ImageNet?", ["NovoGrad", "Adam", "ImageNet"]),
        ("what is said of DPO and of the 7B model", ["DPO", "7B"]),
        ("LLMs with T5 or GPT-4o", ["LLMs", "T5", "GPT", "4o"]),
        ("Glaciers shrink. Bees dance? So: Bread rises", []),
        ('"Bees" dance, said Smith', ["Smith"]),
        ("Honey bees in 2019 and 3 others", []),
        ("Small Glaciers Shrink The Fastest In The Northern Alps", []),
        ("Small Glaciers Shrink The Fastest Under DPO", ["DPO"]),
        ("WHY DO BEES DANCE WITH T5", ["T5"]),
        ("which value of x", []),
    ],
)
def test_a_name_is_recognized_by_its_spelling(reader: Assistant, question: str, expected: list[str]) -> None:
    assert names(reader, question) == expected


@pytest.mark.parametrize(
    ("name", "text", "present"),
    [
        ("SFT", "We study supervised fine-tuning.", True),
        ("LLMs", "Large language models are studied.", True),
        ("LLMs", "An LLM is studied.", True),
        ("LLM", "We study LLMs.", True),
        ("RM", "A reward model is fitted.", True),
        ("SFT", "Fine-tuning, supervised.", False),
        ("Sft", "We study supervised fine-tuning.", False),
        ("NovoGrad", "Novo and others graduate.", False),
    ],
)
def test_an_acronym_may_be_spelt_out(reader: Assistant, name: str, text: str, present: bool) -> None:
    (word,) = words(reader, name)
    assert is_in(word, text, set(reader.library.lexicon.terms(text))) is present
