"""Answer without a model: quote the passages that answer, word for word, in the form that the question asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.answering import evidence as evidences
from assistant.answering.answerability import abstain
from assistant.answering.calibration import PACKAGED, Calibration
from assistant.digest.comparing import plan_comparison
from assistant.digest.composition import Limits, compose
from assistant.digest.figures import figures_first
from assistant.digest.listing import plan_list
from assistant.digest.quoting import Group, Plan, Quotation, snapshots
from assistant.digest.stance import plan_stances
from assistant.digest.summarizing import plan_summary
from assistant.digest.wording import counted_papers
from assistant.protocols import PairReader
from assistant.question.encoder import QuestionEncoder
from assistant.question.intent import Intent
from assistant.question.quantity import asks_for_number
from assistant.retrieval.search import Found
from assistant.schema import Answer, Strength
from assistant.text.printable import sentence_case

NAME = "extractive"
# The most papers that are quoted, and the most sentences of an answer that is not sure.
_MAX_PAPERS, _OF_PARTIAL = 4, 2
# The least ratio of a further passage's odds of answering to those of the best one (docs/experiments.md).
_SHARE_OF_BEST, _SHARE_OF_OTHER = 0.05, 0.2


@dataclass(frozen=True, slots=True)
class Digest:
    """Answers by quotations; `reader` tells for a yes/no question what they speak for."""

    reader: PairReader
    max_sentences: int
    calibration: Calibration = PACKAGED

    def stream(self, draft: Answer, found: Found, encoder: QuestionEncoder) -> Iterator[Answer]:
        """Yield snapshots of the answer that grow by a quotation; the last is done. Abstain if nothing can be quoted.

        Raises ModelError.
        """
        plan = self._plan(draft, found, encoder)
        if plan.quotations:
            yield from snapshots(draft, plan)
        else:
            yield abstain(draft, "no sentence found can be quoted")

    def _plan(self, draft: Answer, found: Found, encoder: QuestionEncoder) -> Plan:
        evidence = evidences.select(found, self.calibration)
        abstracts = {aligned.paper.id: aligned.passages for aligned in found.alignments}
        form, question = found.intents.asks_for, found.query.standalone
        if draft.strength is Strength.TENTATIVE:
            return _partial(draft, compose(evidence, abstracts, _limits(min(self.max_sentences, _OF_PARTIAL))))
        if form is Intent.LIST:
            return plan_list(found, evidence, abstracts)
        if form is Intent.COMPARISON and found.sides:
            return plan_comparison(found, evidence, abstracts, self.max_sentences)
        if form is Intent.SUMMARY:
            return plan_summary(evidence, abstracts, question, encoder)
        quotations = compose(evidence, abstracts, _limits(self.max_sentences))
        if form in (Intent.YES_NO, Intent.CLAIM):
            return plan_stances(question, quotations, self.reader)
        return _plain(figures_first(question, quotations) if asks_for_number(question) else quotations)


def _plain(quotations: Sequence[Quotation]) -> Plan:
    papers = len({quotation.hit.paper.id for quotation in quotations})
    return Plan(
        (Group(tuple(quotations)),), f"{counted_papers(papers, 'bear', 'bears')} on this." if papers > 1 else ""
    )


def _partial(draft: Answer, quotations: Sequence[Quotation]) -> Plan:
    """Return the plan of an answer that is not sure: little is quoted, below a line that says what is missing."""
    papers = {quotation.hit.paper.id for quotation in quotations}
    says = "the nearest says" if len(papers) == 1 else "the nearest say"
    return Plan((Group(tuple(quotations)),), f"{sentence_case(draft.reason or '')}; {says}:")


def _limits(max_sentences: int) -> Limits:
    return Limits(max_sentences, _MAX_PAPERS, max_sentences, _SHARE_OF_BEST, _SHARE_OF_OTHER)
