from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import pytest

from assistant.chat import Assistant
from assistant.encodings import PairReading
from assistant.schema import Hit, Paper, Passage, Sentence, Verdict
from assistant.text.sentences import passages
from assistant.verification import verify
from assistant.verification.support import SUPPORTED_FROM, SupportModel
from tests.fakes import ConstantReader, WordOverlapReader


class NoStatistics:
    """TermStatistics of a library without papers."""

    def terms(self, text: str) -> list[str]:
        return text.casefold().split()

    def idf(self, terms: Collection[str]) -> dict[str, float]:
        return dict.fromkeys(terms, 1.0)


class ByAbstract(ConstantReader):
    """A reader that has an opinion, (supported, contradicted), of each abstract."""

    def __init__(self, opinions: Mapping[str, tuple[float, float]]) -> None:
        super().__init__()
        self.opinions = opinions

    def read(self, pairs: Sequence[tuple[str, Sequence[str]]]) -> Iterator[PairReading]:
        for _, sentences in pairs:
            opinions = (opinion for abstract, opinion in self.opinions.items() if sentences[-1] in abstract)
            supported, contradicted = next(opinions)
            yield PairReading(contradicted, supported, 0.5, (0.5,) * len(sentences), (0.5,) * len(sentences))


Check = Callable[[str], list[tuple[Sentence, Mapping[int, Passage]]]]


@pytest.fixture
def hits(reader: Assistant) -> list[Hit]:
    """[1] stands for the paper on glaciers, [2] for that on bees, [3] for that on bread."""
    papers = list(reader.library.catalog.papers.all())
    found = [next(each for each in papers if word in each.abstract) for word in ("Glaciers", "bees", "Sourdough")]
    return [Hit(rank, 1.0, paper) for rank, paper in enumerate(found, start=1)]


@pytest.fixture
def check(reader: Assistant, hits: list[Hit]) -> Check:
    judge = SupportModel(WordOverlapReader(), reader.library.lexicon)
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
    ((sentence, behind),) = check("After 2005 the loss doubles [1].")
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
    ((sentence, _),) = check("In 412 glaciers the loss doubles [1].")
    assert sentence.verdict is Verdict.SUPPORTED


def test_a_sentence_of_which_the_cited_paper_says_the_opposite_is_contradicted(check: Check) -> None:
    ((sentence, behind),) = check("Small glaciers do not shrink the fastest [1].")
    assert (sentence.verdict, sentence.reason) == (Verdict.CONTRADICTED, "the passage says otherwise")
    assert sentence.verdict.is_doubtful
    assert behind[1].text == "Small glaciers shrink the fastest."


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


def test_a_sentence_that_one_cited_paper_denies_and_another_states_is_supported(hits: list[Hit]) -> None:
    opinions = {hit.paper.abstract: (0.1, 0.9) for hit in hits} | {hits[1].paper.abstract: (0.9, 0.1)}
    model = SupportModel(ByAbstract(opinions), NoStatistics())
    (both,) = verify.verify_text("Old bees are slow [1][2].", hits, model)
    (denied,) = verify.verify_text("Old bees are slow [1][3].", hits, model)
    assert both.sentence.verdict is Verdict.SUPPORTED
    assert both.sentence.support == pytest.approx(0.9, abs=1e-3)
    assert denied.sentence.verdict is Verdict.CONTRADICTED


def test_a_text_is_read_in_one_go_each_sentence_beside_each_paper_that_it_cites(hits: list[Hit]) -> None:
    class Counting(ConstantReader):
        """Records the number of pairs of each call."""

        def __init__(self) -> None:
            super().__init__()
            self.calls: list[int] = []

        def read(self, pairs: Sequence[tuple[str, Sequence[str]]]) -> Iterator[PairReading]:
            self.calls.append(len(pairs))
            return super().read(pairs)

    reader = Counting()
    verify.verify_text(
        "Old bees are slow [1][2]. Ice is cold [1]. Old bees are slow [2].", hits, SupportModel(reader, NoStatistics())
    )
    # Beside the whole abstract, and beside its nearest sentences.
    assert [calls for calls in reader.calls if calls] == [6]
    assert len(set(reader.pairs)) == 6


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


@pytest.mark.parametrize(
    ("opinions", "best", "verdict"),
    [
        ({"A.": (0.7, 0.1), "B.": (0.9, 0.05), "C.": (0.1, 0.9)}, "B.", Verdict.SUPPORTED),
        ({"A.": (0.6, 0.1), "B.": (0.01, 0.99)}, "A.", Verdict.SUPPORTED),
        ({"A.": (0.3, 0.1), "B.": (0.1, 0.8), "C.": (0.1, 0.9)}, "C.", Verdict.CONTRADICTED),
        ({"A.": (0.1, 0.2), "B.": (0.4, 0.1)}, "B.", Verdict.UNSUPPORTED),
    ],
)
def test_of_several_papers_one_that_supports_decides_and_otherwise_one_that_contradicts(
    opinions: dict[str, tuple[float, float]], best: str, verdict: Verdict
) -> None:
    papers = [Paper(abstract, abstract) for abstract in opinions]
    result = verify.verify_against_papers("Bees dance.", papers, SupportModel(ByAbstract(opinions), NoStatistics()))
    assert (result.paper_id, result.verdict) == (best, verdict)
    assert (result.support, result.contradiction) == pytest.approx(opinions[best], abs=1e-3)


def test_without_papers_a_claim_is_unsupported_with_a_reason() -> None:
    result = verify.verify_against_papers("Bees dance.", [], SupportModel(ConstantReader(), NoStatistics()))
    assert (result.verdict, result.support, result.contradiction) == (Verdict.UNSUPPORTED, 0.0, 0.0)
    assert result.reason == "no paper in the library is relevant to the claim"
