"""Write an answer with a language model, and review it: it stands, it is the model's refusal, or it is withdrawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant import citations
from assistant.answering import answerability
from assistant.errors import ModelError
from assistant.generation.budget import prompt_budget
from assistant.generation.echoes import without_echoes
from assistant.generation.prompts import Prompts
from assistant.generation.replies import StreamedReply, stream_reply
from assistant.generation.shown import select_shown
from assistant.protocols import LLM
from assistant.schema import Answer, Hit, Query, Turn, Withdrawn
from assistant.verification.review import STRICT, Review, review
from assistant.verification.support import SupportModel

if TYPE_CHECKING:
    from assistant.settings import Settings


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes answers with a language model."""

    llm: LLM
    prompts: Prompts
    settings: Settings

    def stream(self, draft: Answer, query: Query, history: Sequence[Turn], model: SupportModel) -> Iterator[Answer]:
        """Yield the model's answer as it grows, and last its review: done, or not done and withdrawn.

        Raises SettingsError where the prompt has no room for an abstract.
        """
        shown, budget = select_shown(draft.hits, draft.intent), prompt_budget(self.settings, self.llm)
        prompt = self.prompts.answer(query, shown, history, budget, draft.intent)
        reply = StreamedReply()
        for streamed in stream_reply(self.llm, prompt.messages):
            text = without_echoes(streamed.text, prompt.example, is_whole=streamed.done)
            reply = replace(streamed, text=text)
            if not reply.done:
                yield draft if self.settings.verify == STRICT else _growing(draft, reply, prompt.hits)
        yield self._reviewed(draft, reply, prompt.hits, model)

    def _reviewed(self, draft: Answer, reply: StreamedReply, shown: Sequence[Hit], model: SupportModel) -> Answer:
        """Return the finished answer of a model; or the draft, with what is withdrawn, where it must not stand."""
        if reply.error:
            return _withdrawn(draft, reply.text, reply.error, failed=True)
        try:
            reviewed = review(reply.text, shown, model, self.settings.verify)
        except ModelError as error:
            return _withdrawn(draft, reply.text, str(error), failed=True)
        return _concluded(replace(draft, cut=reply.is_cut), reply.text, reviewed, self.settings.firm_threshold)


def _growing(draft: Answer, reply: StreamedReply, shown: Sequence[Hit]) -> Answer:
    """Return the draft with what the model has written so far."""
    resolved = citations.resolve(citations.settled(reply.text), shown)
    cited = citations.build_citations(resolved.hits)
    return replace(draft, text=resolved.text, citations=cited, dropped=resolved.dropped)


def _concluded(draft: Answer, text: str, reviewed: Review, firm_threshold: float) -> Answer:
    """Return the answer that a review leaves: the model's own, its refusal, or nothing of it."""
    if not reviewed.sentences:
        reason = f"the language model {draft.model} returned no statement"
        return _withdrawn(replace(draft, cut=False), text, reason, failed=True)
    answer = replace(
        draft,
        text=reviewed.text,
        citations=reviewed.citations,
        sentences=reviewed.sentences,
        dropped=reviewed.dropped,
    )
    if reviewed.is_supported:
        return replace(answerability.weigh_sentences(answer, firm_threshold), done=True)
    if reviewed.denies_answer:
        return answerability.abstain_as_model(answer)
    reason = f"no abstract supports what the language model {draft.model} wrote"
    return _withdrawn(draft, text, reason, failed=False)


def _withdrawn(draft: Answer, text: str, reason: str, *, failed: bool) -> Answer:
    return replace(draft, withdrawn=Withdrawn(text, reason, failed))
