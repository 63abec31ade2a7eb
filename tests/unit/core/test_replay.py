"""What counts as a change between an old answer and a new one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assistant.chat import Assistant
from assistant.replay import compare, replay
from assistant.schema import Answer, Citation, Paper, Strength, Turn
from assistant.settings import Settings
from assistant.storage.library import Library
from ingest import pipeline
from tests.fakes import WordOverlapReader

BEES = "How do honey bees communicate the place of flowers by a waggle dance?"


def citing(*papers: Paper) -> Answer:
    return Answer(BEES, BEES, Strength.FIRM, 0.9, "text", citations=tuple(Citation(1, paper, ()) for paper in papers))


def test_other_words_for_the_same_papers_are_no_change(reader: Assistant) -> None:
    one = citing(Paper("a" * 16, "Bees."), Paper("b" * 16, "Flowers."))
    other = replace(citing(Paper("b" * 16, "Flowers!"), Paper("a" * 16, "Bees!")), text="other words", confidence=0.8)
    assert not compare(one, other, reader.library.catalog).changed


def test_a_change_of_strength_alone_is_a_change(reader: Assistant) -> None:
    one = citing(Paper("a" * 16, "Bees."))
    assert compare(one, replace(one, strength=Strength.TENTATIVE), reader.library.catalog).changed


def test_papers_in_one_answer_only_are_gained_and_lost(reader: Assistant) -> None:
    a, b, c = (Paper(letter * 16, letter) for letter in "abc")
    compared = compare(citing(a, b), citing(b, c), reader.library.catalog)
    assert (compared.gained, compared.lost) == ((c,), (a,))


def test_a_paper_that_was_merged_into_another_since_is_the_same_paper(
    library: Library, settings: Settings, tmp_path: Path
) -> None:
    abstract = (
        "Honey bees communicate the place of flowers by a waggle dance. " + "We decode 5,096 dances by hand. " * 6
    )
    bare, titled = tmp_path / "bare.txt", tmp_path / "titled.txt"
    bare.write_text(f"Abstract: {abstract}\n", encoding="utf-8")
    titled.write_text(f"The waggle dance of the honey bee decoded\n{abstract}\n", encoding="utf-8")
    assistant = Assistant(
        library, settings.model_copy(update={"firm_threshold": 0.0, "tentative_threshold": 0.0}), WordOverlapReader()
    )
    pipeline.ingest([bare], library)
    before = assistant.ask(BEES)
    pipeline.ingest([titled], library)
    (now,) = library.catalog.papers.all()
    assert now.id != before.citations[0].paper.id
    (compared,) = replay(assistant, [Turn(BEES, before)])
    assert compared.after.citations[0].paper.id == now.id
    assert not compared.changed
