from __future__ import annotations

from assistant import citations, extractive
from assistant.schema import Evidence, Hit, Paper, Verdict
from assistant.sentences import passages

BEES = "Honey bees dance. They show the way to flowers. Old bees dance longer."
ICE = "Glaciers lose ice every summer. Small ones shrink the fastest."


def evidence(abstract: str, *scores: float, rank: int = 1) -> list[Evidence]:
    """A piece of evidence for each sentence of an abstract, in its order."""
    hit = Hit(rank, 1.0, Paper(f"paper-{rank}", abstract))
    return [Evidence(hit, passage, score) for passage, score in zip(passages(abstract), scores, strict=True)]


def best_first(*each: list[Evidence]) -> list[Evidence]:
    return sorted((one for some in each for one in some), key=lambda one: -one.score)


def quotes(chosen: list[Evidence]) -> list[str]:
    return [each.passage.text for each in chosen]


def test_what_is_quoted_is_quoted_word_for_word() -> None:
    chosen = extractive.compose(evidence(BEES, 0.9, 0.8, 0.7), most=3)
    assert len(chosen) == 3
    for each, sentence in zip(chosen, extractive.statements(chosen), strict=True):
        assert each.hit.paper.abstract[each.passage.start : each.passage.end] == sentence.text


def test_every_statement_carries_one_citation_and_is_supported() -> None:
    sentences = extractive.statements(extractive.compose(evidence(BEES, 0.9, 0.8, 0.7), most=3))
    assert [(each.citations, each.verdict, each.support) for each in sentences] == [((1,), Verdict.SUPPORTED, 1.0)] * 3


def test_papers_are_numbered_by_first_appearance_and_their_sentences_stay_in_order() -> None:
    found = best_first(evidence(ICE, 0.9, 0.81, rank=2), evidence(BEES, 0.1, 0.85, 0.86, rank=1))
    sentences = extractive.statements(extractive.compose(found, most=4))
    assert [(each.text, each.citations) for each in sentences] == [
        ("Glaciers lose ice every summer.", (1,)),
        ("Small ones shrink the fastest.", (1,)),
        ("They show the way to flowers.", (2,)),
        ("Old bees dance longer.", (2,)),
    ]


def test_the_text_holds_the_statements_with_markers_that_resolve_to_themselves() -> None:
    chosen = extractive.compose(best_first(evidence(ICE, 0.9, 0.1), evidence(BEES, 0.1, 0.8, 0.1, rank=2)), most=3)
    text = extractive.text(extractive.statements(chosen))
    assert text == "Glaciers lose ice every summer. [1]\nThey show the way to flowers. [2]"
    assert citations.resolve(text, [each.hit for each in chosen]).text == text


def test_no_more_is_quoted_than_asked_for() -> None:
    found = evidence(BEES, 0.9, 0.88, 0.86)
    assert [len(extractive.compose(found, most)) for most in (1, 2, 3, 10)] == [1, 2, 3, 3]


def test_the_best_sentences_are_the_ones_quoted() -> None:
    found = best_first(evidence(BEES, 0.8, 0.85, 0.9))
    assert quotes(extractive.compose(found, most=2)) == ["They show the way to flowers.", "Old bees dance longer."]


def test_a_sentence_much_weaker_than_the_best_is_not_quoted() -> None:
    assert quotes(extractive.compose(evidence(BEES, 0.8, 0.61, 0.5), most=3)) == [
        "Honey bees dance.",
        "They show the way to flowers.",
    ]


def test_a_near_repeat_is_not_quoted_twice() -> None:
    again = "They show the way to all flowers. Mites kill them."
    found = best_first(evidence(BEES, 0.1, 0.9, 0.1), evidence(again, 0.89, 0.88, rank=2))
    assert quotes(extractive.compose(found, most=3)) == ["They show the way to flowers.", "Mites kill them."]


def test_a_sentence_with_something_like_a_marker_is_not_quoted() -> None:
    found = evidence("Bees dance [3]. Bees fly 【2】. Bees sleep at night.", 0.9, 0.89, 0.88)
    assert quotes(extractive.compose(found, most=3)) == ["Bees sleep at night."]


def test_without_evidence_nothing_is_quoted() -> None:
    assert extractive.compose([], most=3) == []
    assert extractive.text(extractive.statements([])) == ""
