"""Claims beside an abstract: what is noticed, and what is said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from assistant.chat import Assistant
from assistant.encodings import EncodedText
from assistant.schema import Hit, Paper, Passage
from assistant.text.sentences import passages
from assistant.verification.support import SupportModel, SupportResult
from assistant.verification.verify import nearest_passage
from tests.fakes import WordHashEmbedder

ABSTRACT = (
    "Peat bogs store carbon for thousands of years. We drain 24 bogs in Finland and Estonia and measure their gases "
    "for three summers. Draining increases the release of carbon dioxide by 41.5 % on average. Methane, in contrast, "
    "falls to a third. Bogs that are flooded again may recover, and some of them store carbon within ten years. Birch "
    "trees do not slow the loss of carbon. The Bograph sensor works without batteries."
)
OTHER = "Old mills are rebuilt with stones from a quarry in Cornwall, and every mill grinds two tons of rye an hour."


@pytest.fixture
def judge(reader: Assistant) -> SupportModel:
    return SupportModel(reader.library.embedder, reader.library.lexicon)


def checked(judge: SupportModel, claim: str, rivals: tuple[str, ...] = ()) -> SupportResult:
    found = judge.assess(claim, Paper("peat", ABSTRACT, "Peat"), rivals)
    assert 0 <= found.support <= 1
    assert found.reason
    if found.passage:
        assert ABSTRACT[found.passage.start : found.passage.end] == found.passage.text
    return found


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("Draining increased the release of carbon dioxide by 41.5 percent on average.", "Draining increases"),
        ("On average, draining increases the carbon dioxide release by 41.5%.", "Draining increases"),
        ("Methane, in contrast, falls to 33 %.", "Methane"),
        ("We measure the gases of 24 drained bogs in Estonia and Finland for 3 summers.", "We drain 24 bogs"),
        ("Birch trees do not slow carbon losses.", "Birch trees"),
        ("Without batteries works the Bograph sensor.", "The Bograph sensor"),
    ],
)
def test_the_same_in_other_words_is_supported_by_the_passage_that_says_it(
    judge: SupportModel, claim: str, passage: str
) -> None:
    found = checked(judge, claim)
    assert found.supported
    assert found.reason == "the passage says the same in other words"
    assert found.passage is not None
    assert found.passage.text.startswith(passage)


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("Draining increases the release of carbon dioxide by 45.1 % on average.", "45.1 % is not in the paper"),
        ("We drain 240 bogs in Finland and Estonia.", "240 is not in the paper"),
        ("Draining increases the release of carbon dioxide by a third on average.", "gives a third for something else"),
        (
            "Draining decreases the release of carbon dioxide by 41.5 % on average.",
            "'increases', but the claim says 'decreases'",
        ),
        ("Methane, in contrast, rises to a third.", "'falls', but the claim says 'rises'"),
        ("Birch trees slow the loss of carbon.", "either the claim or the passage negates 'slow'"),
        ("The Bograph sensor works with batteries.", "the passage denies 'batteries', but the claim does not"),
        ("Peat bogs do not store carbon for thousands of years.", "the claim denies 'store', but the passage does not"),
        ("We drain 24 bogs in Finland and Norway.", "no passage of the paper mentions Norway"),
        ("The Thermograph sensor works without batteries.", "no passage of the paper mentions Thermograph"),
        ("Draining does not release a gas on average.", "the claim denies something that the passage does not deny"),
        ("We drain 24 bogs in Finland and Bograph and measure their gases.", "about something other than Bograph"),
        ("All bogs that are flooded again recover.", "does not go as far as 'all'"),
        (
            "We show that bogs that are flooded again recover.",
            "'show', but the passage is more cautious",
        ),
        ("Volcanoes warm distant oceans quickly.", "no passage of the paper mentions"),
    ],
)
def test_a_claim_that_is_wrong_in_one_point_is_not_supported_and_the_reason_names_it(
    judge: SupportModel, claim: str, reason: str
) -> None:
    found = checked(judge, claim)
    assert not found.supported
    assert reason in found.reason


def test_what_another_paper_says_speaks_against_this_one(judge: SupportModel) -> None:
    claim = "Stones from an old quarry and rye for the mills store carbon for thousands of years."
    alone, beside = checked(judge, claim), checked(judge, claim, (OTHER,))
    assert beside.support <= alone.support
    quoted = checked(judge, "Old mills are rebuilt with stones from a quarry in Cornwall.", (OTHER,))
    assert not quoted.supported


@pytest.mark.parametrize(
    "claim", ["", " \n", "?!", "...", "Do peat bogs store carbon?", "It is so.", "Hello!", "Thank you", "Bogs."]
)
def test_what_states_nothing_of_the_paper_is_not_supported(judge: SupportModel, claim: str) -> None:
    assert not checked(judge, claim).supported


def test_a_part_of_a_sentence_is_no_quotation(judge: SupportModel) -> None:
    assert checked(judge, "slow the loss of carbon.").support < 1.0


def test_two_neighbouring_sentences_may_be_the_passage_together(judge: SupportModel) -> None:
    claim = "Draining increases the release of carbon dioxide by 41.5 %, while methane falls to a third."
    found = checked(judge, claim)
    assert found.passage is not None
    assert found.passage.text.startswith("Draining increases")
    assert found.passage.text.endswith("falls to a third.")


@pytest.mark.parametrize("abstract", ["", " ", "\n"])
def test_a_paper_without_an_abstract_supports_nothing(judge: SupportModel, abstract: str) -> None:
    found = judge.assess("Peat bogs store carbon.", Paper("peat", abstract))
    assert (found.supported, found.passage) == (False, None)


AUTHORED = Paper("peat", ABSTRACT, "The fate of drained bogs", ("Hanna Aalto", "Wu, Bo"), 2021, "Mires and Peat")


@pytest.mark.parametrize(
    "claim",
    [
        "Aalto et al. find that draining increases the release of carbon dioxide by 41.5 %.",
        "Aalto and Wu (2021) find that draining increases the release of carbon dioxide by 41.5 %.",
        "In Mires and Peat 2021, Hanna Aalto reports that methane falls to a third.",
        "A third paper, by Wu, says that birch trees do not slow the loss of carbon.",
        "“The fate of drained bogs” says that birch trees do not slow the loss of carbon.",
    ],
)
def test_authors_year_venue_and_title_of_the_paper_are_no_foreign_names(judge: SupportModel, claim: str) -> None:
    found = judge.assess(claim, AUTHORED)
    assert (found.supported, found.reason) == (True, "the passage says the same in other words")
    wrong = claim.replace("41.5", "45.1").replace("a third.", "a half.").replace(" not", "")
    assert not judge.assess(wrong, AUTHORED).supported


def test_the_authors_of_another_paper_are_foreign_unless_it_is_cited_too(judge: SupportModel) -> None:
    claim = "As Chen et al. find, draining increases the release of carbon dioxide by 41.5 %."
    other = Paper("mills", OTHER, "Mills", ("Li Chen",))
    assert "Chen" in judge.assess(claim, AUTHORED).reason
    assert judge.assess(claim, AUTHORED, cited=[other]).supported


def test_a_sentence_that_only_names_the_paper_has_a_passage_to_be_quoted_in_its_place(judge: SupportModel) -> None:
    claim = "Aalto and Wu (2021) disagree."
    assert judge.assess(claim, AUTHORED).passage is None
    nearest = nearest_passage(claim, [Hit(1, 1.0, AUTHORED)], judge)
    assert nearest is not None
    assert nearest[1].text in ABSTRACT


class CountingEmbedder(WordHashEmbedder):
    """Counts how often each text is encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded: Counter[str] = Counter()

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        self.encoded.update(texts)
        return super().encode_documents(texts)


def test_each_text_is_encoded_and_each_abstract_split_once(reader: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    split: Counter[str] = Counter()

    def counting(text: str) -> tuple[Passage, ...]:
        split[text] += 1
        return passages(text)

    monkeypatch.setattr("assistant.verification.support.passages", counting)
    embedder = CountingEmbedder()
    model = SupportModel(embedder, reader.library.lexicon)
    claims = ("Draining increases the release of carbon dioxide.", "Birch trees do not slow the loss of carbon.")
    for claim in claims * 2:
        model.assess(claim, Paper("peat", ABSTRACT), [OTHER])
        model.assess(claim, Paper("mills", OTHER), [ABSTRACT])
    assert set(embedder.encoded.values()) == set(split.values()) == {1}
    assert (set(split), ABSTRACT in embedder.encoded) == ({ABSTRACT, OTHER}, True)
