"""How strongly the sides of a comparison are present in the papers that a search finds."""

import numpy as np

from assistant.answering import side_presence
from assistant.question.sides import Side
from assistant.question.terms import Term
from assistant.retrieval.alignment import Alignment
from assistant.retrieval.search import Found
from assistant.schema import Paper, Query

RARE, COMMON = 4.0, 0.5


def _term(text: str, start: int, idf: float) -> Term:
    return Term(text, start, start + len(text), (text,), idf)


def _side(*terms: Term) -> Side:
    return Side(" ".join(term.text for term in terms), terms)


def _found(sides: tuple[Side, ...], *presence: dict[str, float]) -> Found:
    """Return a search with one hit for each mapping of words to their presence in the paper."""
    terms = tuple(term for side in sides for term in side.terms)
    alignments = tuple(
        Alignment(
            Paper(f"p{number}", "A title", "An abstract."),
            terms,
            (),
            np.zeros((len(terms), 0), dtype=np.float32),
            np.array([present.get(term.text, 0.0) for term in terms], dtype=np.float32),
            np.zeros(0, dtype=np.float32),
        )
        for number, present in enumerate(presence)
    )
    return Found(Query("q", "q"), alignments=alignments, sides=sides)


ADAM, SOPHIA = _side(_term("Adam", 0, RARE)), _side(_term("Sophia", 8, RARE))
BEST_ONE = _side(_term("best", 20, COMMON), _term("one", 25, COMMON))


def test_a_side_that_no_hit_speaks_of_is_absent() -> None:
    assert side_presence.absent_sides(_found((ADAM, SOPHIA), {"Adam": 0.9}, {"Adam": 0.2})) == (SOPHIA,)


def test_a_side_that_a_later_hit_speaks_of_is_present() -> None:
    assert side_presence.absent_sides(_found((ADAM, SOPHIA), {"Adam": 0.9}, {"Sophia": 0.7})) == ()


def test_a_side_of_words_that_every_tenth_paper_has_is_never_absent() -> None:
    found = _found((ADAM, BEST_ONE), {"Adam": 0.9})
    assert side_presence.absent_sides(found) == ()
    assert side_presence.compares(found)


def test_papers_that_speak_of_one_side_each_compare_nothing() -> None:
    assert not side_presence.compares(_found((ADAM, SOPHIA), {"Adam": 0.9}, {"Sophia": 0.9}))
    assert side_presence.compares(_found((ADAM, SOPHIA), {"Adam": 0.9, "Sophia": 0.9}))
