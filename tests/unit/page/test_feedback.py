from __future__ import annotations

import pytest

from assistant.errors import InputError
from assistant.schema import Paper, Record
from assistant.storage.catalog import Catalog
from assistant.storage.conversation_schema import Fault, Feedback
from assistant.storage.library import Library
from ingest import pipeline
from ui.page.feedback import add_paper, remove_paper, resolve_paper

ICE = "Glaciers lost a third of their ice. The loss doubles after 2005. Small glaciers shrink the fastest."
SNOW = "Snow falls later each year. We measure its depth."
RECORDS = [
    Record(ICE, "Loss of ice", source="a"),
    Record(SNOW, "Loss of ice and snow", source="a"),
    Record("Bees dance for flowers. Older bees dance longer.", None, source="a"),
]
WRONG = Feedback(False, Fault.MISSING_PAPER)


@pytest.fixture
def catalog(library: Library) -> Catalog:
    pipeline.ingest_records(RECORDS, library)
    return library.catalog


def one(catalog: Catalog, abstract: str) -> Paper:
    return next(paper for paper in catalog.papers.all() if paper.abstract == abstract)


def test_a_paper_is_named_by_words_of_its_title_or_by_its_id(catalog: Catalog) -> None:
    snow = one(catalog, SNOW)
    for words in ("ice and SNOW", " Loss of  ice and snow ", snow.id):
        assert resolve_paper(catalog, words) == (snow, ())


def test_a_whole_title_is_meant_even_where_a_longer_one_begins_with_it(catalog: Catalog) -> None:
    assert resolve_paper(catalog, "loss of ice") == (one(catalog, ICE), ())


@pytest.mark.parametrize(
    ("words", "sentences"),
    [
        ("the loss doubles", ("The loss doubles after 2005.",)),
        ("The loss doubles after 2005. Small glaciers shrink the fastest.", tuple(ICE.split(". ", 1)[1].split("  "))),
    ],
)
def test_a_sentence_of_an_abstract_names_its_paper_and_itself(
    catalog: Catalog, words: str, sentences: tuple[str, ...]
) -> None:
    paper, found = resolve_paper(catalog, words)
    assert paper == one(catalog, ICE)
    assert " ".join(found) == " ".join(sentences)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("  ", "type consecutive words"),
        ("wombats <b>", "no paper of the library has “wombats <b>”"),
        ("of ice", "several papers have “of ice”: Loss of ice"),
    ],
)
def test_what_names_no_paper_or_several_is_said_to_be_so(catalog: Catalog, words: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace(".", r"\.")):
        resolve_paper(catalog, words)


def test_papers_are_named_once_and_taken_back_with_their_sentences(catalog: Catalog) -> None:
    ice, snow = one(catalog, ICE), one(catalog, SNOW)
    given = add_paper(add_paper(WRONG, ice, ("The loss doubles after 2005.",)), snow, ("We measure its depth.",))
    assert add_paper(given, ice, ()) == given
    assert given.papers == (ice.id, snow.id)
    left = remove_paper(given, ice, ice.id)
    assert (left.papers, left.passages) == ((snow.id,), ("We measure its depth.",))
    assert remove_paper(left, None, snow.id) == WRONG
