"""How an answer reads, worked out by hand on small answers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from assistant.schema import Answer, Cell, Citation, Paper, Passage, Row, Sentence, Strength, Table, Verdict
from eval import measures
from eval.measures.readability import leaning_share, readability_measures
from eval.runs.answer_records import AnswerRecord, CheckedSentenceRecord, QuotationRecord, answer_of
from tests.evaluation import answer_record, question_record

ABSTRACT = "Ice melts. It melts fast. This is a risk. Snow falls."
PAPER = Paper("ice", ABSTRACT, "Ice")


def leans(sentence: str, position: int, title: str) -> float:
    """Judge by the first word: enough for these sentences."""
    return float(sentence.split()[0] in ("It", "This") and position > 0 and title == "Ice")


def quoting(*positions: int, paper: str = "ice") -> AnswerRecord:
    """Return an answer that quotes the sentences at these positions."""
    texts = [f"{text}." for text in ABSTRACT.removesuffix(".").split(". ")]
    sentences = [
        CheckedSentenceRecord(texts[position], (1,), Verdict.SUPPORTED, 1.0, QuotationRecord(paper, "Ice", position))
        for position in positions
    ]
    return answer_record(cited="i", sentences=sentences)


@pytest.mark.parametrize(
    ("positions", "share"),
    [
        ((0,), 0.0),
        ((1,), 1.0),
        ((0, 1), 0.0),
        ((0, 1, 2), 0.0),
        ((1, 2), 0.5),
        ((0, 2), 0.5),
        ((3, 1), 0.5),
    ],
)
def test_a_leaning_sentence_counts_unless_the_one_before_it_in_the_abstract_precedes_it(
    positions: Sequence[int], share: float
) -> None:
    assert leaning_share(quoting(*positions), leans) == share


def test_the_sentence_before_must_be_of_the_same_paper() -> None:
    first, second = quoting(0, paper="snow").sentences, quoting(1).sentences
    assert leaning_share(answer_record(sentences=[*first, *second]), leans) == 0.5


def test_sentences_that_quote_nothing_are_not_judged() -> None:
    written = CheckedSentenceRecord("It melts fast.", (1,), Verdict.SUPPORTED, 1.0)
    assert leaning_share(answer_record(sentences=[written]), leans) is None


@pytest.mark.parametrize(
    ("text", "words"), [("Ice melts [1].\nIt melts fast. [1, 2]", 5), ("", 0), ("A range [0, 1] of it [1].", 6)]
)
def test_the_words_of_an_answer_are_counted_without_its_citations(text: str, words: int) -> None:
    record = question_record("one", "a", answer=answer_record(text=text))
    assert readability_measures(leans)["words an answer"](record) == words


def test_an_abstention_has_no_length() -> None:
    record = question_record("one", "a", answer=answer_record(Strength.NONE, text="No abstract says so."))
    assert {measure(record) for measure in readability_measures(leans).values()} == {None}


def test_the_figures_of_every_suite_of_questions_have_the_length_of_answers() -> None:
    table = measures.figures([question_record("one", "a", "a", answer_record(cited="a", text="Ice melts [1]."))])
    assert (table["single"]["words an answer"]["all"], table["single"]["sentences an answer"]["all"]) == (2.0, 0.0)


def test_the_figures_of_a_suite_judge_sentences_by_the_classifier_of_the_package() -> None:
    records = [question_record("one", "i", answer=quoting(0)), question_record("two", "i", answer=quoting(2))]
    figures = measures.figures(records)["single"]
    assert figures["sentences that do not stand alone"]["all"] == 0.5


def test_a_record_says_where_in_the_abstract_each_sentence_stands() -> None:
    texts = ("It melts fast.", "Snow falls.", "It may be so.")
    answer = Answer(
        question="Why?",
        standalone="Why?",
        strength=Strength.FIRM,
        confidence=0.9,
        text="",
        citations=(Citation(1, PAPER, (Passage("It melts fast.", 11, 25),)),),
        sentences=tuple(Sentence(text, (1,), Verdict.SUPPORTED, 1.0) for text in texts),
    )
    assert [sentence.quotation for sentence in answer_of(answer).sentences] == [
        QuotationRecord("ice", "Ice", 1),
        QuotationRecord("ice", "Ice", 3),
        None,
    ]


def test_a_record_has_the_table_the_opening_and_the_nearest_papers() -> None:
    table = Table(("year",), (Row(PAPER, (Cell("2001"),)),), 7)
    answer = Answer(
        "Why?", "Why?", Strength.NONE, 0.1, "", opening="Seven.", table=table, nearest=(PAPER,), intent="list"
    )
    record = answer_of(answer)
    assert (record.opening, record.nearest, record.intent) == ("Seven.", ("ice",), "list")
    assert record.table is not None
    assert (record.table.total, record.table.rows[0].paper, record.table.rows[0].values) == (7, "ice", ("2001",))
