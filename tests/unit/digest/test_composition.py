"""What is quoted: likely sentences, few, none twice, and none that cannot be understood."""

from __future__ import annotations

from assistant.answering.evidence import Evidence
from assistant.digest.standalone import Role
from tests.unit.digest.quoted import BEES, ICE, best_first, composed, evidence, texts


def test_at_most_the_requested_number_of_sentences_is_quoted() -> None:
    candidates = evidence(BEES, 0.9, 0.88, 0.86)
    assert [len(composed(candidates, limit)) for limit in (1, 2, 3, 10)] == [1, 2, 3, 3]


def test_the_best_sentences_are_quoted_in_the_order_of_the_abstract() -> None:
    candidates = best_first(evidence(BEES, 0.8, 0.85, 0.9))
    assert texts(composed(candidates, 2)) == ["They show the way to flowers.", "Old bees dance longer."]


def test_the_paper_with_the_best_sentence_comes_first() -> None:
    candidates = best_first(evidence(BEES, 0.1, 0.85, 0.86), evidence(ICE, 0.9, 0.81, rank=2))
    assert [quotation.hit.rank for quotation in composed(candidates, 4)] == [2, 2, 1, 1]


def test_a_sentence_far_less_likely_than_the_best_is_not_quoted() -> None:
    assert texts(composed(evidence(BEES, 0.8, 0.4, 0.01), 3)) == ["Honey bees dance.", "They show the way to flowers."]


def test_a_further_paper_has_to_be_likelier_than_a_further_sentence_of_the_same() -> None:
    candidates = best_first(evidence(BEES, 0.8, 0.4, 0.01), evidence(ICE, 0.41, 0.01, rank=2))
    assert {quotation.hit.rank for quotation in composed(candidates, 3)} == {1}
    assert {quotation.hit.rank for quotation in composed(candidates, 3, share_of_other=0.05)} == {1, 2}


def test_beside_a_certain_sentence_no_other_is_quoted() -> None:
    assert texts(composed(evidence(BEES, 1.0, 0.9, 0.9), 3)) == ["Honey bees dance."]


def _five_papers() -> list[Evidence]:
    """Return evidence of five papers with three sentences; each paper scores higher than the next."""
    abstracts = [f"Hive{n} dances. Meadow{n} sleeps. Flower{n} smells." for n in range(1, 6)]
    scores = [[best - n / 10 for best in (0.9, 0.88, 0.86)] for n in range(1, 6)]
    papers = zip(abstracts, scores, strict=True)
    return best_first(*(evidence(text, *of_paper, rank=n) for n, (text, of_paper) in enumerate(papers, 1)))


def test_no_more_papers_and_sentences_of_one_paper_are_quoted_than_the_limits_allow() -> None:
    assert [quotation.hit.rank for quotation in composed(_five_papers(), 5)] == [1, 1, 1, 2, 2]
    assert [quotation.hit.rank for quotation in composed(_five_papers(), 7, of_paper=2)] == [1, 1, 2, 2, 3, 3, 4]
    assert {quotation.hit.rank for quotation in composed(_five_papers(), 99, papers=2)} == {1, 2}


def test_a_near_duplicate_is_not_quoted() -> None:
    again = "They show the way to all flowers. Mites kill them."
    candidates = best_first(evidence(BEES, 0.01, 0.9, 0.01), evidence(again, 0.89, 0.88, rank=2))
    assert texts(composed(candidates, 3)) == ["They show the way to flowers.", "Mites kill them."]


def test_a_sentence_that_contains_a_citation_marker_is_not_quoted() -> None:
    candidates = evidence("Bees dance [3]. Bees fly 【2】. Bees sleep at night.", 0.9, 0.89, 0.88)
    assert texts(composed(candidates, 3)) == ["Bees sleep at night."]


def test_without_evidence_nothing_is_quoted() -> None:
    assert composed([], 3) == []


def test_boilerplate_is_never_evidence(roles: dict[str, Role]) -> None:
    roles["Honey bees dance."] = Role.BOILERPLATE
    assert texts(composed(evidence(BEES, 0.9, 0.6, 0.5), 1)) == ["They show the way to flowers."]


def test_a_sentence_that_leans_comes_with_the_one_before_it_as_context(roles: dict[str, Role]) -> None:
    roles["They show the way to flowers."] = Role.LEANS
    quotations = composed(evidence(BEES, 0.1, 0.9, 0.1), 2)
    assert [(quotation.passage.text, quotation.is_context) for quotation in quotations] == [
        ("Honey bees dance.", True),
        ("They show the way to flowers.", False),
    ]


def test_a_sentence_comes_with_what_its_context_leans_on_in_turn(roles: dict[str, Role]) -> None:
    roles["They show the way to flowers."] = roles["Old bees dance longer."] = Role.LEANS
    quotations = composed(evidence(BEES, 0.1, 0.01, 0.9), 3)
    assert [(quotation.passage.text, quotation.is_context) for quotation in quotations] == [
        ("Honey bees dance.", True),
        ("They show the way to flowers.", True),
        ("Old bees dance longer.", False),
    ]


def test_a_sentence_alone_that_leans_comes_with_its_context_even_beyond_the_limit(roles: dict[str, Role]) -> None:
    roles["They show the way to flowers."] = roles["Old bees dance longer."] = Role.LEANS
    candidates = evidence(
        "Bees dance [3]. They show the way to flowers. Ice melts. Old bees dance longer.", 0, 0.1, 0, 0.9
    )
    assert texts(composed(candidates[-1:], 1)) == ["Ice melts.", "Old bees dance longer."]


def test_context_that_answers_itself_is_no_mere_context(roles: dict[str, Role]) -> None:
    roles["They show the way to flowers."] = Role.LEANS
    assert [quotation.is_context for quotation in composed(evidence(BEES, 0.85, 0.9, 0.01), 2)] == [False, False]


def test_a_sentence_that_leans_gives_way_where_there_is_no_room_for_what_it_leans_on(roles: dict[str, Role]) -> None:
    roles["They show the way to flowers."] = Role.LEANS
    assert texts(composed(evidence(BEES, 0.1, 0.9, 0.89), 1)) == ["Old bees dance longer."]


def test_context_counts_as_a_sentence(roles: dict[str, Role]) -> None:
    roles["Small ones shrink the fastest."] = Role.LEANS
    candidates = best_first(evidence(BEES, 0.9, 0.89, 0.1), evidence(ICE, 0.01, 0.88, rank=2))
    assert len(composed(candidates, 3)) == 2
    assert len(composed(candidates, 4)) == 4


def test_the_first_sentence_of_an_abstract_has_nothing_to_lean_on(roles: dict[str, Role]) -> None:
    roles["Honey bees dance."] = Role.LEANS
    assert texts(composed(evidence(BEES, 0.9, 0.6, 0.01), 2)) == ["They show the way to flowers."]


def test_a_sentence_does_not_come_with_one_that_contains_a_citation_marker(roles: dict[str, Role]) -> None:
    roles["They sleep."] = Role.LEANS
    assert texts(composed(evidence("Bees dance [3]. They sleep. Bees fly.", 0.1, 0.9, 0.5), 3)) == ["Bees fly."]


def test_where_nothing_can_be_understood_alone_the_best_is_quoted_all_the_same(roles: dict[str, Role]) -> None:
    roles.update(dict.fromkeys(texts(composed(evidence(BEES, 0.9, 0.8, 0.7), 3)), Role.BOILERPLATE))
    assert texts(composed(best_first(evidence(BEES, 0.2, 0.3, 0.9)), 3)) == ["Old bees dance longer."]
