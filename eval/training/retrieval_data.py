"""Questions, claims and titles to train retrieval on, each with the text that answers it or that it is about.

Nothing that measures is among them: a text that shares a sentence with a paper of a measured part or collection is
left out, also where a public set holds an excerpt of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from eval.training.examples import (
    CLAIM_SETS,
    QUESTION_SETS,
    SUPPORTED,
    AnnotatedAbstract,
    Example,
    claims_of,
    contrasts,
    paper_questions,
    public_examples,
    questions_of,
    read_annotated,
    split_text,
    training_abstracts,
)
from eval.training.hard_negatives import many_papers

PUBLIC, TITLE = "public", "title"
# How often pairs about our own abstracts are drawn; easy questions have their paper first already.
OWN_WEIGHTS = {
    "hard": 1.0,
    "medium": 0.7,
    "easy": 0.15,
    "supported paraphrased": 0.5,
    "supported half": 0.25,
    "supported close": 0.1,
}
# Public sets of claims that read like questions of a search, and the most pairs of a set.
_CLAIMS = (
    "bioasq_silver",
    "check_covid",
    "citation_integrity",
    "evidence_inference",
    "fever_eraser",
    "fm2",
    "pubmedqa_silver",
    "scitail",
    "scitldr_silver",
)
_MOST_QUESTIONS, _MOST_CLAIMS, _TITLES = 5000, 3000, 16_000
# Shorter texts say too little, and a sentence as short as that may stand in many papers.
_MIN_QUERY, _MIN_TEXT, _MIN_SENTENCE = 15, 80, 40
_NOT_WORD = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A query, the position of the document that it should find, and its kind."""

    query: str
    document: int
    kind: str


@dataclass(frozen=True, slots=True)
class TrainingTexts:
    """Documents, and the queries that should find them."""

    documents: tuple[str, ...]
    pairs: tuple[TrainingPair, ...]

    def select(self, keep: Callable[[str], bool]) -> list[int]:
        """Return the positions of the pairs of some kinds."""
        return [position for position, pair in enumerate(self.pairs) if keep(pair.kind)]


class HeldOut:
    """The sentences of papers that measure, by which texts with one of them are recognized."""

    def __init__(self, sentences: Iterable[str]) -> None:
        normalized = map(_normalized, sentences)
        self._sentences = {sentence for sentence in normalized if len(sentence) >= _MIN_SENTENCE}

    def shares(self, sentences: Iterable[str]) -> bool:
        """Tell whether one of the sentences is that of a paper that measures."""
        return any(_normalized(sentence) in self._sentences for sentence in sentences)


def read_training(data: Path, measured: Iterable[str]) -> TrainingTexts:
    """Return everything to train on; `measured` are the abstracts of collections to measure on. Raises InputError."""
    annotated = read_annotated(data)
    tests = [paper for paper in (*annotated, *contrasts("dev")) if paper.part != "train"]
    held_out = HeldOut(
        [
            *(sentence for paper in tests for sentence in paper.sentences),
            *(sentence for abstract in measured for sentence in split_text(abstract)),
        ]
    )
    positions: dict[str, int] = {}
    pairs = [
        TrainingPair(query, positions.setdefault(text, len(positions)), kind)
        for query, text, kind in (
            *_own(data, held_out),
            *_public(data, held_out),
            *_titles(data, [*annotated, *contrasts("train"), *tests], held_out),
        )
    ]
    return TrainingTexts(tuple(positions), tuple(pairs))


def counts(texts: TrainingTexts) -> str:
    """Return the number of documents, and of pairs by kind, for the log."""
    kinds = Counter(pair.kind for pair in texts.pairs)
    return ", ".join(
        [f"{len(texts.documents)} documents", *(f"{count} {kind}" for kind, count in sorted(kinds.items()))]
    )


def _own(data: Path, held_out: HeldOut) -> Iterator[tuple[str, str, str]]:
    """Yield the questions and true claims of our own abstracts: query, text and kind."""
    for paper in training_abstracts(data):
        if held_out.shares(paper.sentences):
            continue
        text = (f"{paper.title}. " if paper.title else "") + " ".join(paper.sentences)
        for example in (*questions_of(paper), *claims_of(paper)):
            if example.group in OWN_WEIGHTS:
                yield example.query, text, example.group


def _public(data: Path, held_out: HeldOut) -> Iterator[tuple[str, str, str]]:
    """Yield questions that are answered, and claims that are true, of public sets."""
    for example in _public_pairs(data):
        text = " ".join(example.sentences)
        if len(text) >= _MIN_TEXT and len(example.query) >= _MIN_QUERY and not held_out.shares(example.sentences):
            yield example.query, text, PUBLIC


def _public_pairs(data: Path) -> Iterator[Example]:
    for name, most in QUESTION_SETS.items():
        questions = (example for example in public_examples(data, {name: most}, "qa") if example.answers)
        yield from islice(questions, _MOST_QUESTIONS)
    for name in _CLAIMS:
        claims = public_examples(data, {name: CLAIM_SETS[name]}, "nli")
        yield from islice((example for example in claims if example.support == SUPPORTED), _MOST_CLAIMS)
    yield from paper_questions(data)


def _titles(data: Path, known: list[AnnotatedAbstract], held_out: HeldOut) -> Iterator[tuple[str, str, str]]:
    """Yield the titles of papers with their abstracts."""
    for row in many_papers(data, known, seed=5, count=_TITLES):
        if not held_out.shares(split_text(row["abstract"])):
            yield row["title"], row["abstract"], TITLE


def _normalized(sentence: str) -> str:
    """Return the words of a sentence alone: copies of an abstract differ in spaces, quotes and dashes."""
    return _NOT_WORD.sub(" ", sentence.casefold()).strip()
