"""Claims beside an abstract: what is read, what follows from the reading, and the reason that is named."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

import pytest

from assistant.chat import Assistant
from assistant.encodings import PairReading
from assistant.schema import Hit, Paper, Passage, Verdict
from assistant.text.sentences import passages
from assistant.verification.comparison import ClaimPair, ClaimReader, Comparison
from assistant.verification.numbers import NumberMismatch
from assistant.verification.parts import split
from assistant.verification.support import SupportModel, SupportResult
from assistant.verification.verify import nearest_passage
from tests.fakes import ConstantReader, WordOverlapReader

ABSTRACT = (
    "Peat bogs store carbon for thousands of years. We drain 24 bogs in Finland and Estonia and measure their gases "
    "for three summers. Draining increases the release of carbon dioxide by 41.5 % on average. Methane, in contrast, "
    "falls to a third. Bogs that are flooded again may recover, and some of them store carbon within ten years. Birch "
    "trees do not slow the loss of carbon. The Bograph sensor works without batteries."
)
OTHER = "Old mills are rebuilt with stones from a quarry in Cornwall, and every mill grinds two tons of rye an hour."
PEAT = Paper("peat", ABSTRACT, "Peat")
CLAIM = "Draining increased the release of carbon dioxide by 41.5 percent."


@pytest.fixture
def judge(reader: Assistant) -> SupportModel:
    return SupportModel(WordOverlapReader(), reader.library.lexicon)


def sure(reader: Assistant, supported: float, contradicted: float = 0.01) -> SupportModel:
    """Return a model whose reader has this opinion of every claim."""
    return SupportModel(ConstantReader(supported, contradicted), reader.library.lexicon)


def checked(judge: SupportModel, claim: str, paper: Paper = PEAT) -> SupportResult:
    result = judge.assess(claim, paper)
    assert 0 <= result.support <= 1
    assert 0 <= result.contradiction <= 1
    assert result.reason
    if result.passage:
        assert paper.abstract[result.passage.start : result.passage.end] == result.passage.text
    return result


@pytest.mark.parametrize("sentence", [passage.text for passage in passages(ABSTRACT)])
def test_a_sentence_of_the_abstract_is_supported_word_for_word_whatever_the_reader_says(
    reader: Assistant, sentence: str
) -> None:
    result = checked(sure(reader, 0.0, 1.0), sentence.replace(" ", "\n ", 1))
    assert (result.support, result.contradiction, result.verdict) == (1.0, 0.0, Verdict.SUPPORTED)
    assert result.reason == "the abstract says this word for word"
    assert result.passage is not None
    assert result.passage.text == sentence


def test_two_neighbouring_sentences_are_quoted_together(reader: Assistant) -> None:
    claim = " ".join(passage.text for passage in passages(ABSTRACT)[1:3])
    assert checked(sure(reader, 0.0), claim).support == 1.0


def test_a_part_of_a_sentence_is_no_quotation(reader: Assistant) -> None:
    assert checked(sure(reader, 0.01), "slow the loss of carbon.").support < 1.0


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("On average, draining increases the carbon dioxide release by 41.5%.", "Draining increases"),
        ("Birch trees do not slow the carbon loss.", "Birch trees"),
        ("Without batteries works the Bograph sensor.", "The Bograph sensor"),
    ],
)
def test_a_supported_claim_shows_the_sentence_that_decides_it(judge: SupportModel, claim: str, passage: str) -> None:
    result = checked(judge, claim)
    assert (result.verdict, result.reason) == (Verdict.SUPPORTED, "the passage says the same in other words")
    assert result.passage is not None
    assert result.passage.text.startswith(passage)


def test_a_contradicted_claim_shows_the_sentence_that_says_otherwise(judge: SupportModel) -> None:
    result = checked(judge, "Birch trees slow the loss of carbon.")
    assert (result.verdict, result.reason) == (Verdict.CONTRADICTED, "the passage says otherwise")
    assert result.contradiction > 0.5 > result.support
    assert result.passage is not None
    assert result.passage.text.startswith("Birch trees")


@pytest.mark.parametrize(
    ("supported", "contradicted", "verdict"),
    [
        (0.9, 0.05, Verdict.SUPPORTED),
        (0.05, 0.9, Verdict.CONTRADICTED),
        (0.05, 0.05, Verdict.UNSUPPORTED),
        (0.45, 0.45, Verdict.UNSUPPORTED),
    ],
)
def test_the_likelier_of_the_reader_s_opinions_is_the_verdict(
    reader: Assistant, supported: float, contradicted: float, verdict: Verdict
) -> None:
    result = checked(sure(reader, supported, contradicted), CLAIM)
    assert (result.verdict, result.supported) == (verdict, verdict is Verdict.SUPPORTED)
    assert result.support == pytest.approx(supported, abs=1e-3)
    assert result.contradiction == pytest.approx(contradicted, abs=1e-3)


def test_a_claim_is_never_supported_and_contradicted_at_once() -> None:
    assert SupportResult(0.8, 0.9, None, "").verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("Draining increases the release of carbon dioxide by 45.1 %.", "45.1 % is not in the paper"),
        ("We drain 240 bogs in Finland and Estonia.", "240 is not in the paper"),
    ],
)
def test_a_wrong_number_is_not_supported_and_the_reason_names_it(reader: Assistant, claim: str, reason: str) -> None:
    result = checked(sure(reader, 0.8), claim)
    assert not result.supported
    assert result.reason == reason


def test_a_wrong_number_weighs_against_support(reader: Assistant) -> None:
    judge = sure(reader, 0.8)
    assert checked(judge, CLAIM.replace("41.5", "45.1")).support < checked(judge, CLAIM).support


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("We drain bogs in Finland and Norway.", "no passage of the paper mentions Norway"),
        ("The Thermograph sensor works.", "no passage of the paper mentions Thermograph"),
        ("Bogs store carbon.", "no passage of the paper says this"),
    ],
)
def test_a_reason_names_the_words_that_the_paper_lacks(reader: Assistant, claim: str, reason: str) -> None:
    assert checked(sure(reader, 0.01), claim).reason == reason


def test_a_reason_names_a_few_absent_words_each_once_in_the_claim_s_order(reader: Assistant) -> None:
    claim = "The volcanoes warm distant oceans, and volcanoes melt glaciers quickly."
    named = checked(sure(reader, 0.01), claim).reason.removeprefix("no passage of the paper mentions ").split(", ")
    assert len(named) == len(set(named)) == 3
    assert named == sorted(named, key=claim.index)


def test_words_of_the_title_are_not_absent(reader: Assistant) -> None:
    paper = Paper("peat", ABSTRACT, "Thermographs for peat")
    assert "Thermograph" not in checked(sure(reader, 0.01), "The Thermograph sensor works.", paper).reason


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("", "the claim contains no statement"),
        (" \n", "the claim contains no statement"),
        ("?!", "the claim contains no statement"),
        ("...", "the claim contains no statement"),
        ("Do peat bogs store carbon?", "the claim is a question, not a statement"),
        ("(“Do peat bogs store carbon?”)", "the claim is a question, not a statement"),
        ("It is the of.", "the claim states nothing that a passage could support"),
    ],
)
def test_what_states_nothing_is_not_supported_and_not_even_read(reader: Assistant, claim: str, reason: str) -> None:
    pairs = ConstantReader(1.0)
    result = checked(SupportModel(pairs, reader.library.lexicon), claim)
    assert (result.verdict, result.support, result.passage) == (Verdict.UNSUPPORTED, 0.0, None)
    assert (result.reason, pairs.pairs) == (reason, [])


@pytest.mark.parametrize("abstract", ["", " ", "\n"])
@pytest.mark.parametrize("title", [None, "Peat"])
def test_a_paper_without_an_abstract_supports_nothing(reader: Assistant, abstract: str, title: str | None) -> None:
    result = sure(reader, 1.0).assess("Peat bogs store carbon.", Paper("peat", abstract, title))
    assert (result.supported, result.passage) == (False, None)


AUTHORED = Paper("peat", ABSTRACT, "The fate of drained bogs", ("Hanna Aalto", "Wu, Bo"), 2021, "Mires and Peat")


@pytest.mark.parametrize(
    ("claim", "statement"),
    [
        ("Aalto et al. find that draining helps.", "find that draining helps."),
        ("Aalto and Wu (2021) find that draining helps.", "find that draining helps."),
        ("In Mires and Peat 2021, Hanna Aalto reports that methane falls.", "In , reports that methane falls."),
        ("“The fate of drained bogs” says that birch grows.", "“ ” says that birch grows."),
        ("Draining helps in 2021.", "Draining helps in 2021."),
    ],
)
def test_authors_year_venue_and_title_of_the_paper_are_masked_before_it_is_read(
    reader: Assistant, claim: str, statement: str
) -> None:
    pairs = ConstantReader()
    SupportModel(pairs, reader.library.lexicon).assess(claim, AUTHORED)
    whole, focused = pairs.pairs
    assert whole == (statement, (AUTHORED.title, *(passage.text for passage in passages(ABSTRACT))))
    assert focused[0] == statement
    assert len(focused[1]) == 3


def test_the_authors_of_another_paper_are_masked_where_it_is_cited_too(reader: Assistant) -> None:
    claim, other = "As Chen et al. find, draining helps.", Paper("mills", OTHER, "Mills", ("Li Chen",))
    pairs = ConstantReader()
    judge = SupportModel(pairs, reader.library.lexicon)
    assert "Chen" in judge.assess(claim, AUTHORED).reason
    assert "Chen" not in judge.assess(claim, AUTHORED, cited=[other]).reason
    assert [statement for statement, _ in pairs.pairs] == [claim] * 2 + ["As find, draining helps."] * 2


def test_a_sentence_that_only_names_the_paper_has_a_passage_to_be_quoted_in_its_place(judge: SupportModel) -> None:
    claim = "Aalto and Wu (2021)."
    assert judge.assess(claim, AUTHORED).passage is None
    nearest = nearest_passage(claim, [Hit(1, 1.0, AUTHORED)], judge)
    assert nearest is not None
    assert nearest[1].text in ABSTRACT


def test_each_pair_is_read_once_and_each_abstract_split_once(
    reader: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    split: Counter[str] = Counter()

    def counting(text: str) -> tuple[Passage, ...]:
        split[text] += 1
        return passages(text)

    monkeypatch.setattr("assistant.verification.comparison.passages", counting)
    pairs = WordOverlapReader()
    judge = SupportModel(pairs, reader.library.lexicon)
    claims = ("Draining increases the release of carbon dioxide.", "Birch trees slow the loss.")
    papers = (PEAT, Paper("mills", OTHER))
    judge.read(ClaimPair(claim, paper) for claim in claims for paper in papers)
    # Two claims beside two papers, and beside the nearest sentences of the longer one.
    assert len(pairs.pairs) == 6
    for claim in claims * 2:
        for paper in papers:
            judge.assess(claim, paper)
    assert len(pairs.pairs) == len(set(pairs.pairs)) == 6
    assert split == {ABSTRACT: 1, OTHER: 1}


def test_of_equal_pairs_one_is_read(reader: Assistant) -> None:
    pairs = ConstantReader()
    judge = SupportModel(pairs, reader.library.lexicon)
    judge.read([ClaimPair(CLAIM, PEAT), ClaimPair(f"  {CLAIM}\n", PEAT), ClaimPair("Why?", PEAT)])
    assert len(pairs.pairs) == 2


def test_the_features_of_a_claim_are_the_reader_s_log_odds_and_its_worst_number() -> None:
    number = NumberMismatch(0.5, "7 is not in the paper")
    reading = PairReading(0.5, 0.75, 0.0, (), ())
    values = Comparison(reading, reading, {}, number, ()).features
    assert (values.contradicted, values.supported) == pytest.approx((0.0, 1.0986), abs=1e-4)
    assert (values.weakest_part, values.denied_part, values.wrong_number) == (0.0, 0.0, 0.5)
    reading = PairReading(0.0, 1.0, 0.0, (), ())
    certain = Comparison(reading, reading, {}, NumberMismatch(), ()).features
    assert all(abs(getattr(certain, field.name)) < 10 for field in fields(certain))


def test_a_claim_that_joins_statements_is_no_better_than_its_worst_part(judge: SupportModel) -> None:
    result = checked(judge, "Peat bogs store carbon for thousands of years, and old mills grind rye every hour.")
    assert not result.supported
    assert "old mills grind rye every hour." in result.reason or "mills" in result.reason


def test_the_part_that_is_denied_is_named_and_shown(judge: SupportModel) -> None:
    result = checked(judge, "Peat bogs store carbon for thousands of years; birch trees slow the loss of carbon.")
    assert result.verdict is Verdict.CONTRADICTED
    assert result.reason == "the passage says otherwise than “birch trees slow the loss of carbon.”"
    assert result.passage is not None
    assert result.passage.text.startswith("Birch trees")


@pytest.mark.parametrize(
    ("claim", "parts"),
    [
        ("Warmup helps small models, and it harms the large ones.", 2),
        ("Warmup helps small models; it harms the large ones; it costs nothing at all.", 3),
        ("Warmup helps small models, large models, and both.", 0),
        ("Warmup helps small models and large models.", 0),
        ("", 0),
        (";;; , and , and ;", 0),
    ],
)
def test_statements_are_joined_by_a_semicolon_or_a_comma_and_a_conjunction(claim: str, parts: int) -> None:
    assert len(split(claim)) == parts


def test_the_opinions_beside_the_abstract_and_beside_the_nearest_sentences_are_averaged() -> None:
    whole, focused = PairReading(0.5, 0.9, 0.0, (), ()), PairReading(0.5, 0.1, 0.0, (), ())
    assert Comparison(whole, focused, {}, NumberMismatch(), ()).features.supported == pytest.approx(0.0)


def test_a_number_in_words_is_a_feature_of_its_own() -> None:
    reading, number = (
        PairReading(0.5, 0.5, 0.0, (), ()),
        NumberMismatch(1.0, "seven is not in the paper", in_words=True),
    )
    values = Comparison(reading, reading, {}, number, ()).features
    assert (values.wrong_number, values.number_in_words) == (0.0, 1.0)


def test_a_quotation_is_never_read(reader: Assistant) -> None:
    pairs = ConstantReader()
    SupportModel(pairs, reader.library.lexicon).read([ClaimPair("Birch trees do not slow the loss of carbon.", PEAT)])
    assert pairs.pairs == []


def test_a_claim_with_exchanged_roles_has_the_feature_by_its_deciding_sentence() -> None:
    paper = Paper("p", "Many robots are built. Robots help nurses.")
    comparing = ClaimReader(WordOverlapReader())
    assert comparing.compare(ClaimPair("Nurses help robots.", paper)).features.exchanged_words == 1.0
    assert comparing.compare(ClaimPair("Robots help nurses daily.", paper)).features.exchanged_words == 0.0
