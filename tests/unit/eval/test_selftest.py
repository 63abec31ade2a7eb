"""Questions made from one's own library: what is asked is gone from the test's library, or the paper itself is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.errors import InputError
from assistant.schema import Paper
from assistant.settings import Settings
from eval import measures
from eval.runs.execution import RunOptions, run_suites
from eval.suites import Question, selftest
from eval.suites.selection import Suite

WORDS = "ice bee bread star rain fish rock leaf moon sand salt wind iron snow frog lamp coal silk".split()


def paper(number: int) -> Paper:
    word = f"{WORDS[number % len(WORDS)]}{number}"
    return Paper(
        f"p{number:03}",
        f"We study the {word} of cold places. The {word} grows by {number} parts each year. Older {word} is found in "
        f"the deepest lakes of all. Nobody knows why {word} matters to us.",
        f"On the growth of {word}",
    )


PAPERS = [paper(number) for number in range(40)]


def of_kind(exam: Suite, kind: str) -> list[Question]:
    return [item for item in exam.items if isinstance(item, Question) and item.group == kind]


@pytest.fixture
def exam() -> Suite:
    return selftest.generate_suite(PAPERS, 1000, 150)


def held(exam: Suite) -> dict[str, Paper]:
    return {paper.id: paper for paper in exam.papers or ()}


def test_a_third_of_the_questions_is_of_each_kind(exam: Suite) -> None:
    kinds = [item.group for item in exam.items if isinstance(item, Question)]
    assert {kind: kinds.count(kind) for kind in kinds} == {"title": 6, "sentence": 6, "left out": 6}


def test_the_same_library_gives_the_same_questions_in_whatever_order_it_is(exam: Suite) -> None:
    assert selftest.generate_suite(reversed(PAPERS), 1000, 150) == exam


def test_no_paper_is_asked_about_twice(exam: Suite) -> None:
    ids = [item.id.rsplit("-", 1)[1] for item in exam.items]
    assert len(set(ids)) == len(ids)


def test_a_title_that_is_asked_about_is_gone_from_its_paper(exam: Suite) -> None:
    by_id = {paper.id: paper for paper in PAPERS}
    for question in of_kind(exam, "title"):
        (name,) = question.papers
        assert question.text == by_id[name].title
        assert held(exam)[name] == replace(by_id[name], title=None)


def test_a_sentence_that_is_asked_about_is_gone_from_its_abstract_and_the_rest_is_not(exam: Suite) -> None:
    by_id = {paper.id: paper for paper in PAPERS}
    for question in of_kind(exam, "sentence"):
        (name,) = question.papers
        before, after = by_id[name].abstract, held(exam)[name].abstract
        assert question.text in before
        assert question.text not in after
        assert " ".join(before.replace(question.text, " ").split()) == " ".join(after.split())
        assert held(exam)[name].title == by_id[name].title


def test_a_sentence_is_neither_the_first_nor_the_last_of_its_abstract(exam: Suite) -> None:
    for question in of_kind(exam, "sentence"):
        assert not question.text.startswith(("We study", "Nobody knows"))


def test_a_paper_that_is_left_out_is_not_there_and_all_the_others_are(exam: Suite) -> None:
    absent = {question.id.removeprefix("left-out-") for question in of_kind(exam, "left out")}
    assert held(exam).keys() == {paper.id for paper in PAPERS} - absent
    assert all(not question.papers for question in of_kind(exam, "left out"))


def test_papers_and_questions_are_as_many_as_asked_for() -> None:
    exam = selftest.generate_suite(PAPERS, 20, 9)
    assert len(exam.items) == 9
    assert len(held(exam)) == 20 - 3


def test_without_titles_there_are_sentences_and_without_sentences_titles() -> None:
    untitled = selftest.generate_suite([replace(each, title=None) for each in PAPERS], 1000, 150)
    assert {item.group for item in untitled.items if isinstance(item, Question)} == {"sentence", "left out"}
    brief = selftest.generate_suite([replace(each, abstract="Too short.") for each in PAPERS], 1000, 150)
    assert {item.group for item in brief.items if isinstance(item, Question)} == {"title", "left out"}


@pytest.mark.parametrize("count", [0, 1, 11])
def test_a_library_that_is_too_small_is_refused_with_what_it_needs(count: int) -> None:
    with pytest.raises(InputError, match=f"it holds {count} papers; a test needs at least 12"):
        selftest.generate_suite(PAPERS[:count], 1000, 150)


def test_a_library_of_which_nothing_can_be_asked_is_refused() -> None:
    with pytest.raises(InputError, match="no paper has a title or three sentences"):
        selftest.generate_suite([Paper(f"p{number}", "Too short.") for number in range(20)], 1000, 150)


def test_the_smallest_library_that_will_do_is_asked_about_each_way() -> None:
    exam = selftest.generate_suite(PAPERS[:12], 1000, 150)
    assert [item.group for item in exam.items if isinstance(item, Question)] == [
        *["title"] * 2,
        *["sentence"] * 2,
        *["left out"] * 2,
    ]


def test_a_run_finds_the_papers_again_and_tells_how_far_to_trust_it(eval_settings: Settings, exam: Suite) -> None:
    found = run_suites(eval_settings, [exam], RunOptions((selftest.NAME,)), "mine")
    figures = measures.figures(found.records)
    assert (len(found.records), found.missing, found.failed) == (18, 0, ())
    assert set(figures) == {"selftest", "trust"}
    assert figures["selftest"]["R@10"].keys() == {"all", "title", "sentence"}
    assert figures["selftest"]["R@10"]["all"] > 0.9
    assert figures["selftest"]["refused"].keys() == {"all", "left out"}
