"""How quotations become an answer: word for word, numbered, under their headings."""

from __future__ import annotations

import pytest

from assistant import citations
from assistant.digest import standalone
from assistant.digest.quoting import Group, Plan, Quotation, snapshots
from assistant.schema import Heading, Verdict
from tests.unit.digest.quoted import BEES, DRAFT, ICE, answer, best_first, composed, evidence


def two_papers() -> list[Quotation]:
    candidates = best_first(evidence(ICE, 0.9, 0.01), evidence(BEES, 0.8, 0.85, 0.01, rank=2))
    return composed(candidates, 3)


def test_what_is_quoted_is_quoted_word_for_word_with_one_citation_and_is_supported() -> None:
    for quotation, sentence in zip(two_papers(), answer(two_papers()).sentences, strict=True):
        assert quotation.hit.paper.abstract[quotation.passage.start : quotation.passage.end] == sentence.text
        assert (len(sentence.citations), sentence.verdict, sentence.support) == (1, Verdict.SUPPORTED, 1.0)


def test_papers_are_numbered_by_first_appearance() -> None:
    assert [sentence.citations for sentence in answer(two_papers()).sentences] == [(1,), (2,), (2,)]


def test_the_text_holds_the_sentences_with_markers_that_resolve_to_themselves() -> None:
    quotations = two_papers()
    text = answer(quotations).text
    assert text == "Glaciers lose ice every summer. [1]\nHoney bees dance. [2]\nThey show the way to flowers. [2]"
    hits = list({quotation.hit.paper.id: quotation.hit for quotation in quotations}.values())
    assert citations.resolve(text, hits).text == text


def test_each_citation_has_the_passages_quoted_from_its_paper() -> None:
    assert [[passage.text for passage in citation.passages] for citation in answer(two_papers()).citations] == [
        ["Glaciers lose ice every summer."],
        ["Honey bees dance.", "They show the way to flowers."],
    ]


def test_an_answer_grows_by_a_quotation_and_is_done_last() -> None:
    lengths = [(len(item.sentences), item.done) for item in snapshots(DRAFT, Plan((Group(tuple(two_papers())),)))]
    assert lengths == [(1, False), (2, False), (3, True)]


def test_a_heading_stands_above_the_first_sentence_of_its_group_once_that_is_there() -> None:
    first, *rest = two_papers()
    plan = Plan((Group((first,), "Ice"), Group((), "Fire"), Group(tuple(rest), "Bees")), "Two papers bear on this.")
    begun, *_, last = snapshots(DRAFT, plan)
    assert begun.headings == (Heading("Ice", 0),)
    assert last.headings == (Heading("Ice", 0), Heading("Bees", 1))
    assert begun.opening == last.opening == "Two papers bear on this."


def test_the_lead_of_a_sentence_is_measured_and_its_text_left_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone, "lead_length", lambda text: len("Moreover, ") if "Moreover" in text else 0)
    quotations = composed(evidence("Bees dance. Moreover, bees sleep.", 0.9, 0.89), 2)
    assert [(sentence.text, sentence.lead) for sentence in answer(quotations).sentences] == [
        ("Bees dance.", 0),
        ("Moreover, bees sleep.", 10),
    ]
