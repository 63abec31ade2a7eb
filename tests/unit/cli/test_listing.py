"""Lists of papers: which are selected, in which order, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant.errors import InputError
from assistant.question.filters import parse_selection
from assistant.schema import Paper, Record, Sort
from assistant.storage import paper_queries
from assistant.storage.catalog import Catalog, PaperChange

PAPERS = [
    Paper("c3", "Glaciers lose ice.", title="Élan of ice", authors=("Zoë Äpfel",), year=2001, venue="Ice Age"),
    Paper("a1", "Bees dance.", title="dances", authors=("Ada Zimmer", "Bo Moss"), year=2020),
    Paper("d4", "Yeast rises.", authors=("Bo Moss",)),
    Paper("b2", "Ice melts, and bees swim.", title="Fields", year=2020),
    Paper("e5", "", title="A list without abstract"),
]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """The papers, put in this order, and one that waits."""
    catalog = Catalog(tmp_path / "catalog.db")
    for paper in [*PAPERS, Paper("ff", "Ice that waits.")]:
        record = Record(paper.abstract, title=paper.title, source="a.txt")
        catalog.put([PaperChange(paper, {record: {f"mark {paper.id}"}}, frozenset(), frozenset())], run=1)
    catalog.ledger.mark_indexed(PAPERS[:4])
    yield catalog
    catalog.close()


def listed(catalog: Catalog, text: str = "", sort: Sort = Sort.ID, *, backwards: bool = False) -> str:
    selected = parse_selection(text, catalog.papers.has_author)
    page = catalog.papers.page(selected, sort, reverse=backwards)
    assert page.total == len(page.papers)
    assert {paper.id for paper in catalog.papers.all(selected)} == {each.id for each in page.papers}
    return " ".join(paper.id for paper in page.papers)


@pytest.mark.parametrize(
    ("sort", "forwards", "backwards"),
    [
        (Sort.ID, "a1 b2 c3 d4 e5", "e5 d4 c3 b2 a1"),
        (Sort.TITLE, "e5 a1 c3 b2 d4", "b2 c3 a1 e5 d4"),
        (Sort.AUTHOR, "c3 d4 a1 b2 e5", "a1 d4 c3 b2 e5"),
        (Sort.YEAR, "a1 b2 c3 d4 e5", "c3 a1 b2 d4 e5"),
        (Sort.VENUE, "c3 a1 b2 d4 e5", "c3 a1 b2 d4 e5"),
        (Sort.ADDED, "e5 b2 d4 a1 c3", "c3 a1 d4 b2 e5"),
    ],
)
def test_each_order_can_be_turned_round_and_what_lacks_it_comes_last(
    catalog: Catalog, sort: Sort, forwards: str, backwards: str
) -> None:
    assert listed(catalog, sort=sort) == forwards
    assert listed(catalog, sort=sort, backwards=True) == backwards


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", "a1 b2 c3 d4 e5"),
        ("ice", "b2 c3"),
        ("ICE bees", "b2"),
        ("apfel", "c3"),
        ("elan", "c3"),
        ("age", "c3"),
        ("moss year:2020", "a1"),
        ("author:Moss", "a1 d4"),
        ("papers by Bo Moss", ""),
        ("year>=2002 -swim", "a1"),
        ('"bees swim"', "b2"),
        ("abstract", "e5"),
        ("zeppelin", ""),
        ("?!", "a1 b2 c3 d4 e5"),
    ],
)
def test_a_paper_is_selected_if_all_filters_match_and_it_has_every_word(catalog: Catalog, text: str, ids: str) -> None:
    assert listed(catalog, text) == ids


def test_pages_follow_each_other_without_a_gap_and_know_how_many_papers_there_are(catalog: Catalog) -> None:
    pages = [catalog.papers.page(sort=Sort.YEAR, offset=offset, limit=2) for offset in (0, 2, 4, 6)]
    assert [[paper.id for paper in page.papers] for page in pages] == [["a1", "b2"], ["c3", "d4"], ["e5"], []]
    assert [(page.offset, page.total) for page in pages] == [(0, 5), (2, 5), (4, 5), (6, 5)]


def test_a_selection_is_refused_like_a_question_where_a_filter_does_not_exist() -> None:
    with pytest.raises(InputError, match="there is no filter auther:"):
        parse_selection("auther:Moss ice")


def test_nothing_typed_selects_everything() -> None:
    assert not parse_selection("  ")
    assert parse_selection("ice")


def test_whoever_turns_the_pages_waits_for_the_order_once(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def folded(title: str | None) -> str:
        asked.append(title)
        return title or ""

    monkeypatch.setitem(paper_queries.FUNCTIONS, "paperchat_folded", folded)
    with closing(Catalog(catalog.location)) as counting:
        first = counting.papers.page(sort=Sort.TITLE, limit=2)
        assert len(asked) >= 5
        asked.clear()
        second = counting.papers.page(sort=Sort.TITLE, offset=2, limit=2)
        assert (first.total, second.total, asked) == (5, 5, [])


def test_what_anybody_writes_is_on_the_next_page_that_is_asked_for(catalog: Catalog) -> None:
    with closing(Catalog(catalog.location)) as other:
        for writer in (catalog, other):
            papers = catalog.papers
            before = papers.page(sort=Sort.TITLE).total, papers.count()
            found = Paper(f"new{before[0]}", "", title="A list that came later")
            writer.put(
                [PaperChange(found, {Record("", title=found.id, source="b"): set()}, frozenset(), frozenset())], run=2
            )
            assert (papers.page(sort=Sort.TITLE).total, papers.count()) == (
                before[0] + 1,
                before[1] + 1,
            )
            assert found in papers.page(sort=Sort.TITLE).papers


def test_only_the_last_few_orders_are_remembered(catalog: Catalog) -> None:
    for words in map(str, range(30)):
        catalog.papers.page(parse_selection(words, catalog.papers.has_author))
    assert len(catalog.papers._cache) <= 8
