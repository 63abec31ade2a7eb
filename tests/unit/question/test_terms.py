from __future__ import annotations

import pytest

from assistant.chat import Assistant
from assistant.question.terms import QuestionTerms, Term, analyze


def analyzed(reader: Assistant, question: str) -> QuestionTerms:
    return analyze(question, reader.library.lexicon)


def words(reader: Assistant, question: str) -> list[Term]:
    return list(analyzed(reader, question).content)


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
