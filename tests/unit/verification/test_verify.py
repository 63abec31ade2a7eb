from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from assistant.chat import Assistant
from assistant.schema import Hit, Passage, Sentence, Verdict
from assistant.text.sentences import passages
from assistant.verification import verify
from assistant.verification.support import SUPPORTED_FROM, SupportModel

Check = Callable[[str], list[tuple[Sentence, Mapping[int, Passage]]]]


@pytest.fixture
def hits(reader: Assistant) -> list[Hit]:
    """[1] stands for the paper on glaciers, [2] for that on bees, [3] for that on bread."""
    papers = list(reader.library.catalog.papers.all())
    found = [next(each for each in papers if word in each.abstract) for word in ("Glaciers", "bees", "Sourdough")]
    return [Hit(rank, 1.0, paper) for rank, paper in enumerate(found, start=1)]


@pytest.fixture
def check(reader: Assistant, hits: list[Hit]) -> Check:
    judge = SupportModel(reader.library.embedder, reader.library.lexicon)
    return lambda text: [(each.sentence, each.passages) for each in verify.verify_text(text, hits, judge)]


def verdicts(checked: list[tuple[Sentence, Mapping[int, Passage]]]) -> list[tuple[str, tuple[int, ...], str]]:
    return [(sentence.text, sentence.citations, str(sentence.verdict)) for sentence, _ in checked]


def test_a_quoted_sentence_is_wholly_supported_by_itself(check: Check, hits: list[Hit]) -> None:
    for number, hit in enumerate(hits, start=1):
        for passage in passages(hit.paper.abstract):
            ((sentence, behind),) = check(f"{passage.text} [{number}]")
            assert (sentence.text, sentence.verdict, sentence.support) == (passage.text, Verdict.SUPPORTED, 1.0)
            assert behind == {number: passage}


def test_a_sentence_in_other_words_is_supported_by_the_passage_that_says_it(check: Check, hits: list[Hit]) -> None:
    ((sentence, behind),) = check("After 2005 the losses doubled [1].")
    assert sentence.verdict is Verdict.SUPPORTED
    assert behind[1].text == "The loss doubles after 2005."
    assert hits[0].paper.abstract[behind[1].start : behind[1].end] == behind[1].text


@pytest.mark.parametrize(
    "text",
    [
        "The loss doubles after 2015 [1].",
        "We decode 5,196 dances with a neural network [2].",
        "The network reads the direction of a dance with an error of 4.5 degrees [2].",
    ],
)
def test_a_wrong_number_is_not_supported(check: Check, text: str) -> None:
    ((sentence, _),) = check(text)
    assert sentence.verdict is Verdict.UNSUPPORTED
    assert sentence.support < SUPPORTED_FROM


def test_a_number_may_stand_elsewhere_in_the_cited_abstract(check: Check) -> None:
    ((sentence, _),) = check("The loss doubles after 2005 in 412 glaciers [1].")
    assert sentence.verdict is Verdict.SUPPORTED


def test_a_sentence_without_a_marker_is_uncited(check: Check) -> None:
    ((sentence, behind),) = check("Small glaciers shrink the fastest.")
    assert (sentence.verdict, sentence.citations, sentence.support, behind) == (Verdict.UNCITED, (), 0.0, {})


@pytest.mark.parametrize("text", ["Quantum computers factor integers [1].", "Small glaciers shrink the fastest [2]."])
def test_a_sentence_that_the_cited_paper_does_not_say_is_not_supported(check: Check, text: str) -> None:
    ((sentence, _),) = check(text)
    assert sentence.verdict is Verdict.UNSUPPORTED


def test_one_of_several_cited_papers_is_enough(check: Check) -> None:
    ((sentence, behind),) = check("Older bees dance longer [1][2].")
    assert (sentence.verdict, sentence.citations) == (Verdict.SUPPORTED, (1, 2))
    assert behind[2].text == "Older bees dance longer."


def test_each_sentence_is_judged_on_its_own(check: Check) -> None:
    assert verdicts(
        check("Older bees dance longer [2]. Whales sing of older bees in the evening [2].\nBees are nice.")
    ) == [
        ("Older bees dance longer.", (2,), "supported"),
        ("Whales sing of older bees in the evening.", (2,), "unsupported"),
        ("Bees are nice.", (), "uncited"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Small glaciers shrink the fastest. [1] Older bees dance longer. [2]",
        "Small glaciers shrink the fastest. [1]\nOlder bees dance longer. [2]",
        "Small glaciers shrink the fastest.\n[1]\nOlder bees dance longer.\n[2]",
        "Small glaciers shrink the fastest.[1] Older bees dance longer.[2]",
    ],
)
def test_markers_behind_the_full_stop_belong_to_the_sentence_before(check: Check, text: str) -> None:
    assert verdicts(check(text)) == [
        ("Small glaciers shrink the fastest.", (1,), "supported"),
        ("Older bees dance longer.", (2,), "supported"),
    ]


def test_several_markers_behind_the_full_stop_all_belong_to_it(check: Check) -> None:
    assert verdicts(check("Older bees dance longer. [2][1] Bees are nice.")) == [
        ("Older bees dance longer.", (2, 1), "supported"),
        ("Bees are nice.", (), "uncited"),
    ]


def test_a_marker_that_opens_the_text_belongs_to_the_sentence_behind_it(check: Check) -> None:
    assert verdicts(check("[2] Older bees dance longer.")) == [("Older bees dance longer.", (2,), "supported")]


@pytest.mark.parametrize("text", ["[1]", "[1].", "[1][2]\n[3]"])
def test_markers_alone_state_nothing(check: Check, text: str) -> None:
    assert check(text) == []


def test_the_number_of_a_list_item_is_no_sentence(check: Check) -> None:
    checked = check("1. Small glaciers shrink the fastest [1].\n2. Older bees dance longer [2].")
    assert [(sentence.citations, sentence.verdict) for sentence, _ in checked] == [
        ((1,), Verdict.SUPPORTED),
        ((2,), Verdict.SUPPORTED),
    ]


@pytest.mark.parametrize("text", ["", " \n "])
def test_a_text_without_sentences_has_no_verdicts(check: Check, text: str) -> None:
    assert check(text) == []


def test_a_marker_in_place_of_a_noun_stays_in_the_sentence_and_is_no_number_of_the_claim(check: Check) -> None:
    assert verdicts(
        check("According to [1], small glaciers shrink the fastest. As in [2], older bees dance longer.")
    ) == [
        ("According to [1], small glaciers shrink the fastest.", (1,), "supported"),
        ("As in [2], older bees dance longer.", (2,), "supported"),
    ]
