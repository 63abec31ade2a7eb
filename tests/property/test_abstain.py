from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.answering import answerability, digest, evidence
from assistant.question.terms import Word, max_idf
from assistant.question.understand import understand
from assistant.retrieval.alignment import Alignment, align
from assistant.retrieval.search import Ranking, retrieve
from assistant.schema import Query
from assistant.storage.library import Library

WORDS = st.sampled_from(
    "which glaciers bees dance learning rate policy models reward exactly value F1 GPT-4 DPO Bern of ? , ' %".split()
)
QUESTIONS = st.one_of(st.lists(WORDS, min_size=1, max_size=30).map(" ".join), st.text(max_size=60))


def aligned(library: Library, question: str) -> tuple[Query, list[Alignment]]:
    """The question against the papers found for it."""
    query = understand(question)
    found = retrieve(query, library, Ranking(10, 50, 0.5, 0, 0.0))
    return query, align(found.asked, found.hits, library.words, library.lexicon)


@settings(max_examples=40)
@given(QUESTIONS)
def test_confidence_is_a_probability_and_what_is_not_firm_has_a_reason(seeds_library: Library, question: str) -> None:
    query, found = aligned(seeds_library, question)
    judgement = answerability.judge(query, found, seeds_library.lexicon, 0.6, 0.3)
    assert 0.0 <= judgement.confidence <= 1.0
    assert (judgement.reason is None) == (judgement.strength == "firm")


@settings(max_examples=40)
@given(QUESTIONS)
def test_an_unknown_name_in_the_question_never_makes_an_answer_more_probable(
    seeds_library: Library, question: str
) -> None:
    query, found = aligned(seeds_library, question)
    if not found:
        return
    lexicon = seeds_library.lexicon
    name = Word("Qzxv", 0, 4, ("qzxv",), max_idf(lexicon), named=True)
    longer = [replace(each, words=(*each.words, name), overall=np.append(each.overall, 0.9)) for each in found]
    before, after = answerability.signs(query, found, lexicon), answerability.signs(query, longer, lexicon)
    assert answerability.probability(after) <= answerability.probability(before)


@settings(max_examples=40)
@given(QUESTIONS, st.integers(1, 10))
def test_statements_are_true_few_and_never_repeat(seeds_library: Library, question: str, most: int) -> None:
    query, found = aligned(seeds_library, question)
    chosen = digest.compose(query, evidence.select(query, found), most)
    assert len(chosen) <= most
    assert len({each.passage.text for each in chosen}) == len(chosen)
    assert len({each.hit.paper.id for each in chosen}) <= 4
    for each in chosen:
        assert each.hit.paper.abstract[each.passage.start : each.passage.end] == each.passage.text
        assert 0.0 <= each.score <= 1.0
