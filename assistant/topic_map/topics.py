"""Describe topics: clusters of papers with their terms, quotations and years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.schema import Paper, Passage
from assistant.text.sentences import passages
from assistant.topic_map.terms import topic_terms

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# Terms of a topic, and those in its label; its quotations.
_TERMS, _IN_LABEL, _QUOTES = 8, 3, 3
# Papers nearest to the centre that quotations are taken from, and that terms are.
_NEAR, _OF_TERMS = 12, 200


@dataclass(frozen=True, slots=True)
class TopicQuote:
    """A sentence that stands for a topic."""

    paper: Paper
    passage: Passage


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: its id, which stays when papers are added, its terms, quotations, and number of papers by year.

    `paper_ids` are its papers, those nearest to its centre first; papers without a year are not in `years`.
    """

    id: str
    label: str
    terms: tuple[str, ...]
    quotes: tuple[TopicQuote, ...]
    paper_ids: tuple[str, ...]
    years: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class TopicMap:
    """The topics of a library, the largest first; `notes` say what the map lacks, and why."""

    topics: tuple[Topic, ...]
    papers: int
    notes: tuple[str, ...] = ()


def describe_topics(
    papers: Sequence[Paper], vectors: Vectors, labels: Sequence[int], centers: Vectors, ids: Sequence[str]
) -> tuple[Topic, ...]:
    """Return the topics that have papers, the largest first.

    `vectors` have shape (papers, dimension), `centers` (topics, dimension); `labels` has the topic of each paper.
    """
    similarity = (vectors * centers[list(labels)]).sum(axis=1)
    members: dict[int, list[int]] = {}
    for row in sorted(range(len(papers)), key=lambda row: -float(similarity[row])):
        members.setdefault(labels[row], []).append(row)
    numbers = sorted(members, key=lambda number: (-len(members[number]), ids[number]))
    of_topics = [[papers[row] for row in members[number]] for number in numbers]
    terms = topic_terms([list(map(_text, group[:_OF_TERMS])) for group in of_topics], _TERMS)
    return tuple(
        Topic(
            ids[number],
            ", ".join(words[:_IN_LABEL]) or "no common term",
            tuple(words),
            tuple(_quotes(group, words)),
            tuple(paper.id for paper in group),
            dict(sorted(Counter(paper.year for paper in group if paper.year is not None).items())),
        )
        for number, group, words in zip(numbers, of_topics, terms, strict=True)
    )


def _text(paper: Paper) -> str:
    return f"{paper.title or ''}. {paper.abstract}"


def _quotes(papers: Sequence[Paper], terms: Sequence[str]) -> list[TopicQuote]:
    """Return a sentence of each of some papers near the centre: those with most of the terms."""
    best = []
    for paper in papers[:_NEAR]:
        if sentences := passages(paper.abstract):
            passage = max(sentences, key=lambda sentence: _terms_in(sentence.text, terms))
            best.append((_terms_in(passage.text, terms), TopicQuote(paper, passage)))
    return [quote for _, quote in sorted(best, key=lambda pair: -pair[0])[:_QUOTES]]


def _terms_in(text: str, terms: Sequence[str]) -> int:
    folded = text.casefold()
    return sum(term.casefold() in folded for term in terms)
