"""Find every sentence of a library that takes a side on a claim.

The claim and its inversion are searched for, and read beside each paper: what supports the one contradicts the other.
Reading both tells the sides apart better than the claim alone (docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from assistant.disagreement.condition import condition
from assistant.encodings import PairReading
from assistant.logistic import LogisticModel, log_odds
from assistant.protocols import PairReader
from assistant.question.inversion import invert
from assistant.question.language import foreign_language
from assistant.retrieval.search import Found
from assistant.schema import Paper, Passage, Query
from assistant.text.sentences import passages

# Returns the papers that a text is searched for in, best first.
PaperSearch = Callable[[str], Sequence[Paper]]

# Papers that are read, of those found for the claim and for its inversion in turn.
MAX_PAPERS = 20
# The least score of a paper that is read, as a share of the best one's: all papers with a side on SciFact's claims
# reach it, and a third of the others (docs/experiments.md).
_SHARE_OF_BEST = 0.75
# The probability from which a sentence takes a side: `python -m eval run --suite disagreement`, on its dev half.
TAKES_SIDE = 0.5
# The score from which a further sentence of an abstract decides a claim too, and the most of one abstract.
_DECIDES, _OF_PAPER = 0.5, 3


@dataclass(frozen=True, slots=True)
class SideFeatures:
    """The log-odds of a side, of the claim and of its inversion averaged: supported and contradicted."""

    supported: float
    contradicted: float


# Fitted by `python -m eval.training.calibrate_sides`.
SUPPORTS = LogisticModel(-0.02, SideFeatures(supported=0.89, contradicted=-0.03))
CONTRADICTS = LogisticModel(0.58, SideFeatures(supported=-0.23, contradicted=0.86))


@dataclass(frozen=True, slots=True)
class SidedSentence:
    """A sentence that takes a side, with the probability that it does, and its condition, if it has one."""

    paper: Paper
    passage: Passage
    supports: bool
    probability: float
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as it is searched for; read from a question, it has that and its auxiliary verb, else both are empty."""

    text: str
    question: str = ""
    auxiliary: str = ""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a claim, each with its newest paper last; `depends` has the sentences with a condition.

    `note` says what may be wrong with the claim; it is usually empty. `question` is the one that the claim was read
    from, empty for a statement.
    """

    claim: str
    inversion: str
    supports: tuple[SidedSentence, ...] = ()
    contradicts: tuple[SidedSentence, ...] = ()
    depends: tuple[SidedSentence, ...] = ()
    note: str = ""
    question: str = ""

    @property
    def disputed(self) -> str:
        """Return the question, or else the claim: a claim that was read from a question is not well-formed."""
        return self.question or self.claim

    @property
    def sentences(self) -> tuple[SidedSentence, ...]:
        """Return the sentences of all groups."""
        return (*self.supports, *self.contradicts, *self.depends)


def find_sides(claim: Claim, search: PaperSearch, reader: PairReader) -> Sides:
    """Return both sides of a claim. Raises ModelError, and what the search raises."""
    inversion = invert(claim.text, claim.auxiliary)
    papers = [paper for paper in _merged(search(claim.text), search(inversion)) if paper.abstract][:MAX_PAPERS]
    sentences = [sentence for sentence in read_sides(claim.text, inversion, papers, reader)]
    ordered = sorted(sentences, key=lambda sentence: (sentence.paper.year or 0, sentence.probability))
    plain = [sentence for sentence in ordered if sentence.condition is None]
    language = foreign_language(claim.text)
    return Sides(
        claim.text,
        inversion,
        tuple(sentence for sentence in plain if sentence.supports),
        tuple(sentence for sentence in plain if not sentence.supports),
        tuple(sentence for sentence in ordered if sentence.condition is not None),
        f"the claim seems to be in {language}, and the abstracts are searched in English" if language else "",
        claim.question,
    )


def read_sides(claim: str, inversion: str, papers: Sequence[Paper], reader: PairReader) -> list[SidedSentence]:
    """Return the sentences of these papers that take a side, in the order of the papers. Raises ModelError."""
    split = [passages(paper.abstract) for paper in papers]
    texts = [_text(paper, sentences) for paper, sentences in zip(papers, split, strict=True)]
    readings = _read(claim, inversion, texts, reader)
    sided = [
        sentence
        for paper, sentences, pair in zip(papers, split, readings, strict=True)
        for sentence in _of_paper(paper, sentences, pair)
    ]
    return list(_checked(claim, inversion, sided, reader))


def _text(paper: Paper, sentences: Sequence[Passage]) -> list[str]:
    texts = [sentence.text for sentence in sentences]
    return [paper.title, *texts] if paper.title else texts


def _read(
    claim: str, inversion: str, texts: Sequence[Sequence[str]], reader: PairReader
) -> list[tuple[PairReading, PairReading]]:
    """Return what the reader makes of each text beside the claim and beside its inversion."""
    readings = list(reader.read([(statement, text) for text in texts for statement in (claim, inversion)]))
    return list(zip(readings[::2], readings[1::2], strict=True))


def _of_paper(
    paper: Paper, sentences: Sequence[Passage], readings: tuple[PairReading, PairReading]
) -> Iterator[SidedSentence]:
    """Yield the deciding sentences of a paper that takes a side, the most deciding one first."""
    supports, probability = side(*readings)
    if probability < TAKES_SIDE:
        return
    scores = readings[0].deciding[-len(sentences) :]
    order = sorted(range(len(sentences)), key=lambda position: -scores[position])
    for position in order[:1] + [number for number in order[1:_OF_PAPER] if scores[number] >= _DECIDES]:
        yield SidedSentence(paper, sentences[position], supports, probability)


def _checked(claim: str, inversion: str, sided: Sequence[SidedSentence], reader: PairReader) -> Iterator[SidedSentence]:
    """Yield the first sentence of each paper, and of the others those that take a side alone, each with that side."""
    further = {
        number
        for number, (before, item) in enumerate(zip((None, *sided), sided, strict=False))
        if before is not None and before.paper.id == item.paper.id
    }
    texts = [[sided[number].passage.text] for number in sorted(further)]
    alone = dict(zip(sorted(further), _read(claim, inversion, texts, reader), strict=True))
    for number, sentence in enumerate(sided):
        phrase = condition(sentence.passage.text)
        if number not in alone:
            yield replace(sentence, condition=phrase)
            continue
        supports, probability = side(*alone[number])
        if probability >= TAKES_SIDE:
            yield replace(sentence, supports=supports, probability=probability, condition=phrase)


def side(of_claim: PairReading, of_inversion: PairReading) -> tuple[bool, float]:
    """Return the likelier side, whether it supports, with its probability."""
    features = side_features(of_claim, of_inversion)
    supports, contradicts = SUPPORTS.probability(features), CONTRADICTS.probability(features)
    return supports >= contradicts, round(max(supports, contradicts), 4)


def side_features(of_claim: PairReading, of_inversion: PairReading) -> SideFeatures:
    """Return the features of a text that was read beside a claim and beside its inversion."""
    return SideFeatures(
        (log_odds(of_claim.supported) + log_odds(of_inversion.contradicted)) / 2,
        (log_odds(of_claim.contradicted) + log_odds(of_inversion.supported)) / 2,
    )


def paper_search(query: Query, find: Callable[..., Found]) -> PaperSearch:
    """Return a search for the papers that a query allows, without those far below the best.

    `find` takes `top_k`, the number of hits.
    """

    def papers(text: str) -> list[Paper]:
        hits = find(replace(query, text=text, standalone=text), top_k=MAX_PAPERS).hits
        return [hit.paper for hit in hits if hit.score >= _SHARE_OF_BEST * hits[0].score]

    return papers


def _merged(*found: Sequence[Paper]) -> Iterable[Paper]:
    """Return the papers of several searches in turn, each once."""
    papers = (paper for paper in chain.from_iterable(zip_longest(*found)) if paper is not None)
    return {paper.id: paper for paper in papers}.values()
