"""The main path: from a question to a cited answer, or to an abstention that says why."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from assistant import disagreement
from assistant.answering import answerability
from assistant.answering.answerability import Decision
from assistant.answering.calibration import PACKAGED, Calibration
from assistant.answering.drafting import Origin, draft
from assistant.digest import standalone
from assistant.digest.catalog_answer import answer_from_catalog
from assistant.digest.catalog_papers import CatalogSearch
from assistant.digest.digest import NAME, Digest
from assistant.disagreement.answer import no_side, plan_sides, stream_sides
from assistant.disagreement.sides import PaperSearch, Sides, paper_search
from assistant.generation import prompts, strategies
from assistant.generation.budget import prompt_budget
from assistant.generation.prompts import Prompts
from assistant.generation.rewriting import searchable
from assistant.generation.strategies import Task
from assistant.generation.writer import Writer
from assistant.protocols import LLM, Entailment, MessageReader, PairReader
from assistant.question import catalog_question, intent, terms
from assistant.question.catalog_question import CatalogQuestion
from assistant.question.encoder import QuestionEncoder
from assistant.question.intent import OFF_TOPIC_REPLY, Intent
from assistant.question.spelling import Speller
from assistant.question.understand import last_cited, understand
from assistant.question.user_message import UserMessage
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
from assistant.tables.request import TableRequest, read_request
from assistant.timing import at_once, milliseconds
from assistant.verification.claims import COMPARED, ClaimVerifier
from assistant.verification.support import SUPPORTED_FROM, WRITTEN_SUPPORTED_FROM, SupportModel

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.storage.library import Indexes, Library
    from assistant.tables.filling import TableFiller


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
        message = self._read(question, history, scope)
        found = self.find(self._rewritten(message), message.indexes, message.encoder)
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
        message = self._read(question, history, scope)
        if request := read_request(message.query):
            yield from self._table(request, message)
        elif decision := answerability.decline(message.prediction):
            yield from self._answers(message, self._nearest(message), decision)
        elif of_catalog := catalog_question.read(message.query, message.encoder):
            yield self._from_catalog(of_catalog, message)
        else:
            yield from self._from_abstracts(message)

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
        indexes = self.library.fresh()
        related = partial(self._related, indexes=indexes)
        limit = self.settings.max_question_length
        verifier = ClaimVerifier(self.library.catalog.papers, related, self._support_model(indexes), limit)
        return verifier.verify(claim, paper_id, abstract)

    def sides(self, text: str, scope: Scope = EVERYTHING) -> Sides:
        """Return both sides of a claim, or of a question that is answered by yes or no, from the papers of the scope.

        Raises InputError for a text without a claim, and as `ask` does.
        """
        message = self._read(text, (), scope)
        papers = self._paper_search(message)
        claim = disagreement.read_claim(message.query, message.encoder, papers, self.reader)
        return disagreement.find_sides(claim, papers, self.reader)

    def table_filler(self) -> TableFiller:
        """Return what fills tables; a language model, where there is one, shortens their cells."""
        from assistant.tables.filling import open_filler

        return open_filler(self.library, self.reader, self.llm, self._support_model(self.library.fresh()))

    def similar(self, text: str, paper: Paper) -> list[Paper]:
        """Return the other papers that are likeliest to say what the text says of this one, best first."""
        related = self._related(text, self.library.fresh())
        return [candidate for candidate in related if candidate.id != paper.id][:COMPARED]

    def _read(self, question: str, history: Sequence[Turn], scope: Scope) -> UserMessage:
        """Return a message as it is understood in the conversation."""
        started, encoder, limit = time.perf_counter(), self.question_encoder(), self.settings.max_question_length
        scope, is_author = self.resolve_scope(scope), self.library.catalog.papers.has_author
        query = understand(question, history, limit, scope, is_author, encoder)
        return UserMessage(query, history, scope, self.library.fresh(), encoder, started)

    def _rewritten(self, message: UserMessage) -> Query:
        """Return the query with its misspelt words corrected, and as the language model, if any, words it."""
        speller = Speller(message.indexes.lexicon, self.library.catalog.papers.get, self.library.embedder)
        query = speller.correct(message.query)
        if self.llm is None or intent.predict_message(query, message.encoder).reply:
            return query
        return searchable(query, self.llm, self.prompts, message.history, self.settings.rewrite)

    def _table(self, request: TableRequest, message: UserMessage) -> Iterator[Answer]:
        """Yield snapshots of the table that a message asks for."""
        from assistant.tables.answer import TableAnswers  # a database: not before the first table

        def find(query: Query) -> Found:
            return self._retrieve(replace(message, query=query, history=()))

        tables = TableAnswers(self.library.catalog, self.table_filler(), find, self._decide)
        begun = self._certain_draft(message)
        yield from tables.stream(request, begun, message.history, message.scope, message.started)

    def _from_catalog(self, question: CatalogQuestion, message: UserMessage) -> Answer:
        """Return the answer to a question about papers that the catalog answers."""
        find = partial(self.find, indexes=message.indexes, encoder=message.encoder)
        catalog, cited = self.library.catalog, last_cited(message.history)
        search = CatalogSearch(catalog.papers, message.indexes.lexicon, message.query, cited, find)
        begun = replace(self._certain_draft(message), intent=Intent.METADATA)
        return replace(answer_from_catalog(begun, question, catalog, search), timings=at_once(message.started))

    def _from_abstracts(self, message: UserMessage) -> Iterator[Answer]:
        """Yield snapshots of the answer to a question about research: both sides where it asks for them."""
        sides = self._disputed(message)
        if sides and (plan := plan_sides(sides)).quotations:
            yield from stream_sides(self._certain_draft(message), sides, plan, message.started)
            return
        retrieved = self._retrieve(message)
        decision = self._decide(retrieved)
        decision = decision.in_part(no_side(sides), self.settings.firm_threshold) if sides else decision
        yield from self._answers(message, retrieved, decision)

    def _disputed(self, message: UserMessage) -> Sides | None:
        """Return both sides of what a question asks both sides of; None for any other question."""
        if not (topic := disagreement.disputed(message.query, message.encoder)):
            return None
        papers = self._paper_search(message)
        claim = disagreement.topic_claim(topic, message.encoder, papers, self.reader)
        return disagreement.find_sides(claim, papers, self.reader)

    def _paper_search(self, message: UserMessage) -> PaperSearch:
        """Return the search for papers near a claim, among those that the question allows."""
        return paper_search(message.query, partial(self.find, indexes=message.indexes, encoder=message.encoder))

    def _retrieve(self, message: UserMessage) -> Found:
        """Return the outcome of a search for the question to answer, with the intent of its standalone text."""
        query = self._rewritten(message)
        prediction = intent.predict(query.standalone, message.encoder)

        def find(wanted: Query, top_k: int | None) -> Found:
            return self.find(wanted, message.indexes, message.encoder, top_k)

        return reading.read(gather(query, prediction, find, message.encoder), self.reader)

    def _nearest(self, message: UserMessage) -> Found:
        """Return what is found for a message that is no question about papers: the nearest ones if it has a topic."""
        if message.prediction.reply != OFF_TOPIC_REPLY:
            return Found(message.query, intents=message.prediction)
        found = self.find(message.query, message.indexes, message.encoder, answerability.NEAREST)
        return replace(found, intents=message.prediction)

    def _related(self, claim: str, indexes: Indexes) -> list[Paper]:
        return [hit.paper for hit in self.find(Query(claim, claim), indexes).hits]

    def _support_model(self, indexes: Indexes, supported_from: float = SUPPORTED_FROM) -> SupportModel:
        return SupportModel(self.reader, indexes.lexicon, self.entailment, supported_from)

    def _decide(self, retrieved: Found) -> Decision:
        thresholds = answerability.Thresholds(self.settings.firm_threshold, self.settings.tentative_threshold)
        return answerability.decide(retrieved, self.library.catalog, thresholds, self.calibration)

    def _certain_draft(self, message: UserMessage) -> Answer:
        """Return the draft of an answer that no search can make more certain."""
        return self._draft(Found(message.query, intents=message.prediction), Decision(1.0, Strength.FIRM), 0.0)

    def _draft(self, found: Found, decision: Decision, retrieve_ms: float) -> Answer:
        prompt = self.prompts.hash if self.llm and decision.strength is not Strength.NONE else None
        origin = Origin(self.llm.name if self.llm else NAME, prompt, self.library.recipe)
        return draft(found, decision, origin, self.settings.top_k, retrieve_ms)

    def _answers(self, message: UserMessage, found: Found, decision: Decision) -> Iterator[Answer]:
        """Yield the snapshots of an answer from what was found, each with its timings."""
        begun = self._draft(found, decision, milliseconds(message.started))
        timings = dict(begun.timings)
        for answer in self._written(begun, found, message) if begun.answered else [answerability.abstain(begun)]:
            if answer.text:
                timings.setdefault("first_text_ms", milliseconds(message.started))
            yield replace(answer, timings=timings | {"total_ms": milliseconds(message.started)})

    def _written(self, begun: Answer, found: Found, message: UserMessage) -> Iterator[Answer]:
        """Yield snapshots of the text: that of the language model, or quotations where there is none or it fails."""
        written = begun
        if self.llm:
            model = self._support_model(message.indexes, WRITTEN_SUPPORTED_FROM)
            task = Task(begun, found, message.history, model, self.calibration, standalone.leans)
            for written in strategies.stream_answer(Writer(self.llm, self.prompts, self.settings), task):
                if not written.withdrawn:
                    yield written
        if written.withdrawn or not self.llm:
            digest = Digest(self.reader, self.settings.max_sentences, self.calibration)
            yield from digest.stream(written, found, message.encoder)
