"""Names in a question that a paper does not mention."""

import re

import pytest

from assistant.answering.names import missing_names, names_in, spelled
from assistant.question.terms import Term
from assistant.schema import Paper

PAPER = Paper("p", "We train Llama-2 with DPO, and compare LLMs on MATH.", title="Adam-mini at work")


def _terms(question: str) -> tuple[Term, ...]:
    terms = [Term(match[0], match.start(), match.end(), (match[0],), 1.0) for match in re.finditer(r"\w+", question)]
    return missing_names(names_in(question, terms), PAPER)


def _missing(question: str) -> tuple[str, ...]:
    return tuple(term.text for term in _terms(question))


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("does DPO beat SimPO?", ("SimPO",)),
        ("is Llama-3 better than R1 at 7B?", ("R1",)),
        ("what does adam-mini do on MATH", ()),
        ("how do we train one LLM?", ()),
        ("is training with Sophia faster", ("Sophia",)),
    ],
)
def test_a_name_that_neither_title_nor_abstract_has_is_missing(question: str, names: tuple[str, ...]) -> None:
    assert _missing(question) == names


@pytest.mark.parametrize("question", ["Warmup helps?", "we train. Warmup helps?", "\u201cWarmup\u201d helps"])
def test_the_capital_that_begins_a_sentence_makes_no_name(question: str) -> None:
    assert _missing(question) == ()


def test_a_question_in_capitals_has_no_names() -> None:
    assert _missing("DOES WARMUP HELP SOPHIA?") == ()


def test_a_name_counts_once_however_often_it_is_written() -> None:
    assert _missing("is SimPO better, and is SimPO faster than two SimPOs?") == ("SimPOs",)


def test_a_name_is_spelled_as_the_whole_word_that_it_is_part_of() -> None:
    question = "how long did DeepSeek-R1 (and \u201cR1-Zero\u201d) train?"
    assert spelled(question, _terms(question)) == ("DeepSeek-R1", "R1-Zero")


def test_an_acronym_is_not_missing_where_the_paper_has_its_words() -> None:
    assert _missing("does AW help with LR?") == ("LR",)
