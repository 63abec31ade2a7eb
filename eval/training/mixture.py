"""The examples of the last stage of training: our own abstracts, science, and a sample of the public sets.

Questions and claims are shown beside whole abstracts, beside a few chosen sentences, beside near but wrong abstracts,
and beside their own abstract without the sentences that answer or decide: so that neither the topic nor the style of a
question can tell whether it is answered.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.verification.comparison import nearest
from eval.training.examples import (
    CLAIM_SETS,
    NOT_STATED,
    QUESTION_SETS,
    AnnotatedAbstract,
    Example,
    claims_of,
    join,
    paper_questions,
    public_examples,
    questions_of,
    read_annotated,
    science_claims,
    split_text,
    training_abstracts,
    unanswered_questions,
)

# Sets whose domain is science, and how many pairs of the sets an epoch repeats.
_SCIENCE = {
    "check_covid",
    "citation_integrity",
    "evidence_inference",
    "scitldr_silver",
    "bioasq_silver",
    "pubmedqa_silver",
}
_REPEATED_CLAIMS, _REPEATED_SCIENCE, _REPEATED_QUESTIONS = 6000, 3000, 5000
# Ranks from which a wrong abstract of the many is drawn: the very first may answer as well.
_RANKS = (2, 25)
_WRONG_CLAIMS = 0.35
_SELECTED = 0.4  # the share of claims and questions that are shown beside a few sentences only
# The share of claims that are also shown joined to another of their paper, and what joins them.
_JOINED, _JOINTS = 0.25, (", and ", ", and ", " and ", ", while ", ", but ", "; ")
# The shares of claims, and of wrong texts of questions, that are the right text without its evidence; how much such
# an example counts, whose other sentences sometimes answer as well; and the sentences that must be left.
_SILENCED_CLAIMS, _SILENCED_QUESTIONS, _SILENCED_WEIGHT, _LEAST_LEFT = 0.15, 0.6, 0.7, 2
_TITLED = 0.75  # the share of texts that begin with the title


@dataclass(frozen=True, slots=True)
class Distractors:
    """Wrong texts for a query: (title, sentences) of many papers, and for each query id the nearest, best first."""

    texts: Sequence[tuple[str, tuple[str, ...]]]
    nearest: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that the mixture of an epoch is drawn from."""

    papers: Sequence[AnnotatedAbstract]
    priors: NDArray[np.float32]  # (questions and near misses,): log-odds of an answer by the wording alone
    own_nearest: NDArray[np.int32]  # (questions of the papers, ranks): positions in `papers`
    claims_nearest: NDArray[np.int32]  # (claims of the papers, ranks): positions in `papers`
    distractors: Distractors  # for the questions of the papers
    biomedical: Sequence[Example]
    science: Sequence[Example]
    unanswered: Sequence[tuple[str, Example]]
    public_claims: Sequence[Example]
    public_questions: Sequence[Example]


def epoch(sources: Sources, seed: int) -> list[Example]:
    """Return the examples of one epoch, drawn anew for each seed, shuffled."""
    random = Random(seed)  # noqa: S311 - reproducible, not secret
    examples = [*_own_claims(sources, random), *_own_questions(sources, random), *sources.science]
    examples += [*_biomedical(sources.biomedical, random), *_unanswered(sources.unanswered, random)]
    general = [example for example in sources.public_claims if example.group not in _SCIENCE]
    science = [example for example in sources.public_claims if example.group in _SCIENCE]
    examples += random.sample(general, min(len(general), _REPEATED_CLAIMS))
    examples += random.sample(science, min(len(science), _REPEATED_SCIENCE))
    examples += random.sample(list(sources.public_questions), min(len(sources.public_questions), _REPEATED_QUESTIONS))
    random.shuffle(examples)
    return examples


def _own_claims(sources: Sources, random: Random) -> Iterator[Example]:
    row = 0
    for paper in sources.papers:
        yield from (_titled(claim, paper.title, random) for claim in _joined_claims(paper, random))
        for claim in claims_of(paper):
            shown = select_sentences(claim, random.randint(2, 4)) if random.random() < _SELECTED else claim
            yield _titled(shown, paper.title, random)
            if random.random() < _WRONG_CLAIMS:
                wrong = sources.papers[random.choice(sources.claims_nearest[row])]
                stated_elsewhere = Example(claim.query, wrong.sentences, NOT_STATED, group="wrong paper")
                yield _titled(stated_elsewhere, wrong.title, random)
            if random.random() < _SILENCED_CLAIMS and (left := without_evidence(claim)):
                silenced = Example(claim.query, left, NOT_STATED, group="silenced", weight=_SILENCED_WEIGHT)
                yield _titled(silenced, paper.title, random)
            row += 1


def _joined_claims(paper: AnnotatedAbstract, random: Random) -> Iterator[Example]:
    claims = list(claims_of(paper))
    for first in claims:
        if random.random() < _JOINED:
            yield join(first, random.choice(claims), random.choice(_JOINTS))


def _own_questions(sources: Sources, random: Random) -> Iterator[Example]:
    row, priors = 0, iter(sources.priors)
    for paper in sources.papers:
        for question in questions_of(paper):
            question = replace(question, prior=float(next(priors)))
            shown = select_sentences(question, random.randint(3, 6)) if random.random() < _SELECTED else question
            yield _titled(shown, paper.title, random)
            if question.answers:
                yield _near_by(sources, question, paper, row, random)
                title, sentences = sources.distractors.texts[random.choice(sources.distractors.nearest[row])]
                yield _titled(_wrong(question, sentences), title, random)
                row += 1


def _near_by(sources: Sources, question: Example, paper: AnnotatedAbstract, row: int, random: Random) -> Example:
    """Return the question beside its own abstract without the answer, or beside another annotated one."""
    if random.random() < _SILENCED_QUESTIONS and (left := without_evidence(question)):
        silenced = replace(_wrong(question, left), group="silenced", weight=_SILENCED_WEIGHT)
        return _titled(silenced, paper.title, random)
    wrong = sources.papers[random.choice(sources.own_nearest[row][:8])]
    return _titled(_wrong(question, wrong.sentences), wrong.title, random)


def without_evidence(example: Example) -> tuple[str, ...]:
    """Return the sentences that neither answer nor decide; none where too few are left, or it is not known."""
    evidence = example.evidence or range(len(example.sentences))
    left = tuple(sentence for position, sentence in enumerate(example.sentences) if position not in evidence)
    return left if len(left) >= _LEAST_LEFT else ()


def _wrong(question: Example, sentences: tuple[str, ...]) -> Example:
    return Example(question.query, sentences, None, False, None, "wrong paper", prior=question.prior)


def _biomedical(questions: Sequence[Example], random: Random) -> Iterator[Example]:
    for position, question in enumerate(questions):
        yield question
        wrong = questions[(position + random.randint(1, len(questions) - 1)) % len(questions)]
        yield _wrong(question, wrong.sentences)


def _unanswered(questions: Sequence[tuple[str, Example]], random: Random) -> Iterator[Example]:
    for title, question in questions:
        yield _titled(question, title, random)


def _titled(example: Example, title: str, random: Random) -> Example:
    """Return the example with the title before the sentences, as the reader shows it, or without."""
    return with_title(example, title) if title and random.random() < _TITLED else example


def with_title(example: Example, title: str) -> Example:
    """Return the example with the title as its first sentence; the title is never evidence."""
    evidence = None if example.evidence is None else tuple(position + 1 for position in example.evidence)
    return replace(example, sentences=(title, *example.sentences), evidence=evidence)


def select_sentences(claim: Example, count: int) -> Example:
    """Return it beside the sentences that share most words with it, and those that decide or answer, in order."""
    best = nearest(claim.query, claim.sentences, count)
    chosen = sorted({*best, *(claim.evidence or ())})
    evidence = None if claim.evidence is None else tuple(chosen.index(position) for position in claim.evidence)
    return replace(claim, sentences=tuple(claim.sentences[position] for position in chosen), evidence=evidence)


def held_back_title(title: str) -> bool:
    """Tell whether a paper of QASPER is kept for measuring: one in two."""
    return zlib.crc32(title.encode()) % 2 == 0


def read_sources(data: Path, nearest: dict[str, NDArray[Any]], many: Sequence[dict[str, str]]) -> Sources:
    """Return everything to draw from; `nearest` is what `find_nearest` found, `many` the papers behind its ranks."""
    abstracts = {" ".join(paper.sentences)[:80] for paper in read_annotated(data) if paper.part != "train"}
    biomedical = [item for item in paper_questions(data) if " ".join(item.sentences)[:80] not in abstracts]
    return Sources(
        papers=training_abstracts(data),
        priors=nearest["priors"],
        own_nearest=nearest["questions"],
        claims_nearest=nearest["claims"],
        distractors=Distractors([(row["title"], split_text(row["abstract"])) for row in many], nearest["many"]),
        biomedical=biomedical,
        science=list(science_claims(data, "train")),
        unanswered=[item for item in unanswered_questions(data) if not held_back_title(item[0])],
        public_claims=list(public_examples(data, CLAIM_SETS, "nli")),
        public_questions=list(public_examples(data, QUESTION_SETS, "qa")),
    )
