"""Write drafts of an answer with a language model, and review them: the model's own text stands, or is withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant import citations
from assistant.answering import answerability
from assistant.errors import ModelError
from assistant.generation.budget import Budget, prompt_budget
from assistant.generation.prompts import Prompt, Prompts
from assistant.generation.replies import StreamedReply
from assistant.generation.shown import select_shown
from assistant.protocols import LLM
from assistant.schema import Answer, Hit, Query, Turn, Verdict, Withdrawn
from assistant.verification.review import STRICT, Review, review
from assistant.verification.support import SupportModel

if TYPE_CHECKING:
    from assistant.settings import Settings


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply that was written from the hits shown, its review, and the answer that it leaves.

    The answer is done, or not done and withdrawn. `review` is None where the model failed.
    """

    reply: StreamedReply
    shown: tuple[Hit, ...]
    answer: Answer
    review: Review | None = None

    @property
    def stands(self) -> bool:
        """Return whether the model's own text answers."""
        return self.answer.done and self.answer.answered

    @property
    def declines(self) -> bool:
        """Return whether the model says that the abstracts do not answer."""
        return self.answer.done and not self.answer.answered

    @property
    def doubt(self) -> float:
        """Return the share of statements that no abstract supports, 0..1; more where the text does not stand."""
        if not self.stands:
            return 1.0 if self.declines else 2.0
        stated = [sentence for sentence in self.answer.sentences if sentence.verdict is not Verdict.REMARK]
        return sum(sentence.verdict.is_doubtful for sentence in stated) / max(1, len(stated))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes drafts of an answer with a language model."""

    llm: LLM
    prompts: Prompts
    settings: Settings

    @property
    def budget(self) -> Budget:
        """Return the most tokens that a prompt may have."""
        return prompt_budget(self.settings, self.llm)

    def prompt(self, draft: Answer, query: Query, history: Sequence[Turn], share: float = 1.0) -> Prompt:
        """Return the prompt of an answer from the best hits of the draft, in a share of the budget.

        Raises SettingsError where it has no room for an abstract.
        """
        budget = replace(self.budget, tokens=int(share * self.budget.tokens))
        shown = select_shown(draft.hits, draft.intent)
        return self.prompts.answer(query, shown, history, budget, draft.intent)

    def snapshot(self, draft: Answer, reply: StreamedReply, shown: Sequence[Hit]) -> Answer:
        """Return the draft with what the model has written so far, which is nothing where it has to be verified."""
        if self.settings.verify == STRICT:
            return draft
        resolved = citations.resolve(citations.settled(reply.text), shown)
        cited = citations.build_citations(resolved.hits)
        return replace(draft, text=resolved.text, citations=cited, dropped=resolved.dropped)

    def reviewed(
        self, draft: Answer, reply: StreamedReply, shown: tuple[Hit, ...], model: SupportModel, mode: str
    ) -> Draft:
        """Return the finished reply with its review, in a mode of the setting `verify`."""
        if reply.error:
            return Draft(reply, shown, _withdrawn(draft, reply.text, reply.error, failed=True))
        try:
            outcome = review(reply.text, shown, model, mode)
        except ModelError as error:
            return Draft(reply, shown, _withdrawn(draft, reply.text, str(error), failed=True))
        answer = self._concluded(replace(draft, cut=reply.is_cut), reply.text, outcome)
        return Draft(reply, shown, answer, outcome)

    def _concluded(self, draft: Answer, text: str, outcome: Review) -> Answer:
        """Return the answer that a review leaves: the model's own, its refusal, or nothing of it."""
        if not outcome.sentences:
            reason = f"the language model {draft.model} returned no statement"
            return _withdrawn(replace(draft, cut=False), text, reason, failed=True)
        answer = replace(
            draft,
            text=outcome.text,
            citations=outcome.citations,
            sentences=outcome.sentences,
            dropped=outcome.dropped,
        )
        if outcome.is_supported:
            return replace(answerability.weigh_sentences(answer, self.settings.firm_threshold), done=True)
        if outcome.denies_answer:
            return answerability.abstain_as_model(answer)
        reason = f"no abstract supports what the language model {draft.model} wrote"
        return _withdrawn(draft, text, reason, failed=False)


def _withdrawn(draft: Answer, text: str, reason: str, *, failed: bool) -> Answer:
    return replace(draft, withdrawn=Withdrawn(text, reason, failed))
