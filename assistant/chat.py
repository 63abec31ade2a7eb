"""The main path: from a question to a cited answer, or to an abstention that says why."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from assistant import citations, disagreement
from assistant.answering import answerability
from assistant.answering.answerability import Decision
from assistant.answering.calibration import PACKAGED, Calibration
from assistant.digest import standalone
from assistant.digest.catalog_answer import answer_from_catalog
from assistant.digest.catalog_papers import CatalogSearch
from assistant.digest.digest import NAME, Digest
from assistant.disagreement.answer import no_side, plan_sides, stream_sides
from assistant.disagreement.sides import PaperSearch, Sides, paper_search
from assistant.errors import InputError
from assistant.generation import prompts, strategies
from assistant.generation.budget import prompt_budget
from assistant.generation.prompts import Prompts
from assistant.generation.rewriting import in_english, standing_alone
from assistant.generation.strategies import Task
from assistant.generation.writer import Writer
from assistant.protocols import LLM, Entailment, MessageReader, PairReader
from assistant.question import catalog_question, intent, terms
from assistant.question.catalog_question import CatalogQuestion
from assistant.question.encoder import QuestionEncoder
from assistant.question.intent import OFF_TOPIC_REPLY, Intent, IntentPrediction
from assistant.question.spelling import Speller
from assistant.question.understand import last_cited, normalize_input, understand
from assistant.retrieval import reading
from assistant.retrieval.gathering import gather
from assistant.retrieval.reranking import Reranker
from assistant.retrieval.search import Found, Ranking, search
from assistant.schema import (
    EVERYTHING,
    Answer,
    Paper,
    Query,
    Scope,
    SearchResult,
    Strength,
    Turn,
    Verification,
)
from assistant.tables.request import read_request
from assistant.timing import milliseconds
from assistant.verification import verify
from assistant.verification.support import SUPPORTED_FROM, WRITTEN_SUPPORTED_FROM, SupportModel

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.storage.library import Indexes, Library
    from assistant.tables.filling import TableFiller

# Papers that a claim is compared with.
_COMPARED = 5


class Assistant:
    """Answers questions from a library. Safe to call from several threads.

    `reader` judges which papers answer a question and support a claim. Without `llm` it quotes, without `reranker` it
    ranks by the fused scores alone; with `entailment` another model has a say in the verification of claims.
    """

    def __init__(
        self,
        library: Library,
        settings: Settings,
        reader: PairReader,
        llm: LLM | None = None,
        reranker: Reranker | None = None,
        entailment: Entailment | None = None,
        calibration: Calibration = PACKAGED,
        messages: MessageReader | None = None,
    ) -> None:
        self.library, self.settings, self.reader = library, settings, reader
        self.llm, self.reranker, self.entailment, self.calibration = llm, reranker, entailment, calibration
        self.messages = messages
        self.prompt_sets = prompts.load(settings.prompts)

    def ask(self, question: str, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> Answer:
        """Return the whole answer, from the papers of the scope.

        Raises InputError for a question that is too long and for an unknown filter, NotFoundError for a scope with an
        unknown id. Where the language model fails, the answer is made without it and says so.
        """
        *_, last = self.stream(question, history, scope)
        return last

    async def aask(self, question: str, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> Answer:
        """Return the whole answer, as `ask` does, while the event loop goes on."""
        return await asyncio.to_thread(self.ask, question, history, scope)

    @property
    def prompts(self) -> Prompts:
        """Return the prompts for the language model, of the set that suits its context window."""
        tokens = prompt_budget(self.settings, self.llm).tokens if self.llm else self.settings.max_prompt_tokens
        return self.prompt_sets.choose(self.settings.templates, tokens)

    def search(self, question: str, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> SearchResult:
        """Return the papers that bear on the question, with their passages, best first. Raises as `ask` does."""
        encoder = self.question_encoder()
        query = self._understand(question, history, scope, encoder)
        indexes = self.library.fresh()
        found = self.find(self._rewritten(query, history, indexes, encoder), indexes, encoder)
        return reading.read(found, self.reader).result()

    def configured(self, settings: Settings, llm: LLM | None) -> Assistant:
        """Return an assistant with other settings and another language model, which shares everything else."""
        shared = (self.reranker, self.entailment, self.calibration, self.messages)
        return Assistant(self.library, settings, self.reader, llm, *shared)

    def question_encoder(self) -> QuestionEncoder:
        """Return what encodes and classifies the texts of one question."""
        return QuestionEncoder(self.library.embedder, self.settings.shared, self.messages)

    def find(
        self, query: Query, indexes: Indexes, encoder: QuestionEncoder | None = None, top_k: int | None = None
    ) -> Found:
        """Return the outcome of a search, with what later stages need. Raises LibraryError and ModelError.

        `encoder` has the texts that are encoded already; `top_k` is the number of hits, by default that of the
        settings.
        """
        encoder = encoder or self.question_encoder()
        analyzed = terms.analyze(query.standalone, indexes.lexicon)
        ranking = Ranking.of(self.settings, top_k)
        return search(query, analyzed, self.library, indexes, ranking, self.reranker, encoder)

    def stream(self, question: str, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> Iterator[Answer]:
        """Yield snapshots of the answer, each longer than the one before; the last is done. Raises as `ask` does."""
        started = time.perf_counter()
        indexes, encoder = self.library.fresh(), self.question_encoder()
        query = self._understand(question, history, scope, encoder)
        prediction = intent.predict_message(query, encoder)
        if request := read_request(query):
            from assistant.tables.answer import TableAnswers  # a database: not before the first table

            draft = self._draft(Found(query, intents=prediction), Decision(1.0, Strength.FIRM), 0.0)
            find = partial(self._retrieve, history=(), indexes=indexes, encoder=encoder)
            tables = TableAnswers(self.library.catalog, self.table_filler(), find, self._decide)
            yield from tables.stream(request, draft, history, self.resolve_scope(scope), started)
            return
        decision = answerability.decline(prediction)
        if not decision and (asked := catalog_question.read(query, encoder)):
            draft = self._draft(Found(query, intents=prediction), Decision(1.0, Strength.FIRM), 0.0)
            find = partial(self.find, indexes=indexes, encoder=encoder)
            catalog = CatalogSearch(self.library.catalog.papers, indexes.lexicon, query, last_cited(history), find)
            yield self._from_catalog(asked, draft, catalog, started)
            return
        sides = None if decision else self._disputed(query, indexes, encoder)
        if sides and (plan := plan_sides(sides)).quotations:
            draft = self._draft(Found(query, intents=prediction), Decision(1.0, Strength.FIRM), 0.0)
            yield from stream_sides(draft, sides, plan, started)
            return
        if decision:
            retrieved = self._declined(query, prediction, indexes, encoder)
        else:
            retrieved = self._retrieve(query, history, indexes, encoder)
            decision = self._decide(retrieved)
            decision = decision.in_part(no_side(sides), self.settings.firm_threshold) if sides else decision
        draft = self._draft(retrieved, decision, milliseconds(started))
        timings = dict(draft.timings)
        for answer in self._answers(draft, retrieved, history, indexes, encoder):
            if answer.text:
                timings.setdefault("first_text_ms", milliseconds(started))
            yield replace(answer, timings=timings | {"total_ms": milliseconds(started)})

    def resolve_scope(self, scope: Scope) -> Scope:
        """Return the scope with the full present id of each paper, for which it may have a prefix or an old id.

        Raises NotFoundError for an unknown paper or collection.
        """
        return self.library.catalog.resolve_scope(scope)

    def verify(self, claim: str, paper_id: str | None = None, abstract: str | None = None) -> Verification:
        """Return whether a paper supports the claim: the one of the id, the abstract given, or any of the library.

        Raises InputError for a claim or abstract that is too long, or where both are given; NotFoundError for an
        unknown id; ModelError where a model fails.
        """
        if abstract is not None and paper_id is not None:
            raise InputError("claim", "give the id of a paper or an abstract, and not both")
        text, indexes = self._claim(claim), self.library.fresh()
        model = self._support_model(indexes)
        if abstract is not None:
            return verify.verify_against_abstract(text, abstract, model)
        if paper_id is None:
            return verify.verify_against_papers(text, self._related(text, indexes)[:_COMPARED], model)
        paper = self.library.catalog.papers.find(paper_id)
        return verify.verify_against_paper(text, paper, model)

    def sides(self, text: str, scope: Scope = EVERYTHING) -> Sides:
        """Return both sides of a claim, or of a question that is answered by yes or no, from the papers of the scope.

        Raises InputError for a text without a claim, and as `ask` does.
        """
        indexes, encoder = self.library.fresh(), self.question_encoder()
        query = self._understand(text, (), scope, encoder)
        papers = self._paper_search(query, indexes, encoder)
        claim = disagreement.read_claim(query, encoder, papers, self.reader)
        return disagreement.find_sides(claim, papers, self.reader)

    def table_filler(self) -> TableFiller:
        """Return what fills tables; a language model, where there is one, shortens their cells."""
        from assistant.tables.filling import open_filler

        return open_filler(self.library, self.reader, self.llm, self._support_model(self.library.fresh()))

    def similar(self, text: str, paper: Paper) -> list[Paper]:
        """Return the other papers that are likeliest to say what the text says of this one, best first."""
        related = self._related(text, self.library.fresh())
        return [candidate for candidate in related if candidate.id != paper.id][:_COMPARED]

    def _disputed(self, query: Query, indexes: Indexes, encoder: QuestionEncoder) -> Sides | None:
        """Return both sides of what a question asks both sides of; None for any other question."""
        if not (topic := disagreement.disputed(query, encoder)):
            return None
        papers = self._paper_search(query, indexes, encoder)
        claim = disagreement.topic_claim(topic, encoder, papers, self.reader)
        return disagreement.find_sides(claim, papers, self.reader)

    def _paper_search(self, query: Query, indexes: Indexes, encoder: QuestionEncoder) -> PaperSearch:
        """Return the search for papers near a claim, among those that the query allows."""
        return paper_search(query, partial(self.find, indexes=indexes, encoder=encoder))

    def _retrieve(self, query: Query, history: Sequence[Turn], indexes: Indexes, encoder: QuestionEncoder) -> Found:
        """Return the outcome of a search for the question to answer, with the intent of its standalone text."""
        query = self._rewritten(query, history, indexes, encoder)
        prediction = intent.predict(query.standalone, encoder)
        found = gather(query, prediction, lambda wanted, top_k: self.find(wanted, indexes, encoder, top_k), encoder)
        return reading.read(found, self.reader)

    def _declined(
        self, query: Query, prediction: IntentPrediction, indexes: Indexes, encoder: QuestionEncoder
    ) -> Found:
        """Return what is found for a message that is no question about papers: the nearest ones if it has a topic."""
        if prediction.reply != OFF_TOPIC_REPLY:
            return Found(query, intents=prediction)
        return replace(self.find(query, indexes, encoder, answerability.NEAREST), intents=prediction)

    def _understand(self, question: str, history: Sequence[Turn], scope: Scope, encoder: QuestionEncoder) -> Query:
        limit, is_author = self.settings.max_question_length, self.library.catalog.papers.has_author
        return understand(question, history, limit, self.resolve_scope(scope), is_author, encoder)

    def _rewritten(self, query: Query, history: Sequence[Turn], indexes: Indexes, encoder: QuestionEncoder) -> Query:
        """Return the query with its misspelt words corrected, and as the language model words it where that is wanted.

        It rewrites follow-ups if the settings say so, and translates what is not in English, as the abstracts are.
        """
        query = Speller(indexes.lexicon, self.library.catalog.papers.get, self.library.embedder).correct(query)
        if self.llm is None or intent.predict_message(query, encoder).reply:
            return query
        if self.settings.rewrite and query.is_follow_up:
            query = standing_alone(query, self.llm, self.prompts, history)
        return in_english(query, self.llm, self.prompts)

    def _related(self, claim: str, indexes: Indexes) -> list[Paper]:
        return [hit.paper for hit in self.find(Query(claim, claim), indexes).hits]

    def _claim(self, claim: str) -> str:
        """Return the claim without the citation markers of an answer that it was taken from."""
        return " ".join(citations.strip(normalize_input(claim, "claim", self.settings.max_question_length)).split())

    def _support_model(self, indexes: Indexes, supported_from: float = SUPPORTED_FROM) -> SupportModel:
        return SupportModel(self.reader, indexes.lexicon, self.entailment, supported_from)

    def _decide(self, retrieved: Found) -> Decision:
        thresholds = answerability.Thresholds(self.settings.firm_threshold, self.settings.tentative_threshold)
        return answerability.decide(retrieved, self.library.catalog, thresholds, self.calibration)

    def _draft(self, retrieved: Found, decision: Decision, retrieve_ms: float) -> Answer:
        """Return what is known of the answer before its text."""
        query = retrieved.query
        return Answer(
            question=query.text,
            standalone=query.standalone,
            filters=query.filters,
            scope=query.scope,
            read_as=query.read_as,
            strength=decision.strength,
            confidence=decision.confidence,
            text=decision.reply or "",
            reason=decision.reason,
            hits=retrieved.hits[: self.settings.top_k],
            searched=retrieved.searched,
            model=self.llm.name if self.llm else NAME,
            prompt=self.prompts.hash if self.llm and decision.strength is not Strength.NONE else None,
            recipe=self.library.recipe,
            intent=retrieved.intents.intent if decision.reply else retrieved.intents.asks_for,
            timings={**retrieved.timings, "retrieve_ms": retrieve_ms},
            done=False,
        )

    def _from_catalog(self, asked: CatalogQuestion, draft: Answer, search: CatalogSearch, started: float) -> Answer:
        """Return the answer to a question about papers that the catalog answers."""
        answer = answer_from_catalog(replace(draft, intent=Intent.METADATA), asked, self.library.catalog, search)
        elapsed = milliseconds(started)
        return replace(answer, timings={"retrieve_ms": elapsed, "first_text_ms": elapsed, "total_ms": elapsed})

    def _answers(
        self,
        draft: Answer,
        retrieved: Found,
        history: Sequence[Turn],
        indexes: Indexes,
        encoder: QuestionEncoder,
    ) -> Iterator[Answer]:
        if not draft.answered:
            yield answerability.abstain(draft)
            return
        written = draft
        if self.llm:
            model = self._support_model(indexes, WRITTEN_SUPPORTED_FROM)
            task = Task(draft, retrieved, history, model, self.calibration, standalone.leans)
            for written in strategies.stream_answer(Writer(self.llm, self.prompts, self.settings), task):
                if not written.withdrawn:
                    yield written
        if written.withdrawn or not self.llm:
            digest = Digest(self.reader, self.settings.max_sentences, self.calibration)
            yield from digest.stream(written, retrieved, encoder)
