from __future__ import annotations

import pytest

from assistant import citations
from assistant.answering.evidence import Evidence
from assistant.citations import cited_text
from assistant.digest import digest
from assistant.retrieval.search import Found
from assistant.schema import Answer, Hit, Paper, Query, Strength, Verdict
from assistant.text.sentences import passages

BEES = "Honey bees dance. They show the way to flowers. Old bees dance longer."
ICE = "Glaciers lose ice every summer. Small ones shrink the fastest."


def evidence(abstract: str, *scores: float, rank: int = 1) -> list[Evidence]:
    """Return evidence for each sentence of an abstract, in order."""
    hit = Hit(rank, 1.0, Paper(f"paper-{rank}", abstract))
    return [Evidence(hit, passage, score) for passage, score in zip(passages(abstract), scores, strict=True)]


def compose(candidates: list[Evidence], max_sentences: int, *, is_survey: bool = False) -> list[Evidence]:
    return digest.compose(candidates, max_sentences, is_survey=is_survey)


def quoted(chosen: list[Evidence], monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return the whole answer that quotes this evidence."""
    monkeypatch.setattr("assistant.answering.evidence.select", lambda *_: chosen)
    draft = Answer("Why?", "Why?", Strength.FIRM, 0.5, "", done=False)
    *_, last = digest.stream_digest(draft, Found(Query("Why?", "Why?")), 10)
    return last


def best_first(*papers: list[Evidence]) -> list[Evidence]:
    return sorted((item for paper in papers for item in paper), key=lambda item: -item.score)


def quotes(chosen: list[Evidence]) -> list[str]:
    return [item.passage.text for item in chosen]


def test_what_is_quoted_is_quoted_word_for_word(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = compose(evidence(BEES, 0.9, 0.8, 0.7), max_sentences=3)
    assert len(chosen) == 3
    for item, sentence in zip(chosen, quoted(chosen, monkeypatch).sentences, strict=True):
        assert item.hit.paper.abstract[item.passage.start : item.passage.end] == sentence.text


def test_every_statement_carries_one_citation_and_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = quoted(evidence(BEES, 0.9, 0.8, 0.7), monkeypatch).sentences
    checks = [(sentence.citations, sentence.verdict, sentence.support) for sentence in sentences]
    assert checks == [((1,), Verdict.SUPPORTED, 1.0)] * 3


def test_papers_are_numbered_by_first_appearance_and_their_sentences_stay_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    candidates = best_first(evidence(ICE, 0.9, 0.81, rank=2), evidence(BEES, 0.1, 0.85, 0.86, rank=1))
    sentences = quoted(compose(candidates, max_sentences=4), monkeypatch).sentences
    assert [(sentence.text, sentence.citations) for sentence in sentences] == [
        ("Glaciers lose ice every summer.", (1,)),
        ("Small ones shrink the fastest.", (1,)),
        ("They show the way to flowers.", (2,)),
        ("Old bees dance longer.", (2,)),
    ]


def test_the_text_holds_the_statements_with_markers_that_resolve_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = compose(best_first(evidence(ICE, 0.9, 0.01), evidence(BEES, 0.01, 0.8, 0.01, rank=2)), max_sentences=3)
    text = quoted(chosen, monkeypatch).text
    assert text == "Glaciers lose ice every summer. [1]\nThey show the way to flowers. [2]"
    assert citations.resolve(text, [item.hit for item in chosen]).text == text


def test_at_most_the_requested_number_of_sentences_is_quoted() -> None:
    candidates = evidence(BEES, 0.9, 0.88, 0.86)
    assert [len(compose(candidates, limit)) for limit in (1, 2, 3, 10)] == [1, 2, 3, 3]


def test_the_best_sentences_are_the_ones_quoted() -> None:
    candidates = best_first(evidence(BEES, 0.8, 0.85, 0.9))
    assert quotes(compose(candidates, max_sentences=2)) == ["They show the way to flowers.", "Old bees dance longer."]


def test_a_sentence_far_less_likely_than_the_best_is_not_quoted() -> None:
    assert quotes(compose(evidence(BEES, 0.8, 0.4, 0.01), max_sentences=3)) == [
        "Honey bees dance.",
        "They show the way to flowers.",
    ]


@pytest.mark.parametrize(("is_survey", "papers"), [(False, {1}), (True, {1, 2})])
def test_a_further_paper_has_to_be_likelier_than_a_further_sentence_but_in_a_survey(
    is_survey: bool, papers: set[int]
) -> None:
    candidates = best_first(evidence(BEES, 0.8, 0.4, 0.01), evidence(ICE, 0.41, 0.01, rank=2))
    assert {item.hit.rank for item in compose(candidates, max_sentences=3, is_survey=is_survey)} == papers
    assert len(compose(evidence(BEES, 0.8, 0.4, 0.01), max_sentences=3)) == 2


def test_beside_a_certain_sentence_no_other_is_quoted() -> None:
    assert quotes(compose(evidence(BEES, 1.0, 0.9, 0.9), max_sentences=3)) == ["Honey bees dance."]


BESTS = (0.9, 0.88, 0.86)


def _five_papers() -> list[Evidence]:
    """Return evidence of five papers with three sentences; each paper scores higher than the next."""
    return best_first(
        *(
            evidence(f"Hive{n} dances. Meadow{n} sleeps. Flower{n} smells.", *(best - n / 10 for best in BESTS), rank=n)
            for n in range(1, 6)
        )
    )


def test_a_single_fact_is_quoted_in_the_order_of_evidence() -> None:
    assert [item.hit.rank for item in compose(_five_papers(), max_sentences=5)] == [1, 1, 1, 2, 2]


def test_a_survey_quotes_more_papers() -> None:
    ranks = [item.hit.rank for item in compose(_five_papers(), max_sentences=7, is_survey=True)]
    assert ranks == [1, 1, 2, 2, 3, 3, 4]


@pytest.mark.parametrize("is_survey", [False, True])
def test_no_answer_quotes_more_papers_than_can_be_read(is_survey: bool) -> None:
    assert len({item.hit.paper.id for item in compose(_five_papers(), max_sentences=99, is_survey=is_survey)}) == 4


def test_a_near_duplicate_is_not_quoted() -> None:
    again = "They show the way to all flowers. Mites kill them."
    candidates = best_first(evidence(BEES, 0.01, 0.9, 0.01), evidence(again, 0.89, 0.88, rank=2))
    assert quotes(compose(candidates, max_sentences=3)) == ["They show the way to flowers.", "Mites kill them."]


def test_a_sentence_that_contains_a_citation_marker_is_not_quoted() -> None:
    candidates = evidence("Bees dance [3]. Bees fly 【2】. Bees sleep at night.", 0.9, 0.89, 0.88)
    assert quotes(compose(candidates, max_sentences=3)) == ["Bees sleep at night."]


def test_without_evidence_nothing_is_quoted() -> None:
    assert compose([], max_sentences=3) == []
    assert cited_text([]) == ""


def test_an_answer_that_can_quote_nothing_abstains(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = quoted([], monkeypatch)
    assert (answer.answered, answer.done, answer.citations) == (False, True, ())
    assert answer.reason == "no sentence found can be quoted"


def test_each_citation_holds_the_passages_quoted_from_its_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = best_first(evidence(ICE, 0.9, 0.01), evidence(BEES, 0.8, 0.85, 0.01, rank=2))
    answer = quoted(compose(chosen, max_sentences=3), monkeypatch)
    assert [[passage.text for passage in citation.passages] for citation in answer.citations] == [
        ["Glaciers lose ice every summer."],
        ["Honey bees dance.", "They show the way to flowers."],
    ]
