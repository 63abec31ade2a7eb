"""The main path: from a question to a cited answer, or to an abstention that says why."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant import citations
from assistant.answering import answerability, digest, evidence, prompts
from assistant.answering.generative import Rules, written
from assistant.errors import InputError, ModelError
from assistant.protocols import LLM, Entailment, Reranker
from assistant.question.filters import unmatched
from assistant.question.understand import tidy, understand
from assistant.retrieval.alignment import Alignment, align
from assistant.retrieval.search import Ranking, retrieve
from assistant.schema import (
    EVERYTHING,
    Answer,
    Citation,
    Decision,
    Evidence,
    Message,
    Paper,
    Passage,
    Query,
    Scope,
    SearchResult,
    Strength,
    Turn,
    Verification,
)
from assistant.timing import milliseconds
from assistant.verification import verify
from assistant.verification.support import SupportModel

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.storage.library import Library

# Abstracts shown to a language model.
_SHOWN = 6
# Characters of a question that a language model rewrites; whatever is longer is no question.
_LONGEST_REWRITE = 400
# Papers that a claim is compared with, and the longest abstract that is handed in for it, in characters.
_COMPARED = 5
_LONGEST_ABSTRACT = 50_000


class Assistant:
    """Answers questions from a library; with `llm` None it quotes, with `entailment` None it checks claims by its own
    signs alone. Safe to call from several threads.
    """

    def __init__(
        self,
        library: Library,
        settings: Settings,
        llm: LLM | None = None,
        reranker: Reranker | None = None,
        entailment: Entailment | None = None,
    ) -> None:
        self.library, self.settings = library, settings
        self.llm, self.reranker, self.entailment = llm, reranker, entailment
        self.prompts = prompts.load(settings.prompts)

    def ask(self, question: str, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> Answer:
        """The whole answer, from the papers of the scope.

        Raises InputError for an endless question and for a filter that does not exist, NotFoundError for a scope with
        an unknown id. Where the language model fails the answer is made without it, and says so.
        """
        *_, last = self.stream(question, history, scope)
        return last

    def search(self, question: str, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> SearchResult:
        """The papers that bear on the question, with their passages, best first. Raises as `ask` does."""
        return self._search(self._understand(question, history, scope))

    def stream(self, question: str, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> Iterator[Answer]:
        """Snapshots of the answer, each longer than the one before; the last is done. Raises as `ask` does."""
        started = time.perf_counter()
        query = self._understand(question, history, scope)
        talk = answerability.small_talk(query)
        found = SearchResult(query, ()) if talk else self._search(query)
        aligned = align(found.asked, found.hits, self.library.words, self.library.lexicon)
        judgement = talk or self._judge(query, found, aligned)
        draft = self._draft(query, found, judgement, milliseconds(started))
        timings = dict(draft.timings)
        for answer in self._snapshots(draft, query, aligned, history):
            if answer.text:
                timings.setdefault("first_text_ms", milliseconds(started))
            yield replace(answer, timings=timings | {"total_ms": milliseconds(started)})

    def whole(self, scope: Scope) -> Scope:
        """The scope with the whole present id of each paper, of which it may have the beginning or an old one.

        Raises NotFoundError.
        """
        find = self.library.catalog.papers.find
        return Scope(*(tuple(find(each).id for each in ids) for ids in (scope.pinned, scope.excluded)))

    def _understand(self, question: str, history: Sequence[Turn], scope: Scope) -> Query:
        is_author = self.library.catalog.papers.has_author
        query = understand(question, history, self.settings.max_question_length, self.whole(scope), is_author)
        if self.llm and self.settings.rewrite and query.is_follow_up and not answerability.small_talk(query):
            return replace(query, standalone=_rewritten(query, self.llm, self.prompts.standalone(query, history)))
        return query

    def verify(self, claim: str, paper_id: str | None = None, abstract: str | None = None) -> Verification:
        """Whether a paper supports the claim: that of the id, the one whose abstract is given, or any of the library.

        Raises InputError for an endless claim or abstract, or where both are given; NotFoundError for an unknown id;
        ModelError where a model fails.
        """
        if abstract is not None:
            if paper_id is not None:
                raise InputError("claim", "give the id of a paper or an abstract, and not both")
            return verify.verify_against_abstract(self._claim(claim), _limited(abstract), self._judge_of_claims())
        text, judge = self._claim(claim), self._judge_of_claims()
        if paper_id is None:
            return verify.verify_against_papers(text, self._bearing_on(text)[:_COMPARED], judge)
        paper = self.library.catalog.papers.find(paper_id)
        return verify.verify_against_paper(text, paper, self.rivals(text, paper), judge)

    def rivals(self, claim: str, paper: Paper) -> list[Paper]:
        """The other papers of the library that are likeliest to say what the claim says of this one, best first."""
        return [each for each in self._bearing_on(claim) if each.id != paper.id][:_COMPARED]

    def _bearing_on(self, claim: str) -> list[Paper]:
        return [hit.paper for hit in self._search(Query(claim, claim)).hits]

    def _claim(self, claim: str) -> str:
        """The claim without the citation markers of an answer that it was taken from."""
        return " ".join(citations.strip(tidy(claim, "claim", self.settings.max_question_length)).split())

    def _judge_of_claims(self) -> SupportModel:
        return SupportModel(self.library.embedder, self.library.lexicon, self.entailment)

    def _search(self, query: Query) -> SearchResult:
        found = retrieve(query, self.library, _ranking(self.settings), self.reranker)
        return replace(found, hits=evidence.with_passages(query, found.hits, self.library.lexicon))

    def _judge(self, query: Query, found: SearchResult, aligned: Sequence[Alignment]) -> Decision:
        settings, lexicon, catalog = self.settings, self.library.lexicon, self.library.catalog
        if not found.hits and (query.filters or query.scope):
            reason = unmatched(
                query.filters, query.scope, catalog.papers.count(), catalog.papers.count_missing(query.filters)
            )
            return Decision(0.0, Strength.NONE, reason)
        return answerability.judge(query, aligned, lexicon, settings.firm_threshold, settings.tentative_threshold)

    def _draft(self, query: Query, found: SearchResult, judgement: Decision, retrieve_ms: float) -> Answer:
        """The answer as far as it is known before its text."""
        return Answer(
            question=query.text,
            standalone=query.standalone,
            filters=query.filters,
            scope=query.scope,
            strength=judgement.strength,
            confidence=judgement.confidence,
            text=judgement.reply or "",
            reason=judgement.reason,
            hits=found.hits,
            searched=found.searched,
            model=self.llm.name if self.llm else digest.NAME,
            prompt=self.prompts.hash if self.llm and judgement.strength is not Strength.NONE else None,
            recipe=self.library.recipe,
            timings={**found.timings, "retrieve_ms": retrieve_ms},
            done=False,
        )

    def _snapshots(
        self, draft: Answer, query: Query, aligned: Sequence[Alignment], history: Sequence[Turn]
    ) -> Iterator[Answer]:
        def quote(draft: Answer) -> Iterator[Answer]:
            found = evidence.select(query, aligned)
            return _quoted(draft, digest.compose(query, found, self.settings.max_sentences))

        if not draft.answered:
            yield _abstention(draft)
        elif self.llm is None:
            yield from quote(draft)
        else:
            prompt = self.prompts.answer(query, draft.hits[:_SHOWN], history, self._budget(self.llm))
            rules = Rules(self._judge_of_claims(), self.settings.verify, self.settings.firm_threshold)
            yield from written(draft, self.llm, prompt, rules, quote)

    def _budget(self, llm: LLM) -> prompts.Budget:
        return prompts.Budget(self.settings.max_prompt_tokens, llm.count_tokens)


def _ranking(settings: Settings) -> Ranking:
    return Ranking(
        papers=settings.top_k,
        candidates=settings.candidates,
        dense_weight=settings.dense_weight,
        reranked=settings.rerank_top_k,
        rerank_weight=settings.rerank_weight,
    )


def _rewritten(query: Query, llm: LLM, messages: Sequence[Message]) -> str:
    """The model's words for the question, if it says something usable; or else the query as the rules made it."""
    try:
        text = " ".join("".join(llm.stream(messages)).split())
    except ModelError:
        return query.standalone
    usable = text.endswith("?") and len(text) <= _LONGEST_REWRITE and not citations.has_marker(text)
    return text if usable else query.standalone


def _quoted(draft: Answer, chosen: Sequence[Evidence]) -> Iterator[Answer]:
    """Snapshots that grow by a statement."""
    if not chosen:
        yield _abstention(replace(draft, strength=Strength.NONE, reason="no sentence found can be quoted"))
        return
    sentences = digest.statements(chosen)
    for count in range(1, len(sentences) + 1):
        yield replace(
            draft,
            text=digest.text(sentences[:count]),
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


def _limited(abstract: str) -> str:
    if len(abstract) > _LONGEST_ABSTRACT:
        limit = f"{len(abstract):,} characters are too many for an abstract (most: {_LONGEST_ABSTRACT:,})"
        raise InputError("abstract", limit)
    return abstract.encode("utf-8", "replace").decode("utf-8")


def _abstention(draft: Answer) -> Answer:
    """Says why there is no answer and names the nearest papers; a reply to what is no question stands as it is."""
    if draft.text:
        return replace(draft, done=True)
    nearest = tuple(hit.paper for hit in draft.hits[: answerability.NEAREST])
    text = f"The library does not answer this: {draft.reason}."
    return replace(draft, text=text, nearest=nearest, done=True)
