"""Whatever the claim: quotations hold, a number that was changed speaks against it, and passages have their offsets."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assistant.schema import Paper
from assistant.storage.lexicon import TantivyLexicon
from assistant.verification.support import SupportModel
from tests.fakes import WordOverlapReader

NOUNS = ("glaciers", "bees", "starters", "kernels", "rivers", "lenses", "yeasts", "tokens")
VERBS = ("shrink", "dance", "ferment", "converge", "meander", "sharpen", "learn", "drift")
sentence = st.builds(
    "{} {} by {} % in {} places.".format,
    st.sampled_from([noun.capitalize() for noun in NOUNS]),
    st.sampled_from(VERBS),
    st.integers(11, 98),
    st.integers(100, 900),
)
abstracts = st.lists(sentence, min_size=1, max_size=6, unique=True)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> SupportModel:
    """Return a model that reads by words: a quotation with another number shares nearly all of them."""
    return SupportModel(WordOverlapReader(), TantivyLexicon(Path(tmp_path_factory.mktemp("lexicon"))))


@given(sentences=abstracts, data=st.data())
def test_a_sentence_of_the_abstract_is_always_wholly_supported_by_itself(
    judge: SupportModel, sentences: list[str], data: st.DataObject
) -> None:
    quoted = data.draw(st.sampled_from(sentences))
    found = judge.assess(quoted, Paper("p", " ".join(sentences)))
    assert (found.support, found.supported) == (1.0, True)
    assert found.passage is not None
    assert found.passage.text == quoted


@given(sentences=abstracts, data=st.data())
def test_a_number_that_the_abstract_lacks_lowers_the_support(
    judge: SupportModel, sentences: list[str], data: st.DataObject
) -> None:
    quoted = data.draw(st.sampled_from(sentences))
    number = quoted.split(" by ")[1].split()[0]
    other = str(data.draw(st.integers(11, 98)))
    abstract = " ".join(sentences)
    assume(f" {other} " not in abstract)
    paper = Paper("p", abstract)
    changed = quoted.replace(f" {number} ", f" {other} ", 1)
    right, wrong = (judge.assess(f"We find: {sentence}", paper) for sentence in (quoted, changed))
    assert wrong.support < right.support


@given(claim=st.text(max_size=200), abstract=st.one_of(st.text(max_size=300), abstracts.map(" ".join)))
def test_support_and_contradiction_are_shares_and_the_passage_stands_in_the_abstract(
    judge: SupportModel, claim: str, abstract: str
) -> None:
    found = judge.assess(claim, Paper("p", abstract))
    assert 0 <= found.support <= 1
    assert 0 <= found.contradiction <= 1
    assert found.reason
    if found.passage:
        assert abstract[found.passage.start : found.passage.end] == found.passage.text
    if found.supported:
        assert found.passage is not None
