"""Describe topics: clusters of papers with their terms, quotations and years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.schema import Paper, Passage
from assistant.text.sentences import passages
from assistant.topic_map.terms import topic_terms

if TYPE_CHECKING:
    from assistant.encodings import Vectors

GetPapers = Callable[[Sequence[str]], list[Paper]]

# Terms of a topic, and those in its label; its quotations.
_TERMS, _IN_LABEL, _QUOTES = 8, 3, 3
# Papers nearest to the centre that quotations are taken from, and that terms are.
_NEAR, _OF_TERMS = 12, 100


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
class MapPoint:
    """The position of a paper on the map, -1 to 1 in both directions, with its topic and year."""

    paper_id: str
    topic_id: str
    year: int | None
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class TopicMap:
    """The topics of a library, the largest first; `notes` say what the map lacks, and why.

    `points` are the positions of its papers, of a sample of a large library.
    """

    topics: tuple[Topic, ...]
    papers: int
    notes: tuple[str, ...] = ()
    points: tuple[MapPoint, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MappedPapers:
    """Papers that are mapped: their years by id, and in the same order their vectors and the numbers of their topics.

    `vectors` have shape (papers, dimension) and length one; `labels` is empty until topics are assigned.
    """

    years: Mapping[str, int | None]
    vectors: Vectors
    labels: Sequence[int]

    def assigned(self, centers: Vectors) -> MappedPapers:
        """Return the papers with the number of the nearest of the topics, of shape (topics, dimension)."""
        from assistant.topic_map.clustering import nearest

        return replace(self, labels=nearest(self.vectors, centers))

    def among(self, paper_ids: Collection[str]) -> MappedPapers:
        """Return those of the papers that have one of these ids."""
        rows = [row for row, paper_id in enumerate(self.years) if paper_id in paper_ids]
        years = {paper_id: year for paper_id, year in self.years.items() if paper_id in paper_ids}
        return MappedPapers(years, self.vectors[rows], [self.labels[row] for row in rows])


def describe_topics(mapped: MappedPapers, centers: Vectors, ids: Sequence[str], get: GetPapers) -> tuple[Topic, ...]:
    """Return the topics that have papers, the largest first.

    `centers` have shape (topics, dimension); `get` returns papers by their ids, in their order.
    """
    members = _members(mapped, centers)
    numbers = sorted(members, key=lambda number: (-len(members[number]), ids[number]))
    typical = [get(members[number][:_OF_TERMS]) for number in numbers]
    terms = topic_terms([list(map(_text, papers)) for papers in typical], _TERMS)
    return tuple(
        Topic(
            ids[number],
            ", ".join(words[:_IN_LABEL]) or "no common term",
            tuple(words),
            tuple(_quotes(papers, words)),
            tuple(members[number]),
            _by_year(mapped.years[paper_id] for paper_id in members[number]),
        )
        for number, papers, words in zip(numbers, typical, terms, strict=True)
    )


def _members(mapped: MappedPapers, centers: Vectors) -> dict[int, list[str]]:
    """Return the ids of the papers of each topic, those nearest to its centre first."""
    ids = list(mapped.years)
    rows: dict[int, list[int]] = {}
    for row, number in enumerate(mapped.labels):
        rows.setdefault(number, []).append(row)
    return {
        number: [ids[group[rank]] for rank in (mapped.vectors[group] @ -centers[number]).argsort(kind="stable")]
        for number, group in rows.items()
    }


def _by_year(years: Iterable[int | None]) -> dict[int, int]:
    return dict(sorted(Counter(year for year in years if year is not None).items()))


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
