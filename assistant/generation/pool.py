"""Pool the supported sentences of several drafts, and lay out the best of them as one answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.citations import build_citations, cited_text, renumber, strip
from assistant.errors import ModelError
from assistant.schema import Answer, Hit, Passage, Sentence, Verdict
from assistant.verification import remarks
from assistant.verification.remarks import SentenceKind
from assistant.verification.review import Review
from assistant.verification.support import SupportModel

# Whether a sentence needs the one before it to be understood.
Leans = Callable[[str], bool]

# Two sentences whose sets of words overlap more than this (Jaccard) repeat each other, unless their numbers differ.
_REPEAT = 0.5


@dataclass(frozen=True, slots=True)
class _Statement:
    """A supported sentence with the papers that it cites: of the numbers in its text first, in their order.

    `passages` are the nearest ones, by paper; `votes` counts the times that the drafts state it. `before` is the
    sentence before it in its draft, where it needs that to be understood.
    """

    sentence: Sentence
    hits: tuple[Hit, ...]
    passages: Mapping[str, Passage]
    votes: int = 1
    before: Sentence | None = None

    def repeats(self, sentence: Sentence) -> bool:
        """Return whether the sentence says about the same."""
        words, others = _words(self.sentence), _words(sentence)
        numbers, other_numbers = (set(filter(_has_digit, group)) for group in (words, others))
        return numbers == other_numbers and len(words & others) > _REPEAT * len(words | others)


class SentencePool:
    """The supported sentences of drafts, without repeats.

    `order` are the ids of papers in which the answer cites them; a paper that is missing comes last. `leans` tells
    whether a sentence needs the one before it to be understood.
    """

    def __init__(self, model: SupportModel, shown: Sequence[Hit], order: Sequence[str], leans: Leans) -> None:
        self._model, self._hits, self._leans = model, {hit.paper.id: hit for hit in shown}, leans
        self._ranks = {paper_id: rank for rank, paper_id in enumerate(order)}
        self._statements: list[_Statement] = []
        self._denials: list[Sentence | None] = []
        self._longest = 0

    def add(self, review: Review) -> bool:
        """Add the sentences of a draft, and return whether one of them is supported and new."""
        count = len(self._statements)
        for position, (sentence, passages) in enumerate(zip(review.sentences, review.passages, strict=True)):
            if sentence.verdict is Verdict.SUPPORTED and sentence.replaces is None:
                before = review.sentences[position - 1] if position and self._leans(strip(sentence.text)) else None
                self._add(replace(self._statement(sentence, passages, review), before=before))
        stated = {sentence.text for sentence in review.sentences if sentence.verdict is not Verdict.REMARK}
        self._longest = max(self._longest, len(stated))
        self._denials.append(next(filter(_is_denial, review.sentences), None))
        return len(self._statements) > count

    def compose(self, draft: Answer) -> Answer | None:
        """Return the draft with the sentences that most drafts state, no more than the longest draft has.

        Those that stand alone are preferred, and one that leans is left out where what it leans on is. Papers come in
        their order, the sentences of a paper in that of its abstract. That the abstracts leave something open is said
        where every draft says so. Return None where no sentence is supported.
        """
        if not self._statements:
            return None
        statements = _understandable(sorted(self._most_stated(), key=self._position))
        hits = list({hit.paper.id: hit for statement in statements for hit in statement.hits}.values())
        numbers = {hit.paper.id: number for number, hit in enumerate(hits, start=1)}
        sentences = [_numbered(statement, numbers) for statement in statements]
        sentences += [denial for denial in self._denials[:1] if denial and all(self._denials)]
        passages: dict[int, list[Passage]] = {}
        for statement in statements:
            for paper_id, passage in statement.passages.items():
                passages.setdefault(numbers[paper_id], []).append(passage)
        return replace(
            draft,
            text=cited_text(sentences),
            citations=build_citations(hits, passages),
            sentences=tuple(sentences),
            dropped=0,
        )

    def _most_stated(self) -> list[_Statement]:
        """Return the statements that may be kept: of those with as many votes, those that stand alone first."""
        ranked = sorted(self._statements, key=lambda statement: (-statement.votes, statement.before is not None))
        return ranked[: self._longest]

    def _statement(self, sentence: Sentence, passages: Mapping[int, Passage], review: Review) -> _Statement:
        papers = {citation.number: citation.paper for citation in review.citations}
        hits = tuple(self._hits[papers[number].id] for number in sentence.citations)
        return _Statement(sentence, hits, {papers[number].id: passage for number, passage in passages.items()})

    def _add(self, statement: _Statement) -> None:
        for position, known in enumerate(self._statements):
            if known.repeats(statement.sentence):
                self._statements[position] = self._merged(known, statement)
                return
        self._statements.append(statement)

    def _merged(self, known: _Statement, repeat: _Statement) -> _Statement:
        """Return the known statement with a vote more, and the papers of its repeat that support its wording too."""
        new = [hit for hit in repeat.hits if hit not in known.hits and self._supports(hit, known.sentence)]
        passages = {hit.paper.id: repeat.passages[hit.paper.id] for hit in new if hit.paper.id in repeat.passages}
        return replace(known, hits=(*known.hits, *new), passages={**known.passages, **passages}, votes=known.votes + 1)

    def _supports(self, hit: Hit, sentence: Sentence) -> bool:
        try:
            return self._model.assess(strip(sentence.text), hit.paper).supported
        except ModelError:  # the sentence stands with the papers that it has
            return False

    def _position(self, statement: _Statement) -> tuple[int, int]:
        """Return where a statement belongs: the rank of its best paper, and the offset of the passage there."""
        ranks = {hit.paper.id: self._ranks.get(hit.paper.id, len(self._ranks)) for hit in statement.hits}
        best = min(ranks, key=ranks.__getitem__)
        passage = statement.passages.get(best)
        return ranks[best], passage.start if passage else 0


def _understandable(statements: Sequence[_Statement]) -> list[_Statement]:
    """Return the statements without those that lean on a sentence which does not precede them; all if none is left."""
    kept: list[_Statement] = []
    for statement in statements:
        if statement.before is None or (kept and kept[-1].repeats(statement.before)):
            kept.append(statement)
    return kept or list(statements)


def _numbered(statement: _Statement, numbers: Mapping[str, int]) -> Sentence:
    """Return the sentence of a statement with the numbers of its papers in the answer, in its text too."""
    cites = tuple(dict.fromkeys(numbers[hit.paper.id] for hit in statement.hits))
    before = statement.sentence.citations
    text = renumber(statement.sentence.text, dict(zip(before, cites, strict=False)))
    return replace(statement.sentence, text=text, citations=cites)


def _is_denial(sentence: Sentence) -> bool:
    is_remark = sentence.verdict is Verdict.REMARK and not sentence.citations
    return is_remark and remarks.kind(sentence.text) is SentenceKind.DENIAL


def _words(sentence: Sentence) -> set[str]:
    return set(re.findall(r"\w+", strip(sentence.text).casefold()))


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)
