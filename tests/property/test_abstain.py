from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.answering import answerability, evidence
from assistant.answering.calibration import PACKAGED
from assistant.digest.composition import Limits, compose
from assistant.question.terms import analyze
from assistant.question.understand import understand
from assistant.retrieval import reading
from assistant.retrieval.search import Found, Ranking, search
from assistant.storage.library import Library
from tests.fakes import WordOverlapReader

WORDS = st.sampled_from(
    "which glaciers bees dance learning rate policy models reward exactly value F1 GPT-4 DPO Bern of ? , ' %".split()
)
QUESTIONS = st.one_of(st.lists(WORDS, min_size=1, max_size=30).map(" ".join), st.text(max_size=60))


def searched(library: Library, question: str) -> Found:
    query, indexes = understand(question), library.fresh()
    ranking = Ranking(top_k=10, candidates=50, dense_weight=0.5, reranked=0, rerank_weight=0.0)
    found = search(query, analyze(query.standalone, indexes.lexicon), library, indexes, ranking)
    return reading.read(found, WordOverlapReader())


@settings(max_examples=40)
@given(QUESTIONS)
def test_confidence_is_a_probability_and_what_is_not_firm_has_a_reason(seeds_library: Library, question: str) -> None:
    found, thresholds = searched(seeds_library, question), answerability.Thresholds(0.6, 0.3)
    decision = answerability.decide(found, seeds_library.catalog, thresholds)
    assert 0.0 <= decision.confidence <= 1.0
    assert (decision.reason is None) == (decision.strength == "firm")


@settings(max_examples=40)
@given(QUESTIONS, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_reader_that_finds_an_answer_likelier_never_makes_one_less_probable(
    seeds_library: Library, question: str, first: float, second: float
) -> None:
    found = searched(seeds_library, question)
    if not found.readings:
        return
    low, high = (
        answerability.features(replace(found, readings=(replace(found.readings[0], answers=answers),)))
        for answers in sorted((first, second))
    )
    assert PACKAGED.confidence(low) <= PACKAGED.confidence(high)


@settings(max_examples=40)
@given(QUESTIONS, st.integers(2, 10))
def test_quotations_are_true_few_and_never_repeat(seeds_library: Library, question: str, most: int) -> None:
    found = searched(seeds_library, question)
    abstracts = {aligned.paper.id: aligned.passages for aligned in found.alignments}
    quotations = compose(evidence.select(found), abstracts, Limits(most, 4, most, 0.05, 0.2))
    assert len(quotations) <= most
    assert len({(item.hit.paper.id, item.passage) for item in quotations}) == len(quotations)
    assert len({item.hit.paper.id for item in quotations}) <= 4
    for item in quotations:
        assert item.hit.paper.abstract[item.passage.start : item.passage.end] == item.passage.text
