"""Write an answer by the strategy of the settings: one reply of the language model, or several.

`single` takes the one reply. `best_of_n` keeps the supported sentences of several. `self_moa` has several put together
by one further call (Li et al. 2025, "Rethinking Mixture-of-Agents: Is Mixing Different Large Language Models
Beneficial?"). `refine` has the sentences that verification does not support written again (after Madaan et al. 2023,
"Self-Refine: Iterative Refinement with Self-Feedback", with verification as the critic).

All but `single` verify whatever the setting `verify` is: that is what they choose by.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from assistant.answering import answerability, evidence
from assistant.answering.calibration import Calibration
from assistant.generation import revision
from assistant.generation.calls import Calls
from assistant.generation.echoes import without_echoes
from assistant.generation.pool import Leans, SentencePool
from assistant.generation.prompts import Prompt
from assistant.generation.replies import StreamedReply
from assistant.generation.writer import Draft, Writer
from assistant.retrieval.search import Found
from assistant.schema import SINGLE, Answer, Hit, Message, Sampling, Turn, Verdict
from assistant.verification.review import NORMAL, STRICT
from assistant.verification.support import SupportModel

# The most times that `refine` writes a draft again.
_ROUNDS = 2

# Snapshots of an answer, and the draft that they lead to.
Drafting = Generator[Answer, None, Draft]


@dataclass(frozen=True, slots=True)
class Task:
    """What to answer: the draft without a text, from what was retrieved, in a conversation.

    `leans` tells whether a sentence needs the one before it to be understood.
    """

    draft: Answer
    retrieved: Found
    history: Sequence[Turn]
    model: SupportModel
    calibration: Calibration
    leans: Leans


class Strategy(Protocol):
    """A way to write an answer with calls of a language model."""

    def __call__(self, session: Session) -> Iterator[Answer]:
        """Yield snapshots, and last the answer: done, or not done and withdrawn."""
        ...


class Session:
    """One answer in the making: its drafts, what they cost, and what is shown meanwhile."""

    def __init__(self, writer: Writer, task: Task, mode: str) -> None:
        self.writer, self.task, self.calls = writer, task, Calls(writer.llm, writer.settings)
        self._mode, self._snapshot = mode, task.draft

    @property
    def samples(self) -> int:
        """Return the most drafts that are drawn."""
        return self.writer.settings.samples

    def prompt(self, share: float = 1.0) -> Prompt:
        """Return the prompt of the drafts, in a share of the tokens of a prompt. Raises SettingsError."""
        return self.writer.prompt(self.task.draft, self.task.retrieved.query, self.task.history, share)

    def write(self, prompt: Prompt) -> Drafting:
        """Write the first draft, whose text is shown as it grows."""
        for reply in self._replies(prompt, prompt.messages):
            if not reply.done:
                self._snapshot = self.writer.snapshot(self.task.draft, reply, prompt.hits)
                yield self._snapshot
        return self._reviewed(reply, prompt.hits)

    def sample(self, prompt: Prompt, number: int) -> Drafting:
        """Draw a further draft to the same prompt, which a server may have cached; numbers begin with 2."""
        sampling = Sampling(self.writer.settings.sample_temperature, number - 1)
        return self.call(prompt, prompt.messages, f"draft {number} of at most {self.samples}", sampling)

    def call(
        self, prompt: Prompt, messages: Sequence[Message], progress: str, sampling: Sampling | None = None
    ) -> Drafting:
        """Write a further draft to messages that extend a prompt, while the first one stays on the screen."""
        yield replace(self._snapshot, progress=progress)
        for reply in self._replies(prompt, messages, sampling):
            if not reply.done:
                yield replace(self._snapshot, progress=progress)
        return self._reviewed(reply, prompt.hits)

    def finished(self, draft: Draft) -> Answer:
        """Return the answer of a draft with its cost, as the setting `verify` has it."""
        if self.writer.settings.verify == STRICT != self._mode:
            draft = self._reviewed(draft.reply, draft.shown, STRICT)
        return self.costed(draft.answer)

    def costed(self, answer: Answer) -> Answer:
        """Return the answer with what it has cost until now."""
        return replace(answer, cost=self.calls.cost)

    def _replies(
        self, prompt: Prompt, messages: Sequence[Message], sampling: Sampling | None = None
    ) -> Iterator[StreamedReply]:
        """Yield the reply as it grows, then done, without what it repeats of the prompt."""
        for reply in self.calls.stream(messages, sampling):
            yield replace(reply, text=without_echoes(reply.text, prompt.example, is_whole=reply.done))

    def _reviewed(self, reply: StreamedReply, shown: tuple[Hit, ...], mode: str | None = None) -> Draft:
        return self.writer.reviewed(self.task.draft, reply, shown, self.task.model, mode or self._mode)


def single(session: Session) -> Iterator[Answer]:
    """Write one draft."""
    draft = yield from session.write(session.prompt())
    yield session.finished(draft)


def best_of_n(session: Session) -> Iterator[Answer]:
    """Draw drafts until one brings no supported sentence that is new, and keep the supported sentences of all."""
    prompt = session.prompt()
    first = yield from session.write(prompt)
    task = session.task
    pool = SentencePool(task.model, prompt.hits, _papers_by_evidence(task), task.leans)
    if first.review:
        pool.add(first.review)
    for number in range(2, session.samples + 1):
        if first.declines or session.calls.limit:
            break
        draft = yield from session.sample(prompt, number)
        if draft.review and not pool.add(draft.review):
            break
    composed = None if first.declines else pool.compose(session.task.draft)
    yield session.costed(_concluded(composed, session)) if composed else session.finished(first)


def self_moa(session: Session) -> Iterator[Answer]:
    """Draw drafts and have them put together; keep a draft instead where less of that text is supported."""
    prompt = session.prompt(1 - revision.DRAFTS_SHARE)
    drafts = [(yield from session.write(prompt))]
    for number in range(2, session.samples + 1):
        if drafts[0].declines or session.calls.limit:
            break
        drafts.append((yield from session.sample(prompt, number)))
    texts = list(dict.fromkeys(draft.reply.text.strip() for draft in drafts if draft.stands))
    messages = revision.aggregation(session.writer.prompts, prompt, texts, session.writer.budget)
    if messages and not drafts[0].declines and not session.calls.limit:
        aggregated = yield from session.call(prompt, messages, f"putting {len(texts)} drafts together")
        drafts.insert(0, aggregated)
    yield session.finished(drafts[0] if drafts[0].declines else min(drafts, key=lambda draft: draft.doubt))


def refine(session: Session) -> Iterator[Answer]:
    """Write a draft, and at most twice have its unsupported sentences written again, as long as that helps."""
    best = yield from session.write(session.prompt(1 - revision.DRAFTS_SHARE))
    for number in range(1, _ROUNDS + 1):
        request = None if session.calls.limit else _revision(best, session)
        if request is None:
            break
        revised = yield from session.call(*request, f"rewriting what is not supported, round {number}")
        if not _improves(revised, best):
            break
        best = revised
    yield session.finished(best)


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {SINGLE: single, "best-of-n": best_of_n, "self-moa": self_moa, "refine": refine}
)


def stream_answer(writer: Writer, task: Task) -> Iterator[Answer]:
    """Yield the model's answer as it grows, and last its review: done, or not done and withdrawn.

    The text of a snapshot extends the one before, until the last one, which may replace it. Raises SettingsError where
    the prompt has no room for an abstract.
    """
    settings = writer.settings
    mode = settings.verify if settings.strategy == SINGLE else NORMAL
    yield from STRATEGIES[settings.strategy](Session(writer, task, mode))


def _papers_by_evidence(task: Task) -> list[str]:
    """Return the ids of the papers, the one with the best evidence first."""
    ranked = evidence.select(task.retrieved, task.calibration)
    return list(dict.fromkeys(item.hit.paper.id for item in ranked))


def _concluded(answer: Answer, session: Session) -> Answer:
    threshold = session.writer.settings.firm_threshold
    return replace(answerability.weigh_sentences(answer, threshold), done=True)


def _revision(draft: Draft, session: Session) -> tuple[Prompt, list[Message]] | None:
    """Return the messages that ask for the draft without what is unsupported, and the prompt that they extend.

    That shows only the cited abstracts. Return None where everything is supported, or the messages do not fit.
    """
    if draft.review is None or draft.declines:
        return None
    doubtful = [sentence for sentence in draft.review.sentences if sentence.verdict.is_doubtful]
    if not doubtful:
        return None
    hits = {hit.paper.id: hit for hit in draft.shown}
    cited = tuple(hits[citation.paper.id] for citation in draft.review.citations) or draft.shown
    writer, task = session.writer, session.task
    prompt = writer.prompt(replace(task.draft, hits=cited), task.retrieved.query, (), 1 - revision.DRAFTS_SHARE)
    messages = revision.revision(writer.prompts, prompt, draft.review.text, doubtful, writer.budget)
    return (prompt, messages) if messages else None


def _improves(revised: Draft, draft: Draft) -> bool:
    """Return whether less of a draft is unsupported than before, and no less supported."""
    return revised.doubt < draft.doubt and _supported(revised) >= _supported(draft)


def _supported(draft: Draft) -> int:
    return sum(sentence.verdict is Verdict.SUPPORTED for sentence in draft.answer.sentences) if draft.stands else 0
