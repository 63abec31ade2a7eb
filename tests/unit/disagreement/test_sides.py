from __future__ import annotations

from collections.abc import Sequence

import pytest

from assistant.disagreement import Claim, find_sides
from assistant.disagreement.serialization import sides_json
from assistant.disagreement.sides import MAX_PAPERS, Sides
from assistant.schema import Paper
from assistant.text.sentences import passages
from tests.fakes import ConstantReader, WordOverlapReader

CLAIM = "warmup is needed for adam"
FOR = Paper("for", "We train models. Warmup is needed for adam.", year=2019)
NEWER = Paper("newer", "Warmup is needed for adam.", year=2023)
AGAINST = Paper("against", "Warmup is not needed for adam.", year=2021)
ELSEWHERE = Paper("elsewhere", "Bees dance in the dark.", year=2020)
PAPERS = (NEWER, ELSEWHERE, AGAINST, FOR)


def sides_of(claim: str, papers: Sequence[Paper] = PAPERS) -> Sides:
    return find_sides(Claim(claim), lambda text: papers, WordOverlapReader())


def test_sentences_are_grouped_by_the_side_that_they_take_with_the_newest_last() -> None:
    sides = sides_of(CLAIM)
    assert [sentence.paper.id for sentence in sides.supports] == ["for", "newer"]
    assert [sentence.paper.id for sentence in sides.contradicts] == ["against"]


def test_every_sentence_stands_word_for_word_in_its_abstract() -> None:
    for sentence in sides_of(CLAIM).sentences:
        passage = sentence.passage
        assert sentence.paper.abstract[passage.start : passage.end] == passage.text
        assert passage in passages(sentence.paper.abstract)


def test_the_inverted_claim_is_searched_for_too() -> None:
    searched: list[str] = []

    def search(text: str) -> list[Paper]:
        searched.append(text)
        return [AGAINST] if " not " in text else []

    sides = find_sides(Claim(CLAIM), search, WordOverlapReader())
    assert searched == [CLAIM, "warmup is not needed for adam"]
    assert [sentence.paper.id for sentence in sides.contradicts] == ["against"]


def test_a_negated_claim_turns_the_sides_round() -> None:
    sides = sides_of("warmup is not needed for adam")
    assert [sentence.paper.id for sentence in sides.supports] == ["against"]
    assert [sentence.paper.id for sentence in sides.contradicts] == ["for", "newer"]


def test_a_sentence_with_a_condition_names_it_in_its_own_words() -> None:
    text = "Warmup is needed for adam only in patients older than 65 years."
    sides = find_sides(Claim(CLAIM), lambda _: [Paper("a", text)], ConstantReader(supported=0.99))
    # The reader supports the claim and its inversion alike; either side will do here.
    (sentence,) = sides.sentences
    assert sentence.condition is None or sentence.condition in text


def test_nothing_is_shown_where_no_abstract_takes_a_side() -> None:
    assert sides_of(CLAIM, [ELSEWHERE]).sentences == ()
    assert sides_of(CLAIM, []).sentences == ()


def test_a_paper_without_an_abstract_is_left_out() -> None:
    assert sides_of(CLAIM, [Paper("bare", "", "Warmup is needed for adam")]).sentences == ()


def test_no_more_papers_are_read_than_the_limit() -> None:
    reader = ConstantReader()
    papers = [Paper(str(number), "Bees dance.") for number in range(3 * MAX_PAPERS)]
    find_sides(Claim(CLAIM), lambda text: papers, reader)
    assert len(reader.pairs) == 2 * MAX_PAPERS


def test_a_claim_in_german_is_said_to_be_in_german() -> None:
    assert "German" in sides_of("Bienen schlafen in der Nacht nicht besonders lange und tanzen am Tage.").note
    assert sides_of(CLAIM).note == ""


def test_the_json_has_every_group_and_the_condition_only_where_there_is_one() -> None:
    written = sides_json(sides_of(CLAIM))
    assert set(written) == {"claim", "inversion", "supports", "contradicts", "depends", "note", "question"}
    assert {key for item in written["supports"] for key in item} == {"paper", "passage", "probability"}
    assert all(0 <= item["probability"] <= 1 for item in written["supports"] + written["contradicts"])


@pytest.mark.parametrize("text", ["<b>warmup is needed for adam</b>", "<script>alert(1)</script> warmup is needed"])
def test_markup_is_kept_as_text(text: str) -> None:
    assert sides_of(text).claim == text
