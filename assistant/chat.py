"""The main path: from a question to a cited answer, or to an abstention that says why."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant import abstain, citations, evidence, extractive, prompts, verify
from assistant.alignment import Alignment, align
from assistant.errors import ModelError
from assistant.ports import LLM, Reranker
from assistant.query import understand
from assistant.retrieve import Ranking, retrieve
from assistant.schema import (
    Answer,
    Citation,
    Evidence,
    Judgement,
    Paper,
    Passage,
    Query,
    SearchResult,
    Strength,
    Turn,
)
from assistant.timing import milliseconds

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.settings import Settings

# Papers named in an abstention, and abstracts shown to a language model.
_NEAREST = 3
_SHOWN = 6


class Assistant:
    """Answers questions from a library; with `llm` None it quotes. Safe to call from several threads."""

    def __init__(
        self, library: Library, settings: Settings, llm: LLM | None = None, reranker: Reranker | None = None
    ) -> None:
        self.library, self.settings, self.llm, self.reranker = library, settings, llm, reranker

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The whole answer. Raises InputError for an endless question, ModelError where the model fails."""
        *_, last = self.stream(question, history)
        return last

    def search(self, question: str, history: Sequence[Turn] = ()) -> SearchResult:
        """The papers that bear on the question, with their passages, best first. Raises InputError."""
        return self._search(understand(question, history, self.settings.question_limit))

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Answer]:
        """Snapshots of the answer, each longer than the one before; the last is done. Raises as `ask` does."""
        started = time.perf_counter()
        query = understand(question, history, self.settings.question_limit)
        found = self._search(query)
        aligned = align(query, found.hits, self.library.embedder, self.library.lexicon)
        judgement = self._judge(query, aligned)
        draft = self._draft(query, found, judgement, milliseconds(started))
        timings = dict(draft.timings)
        for answer in self._snapshots(draft, query, aligned, history):
            timings.setdefault("first_text_ms", milliseconds(started))
            yield replace(answer, timings=timings | {"total_ms": milliseconds(started)})

    def _search(self, query: Query) -> SearchResult:
        found = retrieve(query, self.library, _ranking(self.settings), self.reranker)
        return replace(found, hits=evidence.with_passages(query, found.hits, self.library.lexicon))

    def _judge(self, query: Query, aligned: Sequence[Alignment]) -> Judgement:
        settings = self.settings
        return abstain.judge(query, aligned, self.library.lexicon, settings.firm_from, settings.tentative_from)

    def _draft(self, query: Query, found: SearchResult, judgement: Judgement, retrieve_ms: float) -> Answer:
        """The answer as far as it is known before its text."""
        return Answer(
            question=query.text,
            standalone=query.standalone,
            strength=judgement.strength,
            confidence=judgement.confidence,
            text=judgement.reply or "",
            reason=judgement.reason,
            hits=found.hits,
            model=self.llm.name if self.llm else extractive.NAME,
            recipe=self.library.recipe,
            timings={"retrieve_ms": retrieve_ms},
            done=False,
        )

    def _snapshots(
        self, draft: Answer, query: Query, aligned: Sequence[Alignment], history: Sequence[Turn]
    ) -> Iterator[Answer]:
        if not draft.answered:
            yield _abstention(draft)
        elif self.llm is None:
            found = evidence.select(query, aligned)
            yield from _quoted(draft, extractive.compose(query, found, self.settings.statements))
        else:
            yield from self._written(draft, self.llm, query, history)

    def _written(self, draft: Answer, llm: LLM, query: Query, history: Sequence[Turn]) -> Iterator[Answer]:
        """A language model's answer; its citations are resolved in every snapshot, verified in the last."""
        shown = draft.hits[:_SHOWN]
        text = ""
        for piece in llm.stream(prompts.answer(query, shown, history)):
            text += piece
            yield _cited(draft, citations.resolve(citations.settled(text), shown))
        resolved = citations.resolve(text, shown)
        checked = verify.check(resolved.text, resolved.hits, self.library.lexicon)
        if not checked:
            raise ModelError(f"the language model {llm.name} returned no statement")
        cited = _cited(draft, resolved, [passages for _, passages in checked])
        yield replace(cited, sentences=tuple(sentence for sentence, _ in checked), done=True)


def _ranking(settings: Settings) -> Ranking:
    return Ranking(
        papers=settings.papers,
        candidates=settings.candidates,
        dense_weight=settings.dense_weight,
        reranked=settings.reranked,
        rerank_weight=settings.rerank_weight,
    )


def _quoted(draft: Answer, chosen: Sequence[Evidence]) -> Iterator[Answer]:
    """Snapshots that grow by a statement."""
    if not chosen:
        yield _abstention(replace(draft, strength=Strength.NONE, reason="no sentence found can be quoted"))
        return
    sentences = extractive.statements(chosen)
    for count in range(1, len(sentences) + 1):
        yield replace(
            draft,
            text=extractive.text(sentences[:count]),
            sentences=tuple(sentences[:count]),
            citations=_quotations(chosen[:count]),
            done=count == len(sentences),
        )


def _quotations(chosen: Sequence[Evidence]) -> tuple[Citation, ...]:
    papers: dict[str, tuple[Paper, list[Passage]]] = {}
    for each in chosen:
        papers.setdefault(each.hit.paper.id, (each.hit.paper, []))[1].append(each.passage)
    return tuple(
        Citation(number, paper, tuple(passages)) for number, (paper, passages) in enumerate(papers.values(), start=1)
    )


def _cited(draft: Answer, resolved: citations.Resolved, behind: Sequence[Mapping[int, Passage]] = ()) -> Answer:
    """A model's text with what its numbers stand for; `behind` has the passages of each sentence, by number."""
    found = tuple(
        Citation(number, hit.paper, tuple(dict.fromkeys(each[number] for each in behind if number in each)))
        for number, hit in enumerate(resolved.hits, start=1)
    )
    return replace(draft, text=resolved.text, citations=found)


def _abstention(draft: Answer) -> Answer:
    """Says why there is no answer and names the nearest papers; a reply to what is no question stands as it is."""
    if draft.text:
        return replace(draft, done=True)
    nearest = tuple(hit.paper for hit in draft.hits[:_NEAREST])
    text = f"The library does not answer this: {draft.reason}."
    return replace(draft, text=text, nearest=nearest, done=True)
