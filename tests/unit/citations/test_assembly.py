from __future__ import annotations

from assistant.citations import build_citations
from assistant.schema import Citation, Hit, Paper, Passage

HITS = [Hit(rank, 1.0, Paper(name, f"{name} rest.")) for rank, name in ((4, "Bees"), (2, "Bogs"))]
FIRST, SECOND = Passage("Bees rest.", 0, 10), Passage("rest.", 5, 10)


def test_citations_are_numbered_by_the_order_of_the_hits_with_their_passages() -> None:
    assert build_citations(HITS, {1: [SECOND, FIRST, SECOND]}) == (
        Citation(1, HITS[0].paper, (SECOND, FIRST)),
        Citation(2, HITS[1].paper, ()),
    )


def test_without_passages_each_citation_still_has_its_number_and_paper() -> None:
    assert [(each.number, each.paper.id) for each in build_citations(HITS)] == [(1, "Bees"), (2, "Bogs")]
    assert build_citations([]) == ()
