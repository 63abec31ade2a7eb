"""What a message asks of the catalog, and which of its words name papers, topics and people."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import ModelError
from assistant.question import subject
from assistant.question.catalog_question import CatalogKind, decide, read, said_years
from assistant.question.encoder import QuestionEncoder
from assistant.question.understand import understand
from assistant.schema import Filters
from eval.suites import SEEDS, load
from tests.fakes import WordHashEmbedder


def kind(message: str) -> CatalogKind:
    """Return the kind by the form alone, without a message reader."""
    asked = read(understand(message), QuestionEncoder(WordHashEmbedder()))
    return asked.kind if asked else CatalogKind.NONE


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("who wrote the AlphaFold paper?", CatalogKind.AUTHORS),
        ("when was AlphaFold published?", CatalogKind.DATE),
        ("where was AlphaFold published", CatalogKind.VENUE),
        ("bibtex for AlphaFold", CatalogKind.IDENTIFIER),
        ("papers by Danqi Chen", CatalogKind.BY_AUTHOR),
        ("what did I add last week", CatalogKind.ADDED),
        ("how many papers are about dropout", CatalogKind.COUNT),
        ("count by year", CatalogKind.BREAKDOWN),
        ("what is in this library?", CatalogKind.CONTENTS),
        ("do you have the paper AlphaFold in the library", CatalogKind.HOLDING),
    ],
)
def test_a_question_to_the_catalog_is_recognized_by_its_form(message: str, expected: CatalogKind) -> None:
    assert kind(message) is expected


@pytest.mark.parametrize("message", ["", "?", "author:Chen", "2024", "hello", "papers about dropout"])
def test_what_asks_nothing_of_the_catalog_is_no_question_to_it(message: str) -> None:
    assert kind(message) is CatalogKind.NONE


def test_of_the_questions_about_the_seeds_hardly_any_is_taken_for_one_to_the_catalog() -> None:
    questions = [*load(SEEDS / "single.jsonl"), *load(SEEDS / "multi.jsonl")]
    taken = [question.text for question in questions if kind(question.text) is not CatalogKind.NONE]
    assert len(taken) <= 0.005 * len(questions), taken


def test_a_reader_that_sees_no_metadata_vetoes_and_one_that_does_supports() -> None:
    rather, hardly = {"authors": 0.8, "none": 0.2}, {"authors": 0.4, "none": 0.6}
    assert (decide(rather), decide(hardly)) == (CatalogKind.AUTHORS, CatalogKind.NONE)
    assert (decide(rather, 0.001), decide(hardly, 0.9)) == (CatalogKind.NONE, CatalogKind.AUTHORS)


@pytest.mark.parametrize(
    ("message", "names", "words"),
    [
        ("who wrote the AlphaFold paper?", (), "AlphaFold"),
        ("papers by Danqi Chen", ("Danqi Chen",), ""),
        ("did Kahneman write anything on noise", ("Kahneman",), "noise"),
        ("who wrote it?", (), ""),
    ],
)
def test_words_that_name_a_paper_a_topic_or_a_person_are_marked(
    message: str, names: tuple[str, ...], words: str
) -> None:
    marked = subject.mark(message)
    assert (marked.names, marked.subject) == (names, words)


def test_a_masked_message_keeps_its_wording_alone() -> None:
    assert subject.mark("who wrote the AlphaFold paper?").masked == "who wrote the xthingx paper?"


def test_a_long_message_is_read_at_its_start() -> None:
    assert len(subject.split("word " * 500)) == 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("how many papers are from 2024", Filters(since=2024, until=2024)),
        ("how many papers since 2020", Filters(since=2020)),
        ("how many papers before 2000", Filters(until=1999)),
        ("how many papers between 2019 and 2021", Filters(since=2019, until=2021)),
        ("how many papers are about warmup", Filters()),
        ("compare 2019 and 2021 and 2023", Filters()),
    ],
)
def test_a_year_is_the_year_of_papers(text: str, expected: Filters) -> None:
    assert said_years(text) == expected


def test_missing_words_are_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"wording\.txt is missing or damaged"):
        subject.load(subject.WEIGHTS, tmp_path / "wording.txt")
