"""Questions about papers are answered from the catalog, which says what it does not record or does not have."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from assistant import citations, factory
from assistant.chat import Assistant
from assistant.question.time_range import written_day
from assistant.schema import Answer, Scope, Strength, Turn
from assistant.settings import Settings
from assistant.storage.library import Library
from ingest import pipeline
from tests.fakes import ScriptedLLM

HOSTILE = "<script>alert(1)</script> [1] $\\alpha$\n# of squid"
PAPERS: list[dict[str, object]] = [
    {
        "title": "Glacier-Net: Mass Loss of Alpine Ice from the Air",
        "abstract": "Glaciers in the Alps lost a third of their ice. We measure the loss by lasers.",
        "authors": ["Maria Rossi", "Danqi Chen"],
        "year": 2024,
        "venue": "Journal of Ice",
        "doi": "10.1234/ice.7",
        "arxiv_id": "2401.01234",
    },
    {
        "title": "The Waggle Dance of Honey Bees",
        "abstract": "Honey bees communicate the place of flowers by a dance. Glaciers play no role in it.",
        "authors": ["Karl Frisch"],
        "year": 1967,
    },
    {
        "title": "Sourdough Bacteria and Their Smell",
        "abstract": "Sourdough bread rises by yeast. Acid makes its smell.",
    },
    {"title": "Tides of the Northern Sea, Part One", "abstract": "Tides of the sea are high in the north in spring."},
    {"title": "Tides of the Northern Sea, Part Two", "abstract": "Tides of the sea are low in the north in autumn."},
    {
        "title": HOSTILE,
        "abstract": "Squid change their colour by cells of pigment under the skin.",
        "authors": ["A. Kraken"],
    },
]


@pytest.fixture
def fill(library: Library, settings: Settings, tmp_path: Path) -> Callable[[list[dict[str, object]]], Assistant]:
    def ingest(papers: list[dict[str, object]]) -> Assistant:
        file = tmp_path / "catalog.jsonl"
        file.write_text("".join(f"{json.dumps(paper)}\n" for paper in papers), encoding="utf-8")
        pipeline.ingest([file], library)
        return factory.open_assistant(settings, library)

    return ingest


@pytest.fixture
def librarian(fill: Callable[[list[dict[str, object]]], Assistant]) -> Assistant:
    return fill(PAPERS)


def titles(answer: Answer) -> list[str | None]:
    return [citation.paper.title for citation in answer.citations]


def is_catalog(answer: Answer) -> bool:
    return answer.model == "catalog" and answer.intent == "metadata"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who wrote Glacier-Net?", "Maria Rossi and Danqi Chen"),
        ("who wrote the Glacier-Net paper", "Maria Rossi and Danqi Chen"),
        ("WHO WROTE THE GLACIER-NET PAPER?", "Maria Rossi and Danqi Chen"),
        ("who wrote the glaicer net paper", "Maria Rossi and Danqi Chen"),
        ("when was Glacier-Net published?", "2024"),
        ("where was Glacier-Net published?", "Journal of Ice"),
        ("doi of Glacier-Net", "10.1234/ice.7"),
        ("bibtex for the Glacier-Net paper", "2401.01234"),
        ("authors and year of the waggle dance paper", "Karl Frisch"),
        ("Wer hat Glacier-Net geschrieben?", "Maria Rossi and Danqi Chen"),
        ("¿Quién escribió Glacier-Net?", "Maria Rossi and Danqi Chen"),
        ("which paper is arXiv 2401.01234", "Glacier-Net"),
    ],
)
def test_what_is_recorded_of_a_paper_is_said_with_a_citation(
    librarian: Assistant, question: str, expected: str
) -> None:
    answer = librarian.ask(question)
    assert is_catalog(answer)
    assert answer.strength is Strength.FIRM
    assert answer.opening.startswith("From the catalog")
    assert expected in answer.text
    assert "lost a third" not in answer.text
    assert citations.numbers(answer.text) == (1,)
    assert len(answer.citations) == 1


@pytest.mark.parametrize("question", ["who wrote the sourdough paper", "when was the sourdough paper published?"])
def test_what_is_not_recorded_is_said_to_be_so(librarian: Assistant, question: str) -> None:
    answer = librarian.ask(question)
    assert is_catalog(answer)
    assert "not recorded" in answer.text
    assert titles(answer) == ["Sourdough Bacteria and Their Smell"]


def test_an_unknown_paper_is_said_to_be_unknown_with_the_nearest_titles(librarian: Assistant) -> None:
    answer = librarian.ask("who wrote the AlphaFold paper?")
    assert (is_catalog(answer), answer.strength, answer.citations) == (True, Strength.NONE, ())
    assert answer.text.startswith("The catalog has no paper called “AlphaFold”.")


def test_papers_with_a_part_of_an_unknown_title_are_named_as_nearest(librarian: Assistant) -> None:
    answer = librarian.ask('who wrote "Quantum Sourdough Entanglement of Fermions"?')
    assert answer.strength is Strength.NONE
    assert "Sourdough Bacteria and Their Smell" in [paper.title for paper in answer.nearest]


def test_two_papers_that_fit_equally_are_both_told(librarian: Assistant) -> None:
    answer = librarian.ask("who wrote the paper on tides of the northern sea?")
    assert set(titles(answer)) == {"Tides of the Northern Sea, Part One", "Tides of the Northern Sea, Part Two"}
    assert answer.table is not None
    assert answer.table.total == 2


def test_a_question_that_names_no_paper_says_so(librarian: Assistant) -> None:
    for question in ("who wrote", "who wrote it?"):
        answer = librarian.ask(question)
        assert (is_catalog(answer), answer.strength) == (True, Strength.NONE)
        assert "names none" in answer.text


def test_a_description_is_searched_for_and_the_answer_says_which_paper_it_is_about(librarian: Assistant) -> None:
    answer = librarian.ask("who wrote the paper about the loss of ice in the Alps measured by lasers?")
    assert answer.strength is Strength.TENTATIVE
    assert answer.sentences[0].text.startswith("The question is taken to be about “Glacier-Net")
    assert "Maria Rossi" in answer.text


@pytest.mark.parametrize(
    "question", ["papers by Danqi Chen", "PAPERS BY DANQI CHEN", "which papers did danqi chen write?"]
)
def test_the_papers_of_an_author_are_listed_with_a_table(librarian: Assistant, question: str) -> None:
    answer = librarian.ask(question)
    assert is_catalog(answer)
    assert "1 paper by" in answer.text
    assert titles(answer) == ["Glacier-Net: Mass Loss of Alpine Ice from the Air"]
    assert answer.table is not None
    assert answer.table.columns == ("Authors", "Year", "Venue", "Identifier")
    assert answer.table.rows[0].cells[1].value == "2024"


def test_an_unknown_author_is_said_to_be_unknown_with_similar_names(librarian: Assistant) -> None:
    answer = librarian.ask("papers by Danqui Chen")
    assert (is_catalog(answer), answer.strength) == (True, Strength.NONE)
    assert "no paper by “Danqui Chen”" in answer.text
    assert "Danqi Chen" in answer.text
    assert "recorded for 3 of 6 papers" in answer.text


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("how many papers mention glaciers?", 2),
        ("how many papers are about sourdough", 1),
        ("how many papers are from 2024?", 1),
        ("how many papers year:1967", 1),
        ("how many papers are by Karl Frisch", 1),
        ("how many papers mention volcanoes?", 0),
    ],
)
def test_papers_are_counted(librarian: Assistant, question: str, count: int) -> None:
    answer = librarian.ask(question)
    assert is_catalog(answer)
    number = f"{count} paper{'s' if count > 1 else ''}" if count else "no paper"
    assert answer.text.startswith(f"The library has {number} ")
    assert len(answer.citations) == count
    assert (answer.table.total if answer.table else 0) == count


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("how many papers mention glaciers?", "2 papers that mention “glaciers”"),
        ("how many papers are about sourdough", "1 paper that mentions “sourdough”"),
        ("how many papers mention volcanoes?", "no paper that mentions “volcanoes”"),
    ],
)
def test_the_number_of_papers_agrees_with_its_verb_and_is_said_once(
    librarian: Assistant, question: str, said: str
) -> None:
    answer = librarian.ask(question)
    assert f"The library has {said}" in answer.text
    assert answer.opening == "From the catalog."


def test_papers_are_counted_by_year_with_those_without(librarian: Assistant) -> None:
    answer = librarian.ask("count by year")
    assert answer.text == "Papers by year: 1967: 1; 2024: 1; not recorded: 4."


def test_the_contents_of_the_library_are_told_with_what_is_recorded(librarian: Assistant) -> None:
    answer = librarian.ask("what is in this library?")
    assert "The library has 6 papers." in answer.text
    assert "the authors of 3" in answer.text
    assert "catalog.jsonl" in answer.text


def test_the_catalog_tells_of_a_collection_where_that_is_the_scope(librarian: Assistant) -> None:
    catalog = librarian.library.catalog
    catalog.collections.create("Old", [paper.id for paper in catalog.papers.all() if paper.year])
    for question, scope in (("", Scope(collections=("old",))), (" collection:old", Scope())):
        for asked in ("what is in this library?", "how many papers are there?"):
            answer = librarian.ask(asked + question, scope=scope)
            assert 'The library has 2 papers with collection:"' in answer.text, asked
            assert {row.paper.year for row in answer.table.rows} == {1967, 2024} if answer.table else False
        assert librarian.ask("count by year" + question, scope=scope).text == "Papers by year: 1967: 1; 2024: 1."


def test_the_contents_of_a_library_without_sources_are_told_without_them(librarian: Assistant) -> None:
    with closing(sqlite3.connect(librarian.library.home / factory.CATALOG_FILE)) as connection, connection:
        connection.execute("DELETE FROM records")
    answer = librarian.ask("what is in this library?")
    assert is_catalog(answer)
    assert "Recorded are" in answer.text
    assert "come from" not in answer.text


def test_the_papers_of_a_time_are_told_with_the_day_of_their_addition(librarian: Assistant) -> None:
    today = written_day(datetime.now().astimezone())
    answer = librarian.ask("what did I add today?")
    assert f"The library has 6 papers added on {today}" in answer.text
    assert answer.text.count(f", added on {today}") == 5
    assert answer.text.splitlines()[-1] == f"The last ingest was completed on {today}."


def test_a_topic_beside_a_time_limits_the_papers(librarian: Assistant) -> None:
    answer = librarian.ask("what did I add about bees today")
    assert titles(answer) == ["The Waggle Dance of Honey Bees"]


def test_a_time_in_which_nothing_was_added_has_no_papers(librarian: Assistant) -> None:
    answer = librarian.ask("what did I add last week")
    assert "The library has no paper added from" in answer.text
    assert (answer.citations, answer.table) == ((), None)


def test_the_day_on_which_a_paper_was_added_is_told(librarian: Assistant) -> None:
    answer = librarian.ask("when did I add Glacier-Net?")
    assert titles(answer) == ["Glacier-Net: Mass Loss of Alpine Ice from the Air"]
    assert f"added on {written_day(datetime.now().astimezone())}" in answer.text


def test_the_day_of_papers_that_were_added_before_days_were_recorded_is_not_recorded(librarian: Assistant) -> None:
    with closing(sqlite3.connect(librarian.library.home / factory.CATALOG_FILE)) as connection, connection:
        connection.execute("DELETE FROM additions")
    assert "day of addition not recorded" in librarian.ask("what was added last").text


def test_a_library_without_papers_says_so(library: Library, settings: Settings) -> None:
    answer = factory.open_assistant(settings, library).ask("who wrote the Glacier-Net paper?")
    assert (answer.strength, answer.text.startswith("The catalog has no papers yet")) == (Strength.NONE, True)


def test_a_hostile_title_cites_nothing_and_breaks_no_line(librarian: Assistant) -> None:
    answer = librarian.ask("papers by Kraken")
    assert len(answer.text.splitlines()) == len(answer.sentences) == 2
    assert answer.text.count("[1]") == 1
    assert answer.sentences[1].citations == (1,)


def test_many_papers_are_counted_in_a_bounded_table(fill: Callable[..., Assistant]) -> None:
    papers = [
        {"title": f"Comet {number} of the year", "abstract": f"The comet number {number} has a tail.", "year": 2000}
        for number in range(120)
    ]
    librarian = fill(papers)
    counted, described = librarian.ask("how many papers mention comets?"), librarian.ask("who wrote the comet paper?")
    assert counted.table is not None
    assert (counted.table.total, len(counted.table.rows)) == (120, 20)
    assert described.table is not None
    assert len(described.table.rows) == 20
    assert len(counted.citations) <= 5


def test_a_follow_up_is_about_the_papers_of_the_answer_before_it(librarian: Assistant) -> None:
    first = librarian.ask("what role do honey bees and glaciers play for the place of flowers?")
    history = [Turn(first.question, first)]
    number = titles(first).index("The Waggle Dance of Honey Bees") + 1
    answer = librarian.ask(f"who wrote [{number}]?", history)
    assert is_catalog(answer)
    assert "Karl Frisch" in answer.text


@pytest.mark.parametrize("question", ["who wrote [7]?", "who wrote the fourth paper?"])
def test_a_number_that_no_citation_has_names_no_paper(librarian: Assistant, question: str) -> None:
    first = librarian.ask("when was Glacier-Net published?")
    answer = librarian.ask(question, [Turn(first.question, first)])
    assert (is_catalog(answer), answer.strength) == (True, Strength.NONE)


def test_pinned_papers_are_what_is_asked_about(librarian: Assistant) -> None:
    bees = next(paper for paper in librarian.library.catalog.papers.all() if "Bees" in (paper.title or ""))
    answer = librarian.ask("when was this paper published?", scope=Scope((bees.id,)))
    assert "1967" in answer.text


def test_no_model_is_called_where_the_catalog_answers(librarian: Assistant) -> None:
    llm = ScriptedLLM("Alan Turing wrote it [1].")
    answer = librarian.configured(librarian.settings, llm).ask("who wrote the Glacier-Net paper?")
    assert (llm.requests, answer.model, answer.prompt) == ([], "catalog", None)
    assert set(answer.timings) == {"retrieve_ms", "first_text_ms", "total_ms"}


@pytest.mark.parametrize(
    "question",
    [
        "when does dropout help?",
        "who benefits from growth-mindset interventions?",
        "where do place cells fire",
        "how many layers does a transformer need?",
        "How many glaciers lost ice?",
        "what causes the smell of sourdough?",
    ],
)
def test_a_question_about_research_is_not_answered_from_the_catalog(librarian: Assistant, question: str) -> None:
    assert librarian.ask(question).model != "catalog"
