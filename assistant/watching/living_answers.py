"""Find the kept answers whose evidence has changed: by papers that are new, or by papers that were retracted.

Most answers are left alone cheaply: a question is searched again, and only where a new paper is among the hits is it
read beside the question, and the question asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.disagreement.sides import SidedSentence, read_sides
from assistant.errors import InputError, NotFoundError
from assistant.protocols import PairReader
from assistant.question.catalog_question import CATALOG
from assistant.question.inversion import invert
from assistant.schema import Answer, Paper, Passage, Query, Turn, Verdict
from assistant.text.sentences import passages
from assistant.watching.news import AnswerChange, BearingPaper

if TYPE_CHECKING:
    from assistant.chat import Assistant

# Hits of a question among which a new paper is looked for.
_NEAREST = 10
# Sentences of an answer that new papers are compared with.
_COMPARED = 6


@dataclass(frozen=True, slots=True)
class AnnouncingThresholds:
    """From what on a new paper is announced; chosen by `eval.training.announcing` on the dev part of its questions.

    `bears`: the probability of answering from which a paper bears on a question that it would not be cited for, and
    `cited_bears` that of a paper that would be, at most as high. `contradicts`: the probability from which a sentence
    contradicts a cited one, above that of a claim whose papers were searched for: most sentences of an answer are about
    one paper's own work, which no other paper speaks against.
    """

    bears: float = 0.8
    cited_bears: float = 0.65
    contradicts: float = 0.8


THRESHOLDS = AnnouncingThresholds()


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer of a stored conversation, by the ids of the conversation and of the turn."""

    conversation: str
    turn_id: int
    turn: Turn


def changed_answers(
    answers: Sequence[KeptAnswer], new_ids: Set[str], noticed_ids: Set[str], assistant: Assistant
) -> Iterator[AnswerChange]:
    """Yield the kept answers that change by papers of these present ids: new ones, and ones with a new notice.

    Raises LibraryError and ModelError.
    """
    for answer in answers:
        change = _change(answer, new_ids, noticed_ids, assistant)
        if change.papers or change.retracted:
            yield change


def bearing_papers(
    turn: Turn, new_ids: Set[str], assistant: Assistant, thresholds: AnnouncingThresholds = THRESHOLDS
) -> tuple[Answer, list[BearingPaper]]:
    """Return the answer that a question gets now, and the new papers that bear on it, the likeliest first.

    The answer is the kept one where no new paper is near the question. Raises LibraryError and ModelError.
    """
    answer = turn.answer
    candidates = _candidates(turn, new_ids, assistant)
    if not candidates:
        return answer, []
    readings = list(_read(answer.standalone, candidates, assistant.reader))
    if max(probability for _, _, probability in readings) < thresholds.cited_bears:
        return answer, []
    now = assistant.ask(answer.standalone, (), turn.scope)
    cited = {citation.paper.id for citation in now.citations}
    bearing = [
        BearingPaper(paper, passage, round(probability, 4), paper.id in cited)
        for paper, passage, probability in readings
        if probability >= (thresholds.cited_bears if paper.id in cited else thresholds.bears)
    ]
    return now, sorted(bearing, key=lambda paper: -paper.probability)


def contradicted_citations(answer: Answer, paper: Paper, reader: PairReader) -> list[tuple[int, Passage]]:
    """Return the numbers of an answer's citations that a paper speaks against, each with the sentence that does.

    Raises ModelError.
    """
    passages_by_number: dict[int, Passage] = {}
    for sentence in _claims(answer):
        for denial in denials(sentence.text, paper, reader):
            if denial.probability >= THRESHOLDS.contradicts:
                for number in sentence.citations:
                    passages_by_number.setdefault(number, denial.passage)
    return sorted(passages_by_number.items())


def strongest_denial(answer: Answer, paper: Paper, reader: PairReader) -> float:
    """Return the probability with which a paper contradicts one of an answer's cited sentences; 0 without one.

    Raises ModelError.
    """
    denied = (denial.probability for claim in _claims(answer) for denial in denials(claim.text, paper, reader))
    return max(denied, default=0.0)


def denials(claim: str, paper: Paper, reader: PairReader) -> list[SidedSentence]:
    """Return the sentences of a paper that speak against a claim. Raises ModelError."""
    return [sided for sided in read_sides(claim, invert(claim), [paper], reader) if not sided.supports]


def is_comparable(answer: Answer) -> bool:
    """Return whether papers can change an answer: it searched the abstracts, and is no list from the catalog."""
    return bool(answer.searched and answer.standalone.strip() and answer.model != CATALOG)


def _change(kept: KeptAnswer, new_ids: Set[str], noticed_ids: Set[str], assistant: Assistant) -> AnswerChange:
    answer = assistant.library.catalog.notices.current(kept.turn.answer)
    retracted = _retracted(answer, noticed_ids, assistant)
    now, bearing = answer, list[BearingPaper]()
    if new_ids and is_comparable(answer):
        now, bearing = bearing_papers(kept.turn, new_ids, assistant)
        bearing = [_compared(paper, answer, assistant.reader) for paper in bearing]
    return AnswerChange(
        kept.conversation,
        kept.turn_id,
        kept.turn.question,
        answer.strength,
        now.strength,
        tuple(bearing),
        tuple(retracted),
    )


def _retracted(answer: Answer, noticed_ids: Set[str], assistant: Assistant) -> list[int]:
    """Return the numbers of the citations whose papers have one of the new notices."""
    if not noticed_ids:
        return []
    present = {
        citation.number: assistant.library.catalog.papers.present_ids([citation.paper.id])
        for citation in answer.citations
        if citation.paper.notice
    }
    return [number for number, paper_ids in present.items() if not noticed_ids.isdisjoint(paper_ids)]


def _candidates(turn: Turn, new_ids: Set[str], assistant: Assistant) -> list[Paper]:
    """Return the new papers among the first hits for a kept question within its scope and filters."""
    answer = turn.answer
    try:
        scope = assistant.resolve_scope(turn.scope)
        query = Query(answer.standalone, answer.standalone, answer.filters, scope)
        hits = assistant.find(query, assistant.library.fresh(), top_k=_NEAREST).hits
    except (InputError, NotFoundError):
        return []  # a collection or paper of the scope is gone
    return [hit.paper for hit in hits if hit.paper.id in new_ids and hit.paper.abstract]


def _read(question: str, papers: Sequence[Paper], reader: PairReader) -> Iterator[tuple[Paper, Passage | None, float]]:
    """Yield each paper with the sentence that answers best, and the probability that the abstract answers."""
    split = [passages(paper.abstract) for paper in papers]
    texts = [[sentence.text for sentence in sentences] for sentences in split]
    readings = reader.read([(question, text) for text in texts])
    for paper, sentences, reading in zip(papers, split, readings, strict=True):
        best = max(range(len(sentences)), key=reading.answering.__getitem__, default=None)
        yield paper, None if best is None else sentences[best], reading.answers


def _compared(bearing: BearingPaper, answer: Answer, reader: PairReader) -> BearingPaper:
    """Return a bearing paper with the citations that it contradicts, and then the sentence that does."""
    contradicted = contradicted_citations(answer, bearing.paper, reader)
    if not contradicted:
        return bearing
    numbers = tuple(number for number, _ in contradicted)
    return replace(bearing, contradicts=numbers, passage=contradicted[0][1])


def _claims(answer: Answer) -> list[_CitedSentence]:
    """Return the first sentences of an answer that a citation supports."""
    claims = [
        _CitedSentence(sentence.text, sentence.citations)
        for sentence in answer.sentences
        if sentence.citations and sentence.verdict is Verdict.SUPPORTED and not sentence.is_context
    ]
    return claims[:_COMPARED]


@dataclass(frozen=True, slots=True)
class _CitedSentence:
    """A sentence of an answer with the numbers of its citations."""

    text: str
    citations: tuple[int, ...]
