"""Collections to measure retrieval on: papers, and questions or claims with the papers that they should find."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from assistant import factory
from assistant.schema import Paper
from assistant.settings import Settings
from eval import corpora
from eval.suites import ABSTRACTS, SEEDS, beir, load
from eval.training.examples import AnnotatedAbstract, read_annotated


@dataclass(frozen=True, slots=True)
class SearchText:
    """A question or claim, the ids of the papers that answer it, and its part and group for the figures."""

    text: str
    papers: tuple[str, ...]
    part: str
    group: str


@dataclass(frozen=True, slots=True)
class SearchCollection:
    """Papers, and the texts that search them."""

    papers: tuple[Paper, ...]
    texts: tuple[SearchText, ...]


def read_collections(data: Path, settings: Settings) -> dict[str, SearchCollection]:
    """Return the collections by name; the seeds are ingested below the settings' home, once. Raises InputError."""
    science = beir.read(data / "scifact")
    claims = tuple(SearchText(q.text, tuple(sorted(q.papers)), q.split, "claim") for q in science.questions)
    annotated = read_annotated(data)
    return {
        "abstracts": SearchCollection(beir.read_papers(ABSTRACTS, "papers"), questions_about(annotated)),
        "seeds": SearchCollection(_seed_papers(settings), _seed_questions()),
        "scifact": SearchCollection(science.papers, claims),
    }


def questions_about(annotated: Sequence[AnnotatedAbstract]) -> tuple[SearchText, ...]:
    """Return the questions of annotated abstracts that measure."""
    return tuple(
        SearchText(question["text"], (paper.id,), paper.part, question["level"])
        for paper in annotated
        if paper.part != "train"
        for question in paper.questions
    )


def _seed_papers(settings: Settings) -> tuple[Paper, ...]:
    with closing(corpora.build("seeds", None, settings, factory.open_embedder(settings))) as library:
        return tuple(sorted(library.catalog.papers.all(), key=lambda paper: paper.id))


def _seed_questions() -> tuple[SearchText, ...]:
    """Return the single questions about the seeds, and those that need several papers."""
    return tuple(
        SearchText(question.text, tuple(sorted(question.papers)), question.split, group or question.group)
        for suite, group in (("single", ""), ("multi", "multi"))
        for question in load(SEEDS / f"{suite}.jsonl")
    )
