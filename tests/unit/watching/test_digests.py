"""Digests: what is new is told once, ranked, with the kept answers that it changes, to those whose answers they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from assistant.chat import Assistant
from assistant.errors import LibraryError
from assistant.schema import EVERYTHING, Notice, NoticeKind, Paper, Scope, Strength, Turn
from assistant.settings import Settings
from assistant.storage.catalog import Catalog
from assistant.storage.catalog_schema import digest as record_digest
from assistant.storage.library import Library
from assistant.watching.digest_making import has_news, make_digest
from assistant.watching.living_answers import KeptAnswer, bearing_papers, contradicted_citations
from assistant.watching.nearness import STARRED, ranked
from assistant.watching.news import WatchDigest
from assistant.watching.serialization import digest_from_json, digest_json
from ingest import pipeline
from ingest.reading import records_of
from ingest.report import IngestReport
from tests.conftest import BEES
from tests.fakes import WordOverlapReader

ANSWERING = (
    "Bees reconsidered",
    "Honey bees communicate the place of flowers by a waggle dance on the comb. We film the dance of bees at night. "
    "The dance is as precise at night as by day, which nobody has shown before.",
)
OTHER = ("Trains", "Railway timetables are made by integer programs. We solve one of a whole country in an hour.")


@pytest.fixture
def assistant(assistant: Assistant, settings: Settings) -> Assistant:
    """The assistant over the three papers, whose answers are firm."""
    firm = settings.model_copy(update={"firm_threshold": 0.0, "tentative_threshold": 0.0})
    return Assistant(assistant.library, firm, WordOverlapReader(), None, assistant.reranker)


def arrive(library: Library, folder: Path, *papers: tuple[str, str]) -> list[Paper]:
    """Add papers as a watch does."""
    file = folder / f"new-{len(list(folder.iterdir()))}.jsonl"
    file.write_text("".join(json.dumps({"title": t, "abstract": a}) + "\n" for t, a in papers), encoding="utf-8")
    watch = next(iter(library.catalog.watches.all()), None) or library.catalog.watches.add("arxiv-search:x")
    library.catalog.watches.note_arrivals(watch.id, [record_digest(item) for item in records_of(file, IngestReport())])
    pipeline.ingest([file], library)
    return library.catalog.papers.get(list(library.catalog.digests.arrived()))


def kept(assistant: Assistant, *questions: str, scope: Scope = EVERYTHING) -> list[KeptAnswer]:
    return [
        KeptAnswer("c1", number, Turn(question, assistant.ask(question, (), scope), scope))
        for number, question in enumerate(questions, start=1)
    ]


def stored(assistant: Assistant, number: int | None, owner: str = "") -> WatchDigest:
    found = assistant.library.catalog.digests.find(number or 0, owner)
    assert found
    return digest_from_json(found.content, found.answers)


# What is told


def test_a_new_paper_that_answers_a_kept_question_is_announced_and_another_is_not(
    assistant: Assistant, tmp_path: Path
) -> None:
    answers = {"": kept(assistant, BEES, "What raises sourdough bread?")}
    arrive(assistant.library, tmp_path, ANSWERING, OTHER)
    digest = stored(assistant, make_digest(assistant, answers))
    (change,) = digest.answers
    assert (change.question, change.turn, change.before) == (BEES, 1, Strength.FIRM)
    (bearing,) = change.papers
    assert bearing.paper.title == "Bees reconsidered"
    assert bearing.passage
    assert bearing.paper.abstract[bearing.passage.start : bearing.passage.end] == bearing.passage.text
    assert {new.paper.title for new in digest.papers} == {"Bees reconsidered", "Trains"}
    assert {new.sources for new in digest.papers} == {("arxiv-search:x",)}


def test_what_a_digest_has_told_is_not_told_again(assistant: Assistant, tmp_path: Path) -> None:
    arrive(assistant.library, tmp_path, OTHER)
    assert has_news(assistant.library.catalog)
    assert make_digest(assistant, {"": []})
    assert not has_news(assistant.library.catalog)
    assert make_digest(assistant, {"": []}) is None
    arrive(assistant.library, tmp_path, ANSWERING)
    assert [new.paper.title for new in stored(assistant, make_digest(assistant, {})).papers] == ["Bees reconsidered"]


def test_a_digest_that_fails_on_the_way_is_made_by_the_next_run(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"": kept(assistant, BEES)}
    arrive(assistant.library, tmp_path, ANSWERING)
    with monkeypatch.context() as broken:
        broken.setattr(Assistant, "find", lambda *_, **__: (_ for _ in ()).throw(LibraryError("the disk is gone")))
        with pytest.raises(LibraryError, match="the disk is gone"):
            make_digest(assistant, answers)
    assert assistant.library.catalog.digests.recent("") == []
    assert len(stored(assistant, make_digest(assistant, answers)).answers) == 1


def test_an_owner_sees_the_changes_of_their_own_answers_only(assistant: Assistant, tmp_path: Path) -> None:
    glaciers = kept(assistant, "What are glaciers?")
    answers: dict[str, Sequence[KeptAnswer]] = {"ada": kept(assistant, BEES), "bo": glaciers}
    arrive(assistant.library, tmp_path, ANSWERING)
    number = make_digest(assistant, answers)
    assert len(stored(assistant, number, "ada").answers) == 1
    assert stored(assistant, number, "bo").answers == stored(assistant, number, "").answers == ()
    assert stored(assistant, number, "bo").total == 1


def test_a_digest_is_unread_until_its_owner_has_read_it(assistant: Assistant, tmp_path: Path) -> None:
    arrive(assistant.library, tmp_path, OTHER)
    number = make_digest(assistant, {"ada": []})
    digests = assistant.library.catalog.digests
    assert (digests.unread("ada"), digests.unread("bo")) == (1, 1)
    digests.mark_read([number or 0], "ada")
    digests.mark_read([number or 0], "ada")
    assert (digests.unread("ada"), digests.unread("bo")) == (0, 1)
    assert [digest.is_read for digest in digests.recent("ada")] == [True]


def test_a_question_within_a_scope_is_not_changed_by_papers_outside_of_it(assistant: Assistant, tmp_path: Path) -> None:
    (bees,) = [paper for paper in assistant.library.catalog.papers.all() if "Honey" in paper.abstract]
    answers = {"": kept(assistant, BEES, scope=Scope(pinned=(bees.id,)))}
    arrive(assistant.library, tmp_path, ANSWERING)
    assert stored(assistant, make_digest(assistant, answers)).answers == ()


def test_an_answer_from_the_catalog_is_not_asked_again(assistant: Assistant, tmp_path: Path) -> None:
    answers = {"": kept(assistant, "How many papers are in this library?", "hello")}
    arrive(assistant.library, tmp_path, ANSWERING)
    assert stored(assistant, make_digest(assistant, answers)).answers == ()


def test_a_kept_answer_whose_paper_is_retracted_is_told_once(assistant: Assistant) -> None:
    answers = {"": kept(assistant, BEES, "What raises sourdough bread?")}
    cited = answers[""][0].turn.answer.citations[0]
    notice = Notice(NoticeKind.RETRACTED, "Crossref", "Retraction note", date="2026-01-02")
    assistant.library.catalog.notices.replace("Crossref", [cited.paper.id], {cited.paper.id: [notice]})
    digest = stored(assistant, make_digest(assistant, answers))
    assert [paper.notice for paper in digest.notices] == [notice]
    (change,) = digest.answers
    assert (change.turn, change.retracted, change.papers) == (1, (cited.number,), ())
    assert make_digest(assistant, answers) is None


def test_a_paper_that_says_the_opposite_is_said_to_contradict_the_citation(assistant: Assistant) -> None:
    answer = assistant.ask(BEES)
    sentence = next(sentence for sentence in answer.sentences if sentence.citations)
    denying = Paper("n" * 16, f"{sentence.text.rstrip('.').replace(' by ', ' not by ')}. It is otherwise.")
    agreeing = Paper("a" * 16, f"{sentence.text} It is so.")
    assert [number for number, _ in contradicted_citations(answer, denying, WordOverlapReader())] == [1]
    assert contradicted_citations(answer, agreeing, WordOverlapReader()) == []


def test_where_no_new_paper_is_near_the_question_is_not_asked_again(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (answer,) = kept(assistant, BEES)
    monkeypatch.setattr(Assistant, "ask", lambda *_: pytest.fail("asked again"))
    assert bearing_papers(answer.turn, set(), assistant) == (answer.turn.answer, [])


# The ranking


def test_papers_near_the_library_come_before_others_and_starred_ones_draw_theirs_up(
    assistant: Assistant, tmp_path: Path
) -> None:
    library = assistant.library
    papers = arrive(
        library, tmp_path, OTHER, ANSWERING, ("Ice", "Glaciers in the northern Alps lost ice. We scan them.")
    )
    assert ranked(papers, {}, library)[-1].paper.title == "Trains"
    (glaciers,) = [paper for paper in library.catalog.papers.all() if "412 glaciers" in paper.abstract]
    library.catalog.annotations.add_tags(glaciers.id, [STARRED])
    first = ranked(papers, {}, library)[0]
    assert first.paper.title == "Ice"
    assert first.starred.startswith("Glaciers")
    assert 0 < first.starred_nearness <= 1


def test_a_paper_without_an_abstract_is_told_last(assistant: Assistant, tmp_path: Path) -> None:
    papers = arrive(assistant.library, tmp_path, ("Only a title of some words", ""), ANSWERING)
    assert [new.paper.title for new in ranked(papers, {}, assistant.library)][-1] == "Only a title of some words"


# Storage


def test_a_digest_is_read_back_as_it_was_written(assistant: Assistant, tmp_path: Path) -> None:
    answers = {"": kept(assistant, BEES)}
    arrive(assistant.library, tmp_path, ANSWERING)
    digest = stored(assistant, make_digest(assistant, answers))
    written = json.loads(json.dumps(digest_json(digest)))
    assert digest_from_json(written, written["answers"]) == digest
    with pytest.raises(LibraryError, match="a stored digest is damaged"):
        digest_from_json({"papers": 5}, [])


def test_watches_digests_and_notices_are_part_of_a_backup(
    assistant: Assistant, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant import factory
    from ingest.maintenance import backup
    from tests.fakes import WordHashEmbedder

    library = assistant.library
    arrive(library, tmp_path, OTHER)
    make_digest(assistant, {})
    (paper, *_) = library.catalog.papers.all()
    notice = Notice(NoticeKind.CONCERN, "Crossref")
    library.catalog.notices.replace("Crossref", [paper.id], {paper.id: [notice]})
    before = state(library.catalog)
    library.close()
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    backup.backup(settings, tmp_path / "b.zip")
    restored = settings.model_copy(update={"home": tmp_path / "other"})
    restored.home.mkdir()
    backup.restore(restored, tmp_path / "b.zip")
    catalog = factory.open_catalog(restored)
    assert state(catalog) == before
    catalog.close()


def state(catalog: Catalog) -> tuple[object, ...]:
    return catalog.watches.all(), catalog.digests.recent(""), dict(catalog.notices.by_paper())
