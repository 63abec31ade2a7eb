"""Decide whether the library answers a question: a calibrated probability, the strength that follows, and the reason.

Abstentions are decided and phrased here only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant import logistic
from assistant.answering import side_presence
from assistant.answering.calibration import PACKAGED, AnswerabilityFeatures, Calibration
from assistant.answering.names import missing_names, names_in, spelled
from assistant.citations import strip
from assistant.question.filters import explain_no_match
from assistant.question.intent import IntentPrediction
from assistant.question.language import foreign_language
from assistant.question.terms import QuestionTerms, Term
from assistant.retrieval.alignment import Alignment
from assistant.retrieval.reading import READ
from assistant.retrieval.search import Found
from assistant.schema import Answer, Paper, Sentence, Strength, Verdict

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog

# What to do about an empty library.
HOW_TO_FILL = "`paperchat ingest` adds some, or the sample library: `paperchat ingest --sample`"
# Papers named in an abstention.
NEAREST = 3
# Words of a question named as missing.
_MAX_NAMED = 3
# The least share of a question's idf that must be on terms that the library has.
_MIN_SEEN = 0.25


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The confidence from which an answer is firm, and the one below which there is none."""

    firm: float
    tentative: float


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision whether the library answers a question: a probability, the strength that follows, and the reason.

    `reply` is the text to return to a message that is not a question.
    """

    confidence: float
    strength: Strength
    reason: str | None = None
    reply: str | None = None

    def in_part(self, reason: str, firm_threshold: float) -> Decision:
        """Return the decision where the library can answer in part at most, for this reason."""
        strength = Strength.NONE if self.strength is Strength.NONE else Strength.TENTATIVE
        return Decision(min(self.confidence, firm_threshold), strength, reason)


def decline(prediction: IntentPrediction) -> Decision | None:
    """Return the fixed reply to a message that is not a question about papers; None for such a question."""
    if prediction.reply is None:
        return None
    return Decision(0.0, Strength.NONE, "it is not a question about papers", prediction.reply)


def decide(retrieved: Found, catalog: Catalog, thresholds: Thresholds, calibration: Calibration = PACKAGED) -> Decision:
    """Return how likely it is that the hits, which were read, answer the question, and the strength that follows."""
    query = retrieved.query
    if not retrieved.hits and (query.filters or query.scope):
        reason = explain_no_match(
            query.filters, query.scope, catalog.papers.count(), catalog.papers.count_missing(query.filters)
        )
        return Decision(0.0, Strength.NONE, reason)
    if query.is_blank:
        return Decision(0.0, Strength.NONE, "there is no question in it")
    if not retrieved.alignments:
        return Decision(0.0, Strength.NONE, f"it holds no paper yet; {HOW_TO_FILL}")
    confidence = _confidence(retrieved, calibration)
    if partial := _partial_for_a_reason(retrieved, confidence, thresholds):
        return partial
    doubt = None if query.is_follow_up or query.filters or query.scope or retrieved.sides else retrieved.intents.doubt
    if doubt:
        confidence = min(confidence, thresholds.tentative)
    if confidence >= thresholds.firm:
        return Decision(confidence, Strength.FIRM)
    doubts = [*([doubt] if doubt else []), *_doubts(retrieved)]
    if confidence >= thresholds.tentative:
        return Decision(confidence, Strength.TENTATIVE, "; ".join(doubts) or "no abstract clearly answers this")
    return Decision(confidence, Strength.NONE, "; ".join(doubts) or "no abstract in the library seems to answer it")


def _partial_for_a_reason(retrieved: Found, confidence: float, thresholds: Thresholds) -> Decision | None:
    """Return the decision on a question in another language, or on a comparison that lacks a side; None for others."""
    if language := foreign_language(retrieved.query.read_as or retrieved.query.text):
        return _in_another_language(retrieved, language, confidence, thresholds)
    if retrieved.sides and (missing := _missing_sides(retrieved)):
        return _compared(retrieved, missing, confidence, thresholds)
    return None


def _in_another_language(retrieved: Found, language: str, confidence: float, thresholds: Thresholds) -> Decision:
    """Return the decision on a question that is not in English: partial if a name in it is one that a hit has."""
    reason = f"the question seems to be in {language}, and the abstracts of the library are in English; ask in English"
    aligned = retrieved.alignments[0]
    names = [
        presence
        for term, presence in zip(aligned.terms, aligned.overall, strict=True)
        if not retrieved.terms.is_unseen(term)
    ]
    if max(names, default=0.0) >= side_presence.SPEAKS_FROM:
        return Decision(_partial(confidence, thresholds), Strength.TENTATIVE, reason)
    return Decision(0.0, Strength.NONE, reason)


def _compared(retrieved: Found, missing: str, confidence: float, thresholds: Thresholds) -> Decision:
    """Return the decision on a comparison for which something is missing: partial if one side is there."""
    if len(side_presence.absent_sides(retrieved)) == len(retrieved.sides):
        return Decision(min(confidence, thresholds.tentative), Strength.NONE, missing)
    return Decision(_partial(confidence, thresholds), Strength.TENTATIVE, missing)


def _partial(confidence: float, thresholds: Thresholds) -> float:
    """Return the confidence of a partial answer that something else than its confidence makes partial."""
    return min(max(confidence, thresholds.tentative), thresholds.firm)


def _missing_sides(retrieved: Found) -> str:
    """Return what the library lacks of a comparison; empty where an abstract speaks of both sides."""
    if absent := side_presence.absent_sides(retrieved):
        return f"no abstract in the library mentions {' or '.join(side.text for side in absent)}"
    first, second = (side.text for side in retrieved.sides)
    return "" if side_presence.compares(retrieved) else f"no abstract compares {first} with {second}"


def abstain(draft: Answer, reason: str | None = None) -> Answer:
    """Return the finished answer that says why there is none and names the nearest papers.

    A draft that has a text already, the reply to a message that is not a question, keeps it.
    """
    if draft.text:
        return replace(draft, nearest=_nearest(draft), done=True)
    reason = reason or draft.reason
    return replace(
        draft,
        strength=Strength.NONE,
        reason=reason,
        text=f"The library does not answer this: {reason}.",
        nearest=_nearest(draft),
        done=True,
    )


def abstain_as_model(answer: Answer) -> Answer:
    """Return an abstention in the words of the language model, which finds no answer in the abstracts."""
    return replace(
        answer,
        strength=Strength.NONE,
        confidence=0.0,
        reason=f"the language model {answer.model} finds no answer in the abstracts",
        text=strip(answer.text),
        citations=(),
        sentences=(),
        nearest=_nearest(answer),
        done=True,
    )


def weigh_sentences(answer: Answer, firm_threshold: float) -> Answer:
    """Return a model's answer with its confidence lowered by the share of statements that no abstract supports."""
    stated = [sentence for sentence in answer.sentences if sentence.verdict is not Verdict.REMARK]
    doubtful = sum(map(_is_doubtful, stated))
    confidence = answer.confidence * (1 - doubtful / max(1, len(stated)))
    if answer.strength is not Strength.FIRM or not doubtful or confidence >= firm_threshold:
        return replace(answer, confidence=confidence)
    reason = f"the abstracts do not clearly support {doubtful} of the {len(stated)} sentences that the model wrote"
    return replace(answer, confidence=confidence, strength=Strength.TENTATIVE, reason=reason)


def features(retrieved: Found) -> AnswerabilityFeatures:
    """Return the features of a question whose best hits, at least one, were read."""
    best = _best(retrieved)
    reading, alignment = retrieved.readings[best], retrieved.alignments[best]
    presence = sorted(
        (max(0.0, float(similarity)), term.idf)
        for similarity, term in zip(alignment.overall, alignment.terms, strict=True)
    )
    return AnswerabilityFeatures(
        answers=logistic.log_odds(reading.answers),
        met=_mean(presence),
        weakest=_quantile(presence, 0.2),
        missing_names=len(_missing_names(retrieved)),
        behind=_behind(retrieved),
        similarity=retrieved.hits[0].score,
    )


def _best(retrieved: Found) -> int:
    """Return the position of the hit that answers best by the reader."""
    return max(range(len(retrieved.readings)), key=lambda position: retrieved.readings[position].answers)


def _missing_names(retrieved: Found) -> tuple[Term, ...]:
    """Return the names that the hit which answers best does not mention; those of sides are looked for in every hit."""
    best = retrieved.alignments[_best(retrieved)]
    of_sides = {term.start for side in retrieved.sides for term in side.terms}
    terms = [term for term in best.terms if term.start not in of_sides]
    return missing_names(names_in(retrieved.query.standalone, terms), best.paper)


def _behind(retrieved: Found) -> float:
    """Return how far the log-odds that the first hit answers are behind the best, 0 to 1 at most.

    Where many hits are read, it says nothing that the best one is not the first: then it is 0.
    """
    if len(retrieved.readings) > READ:
        return 0.0
    first, best = retrieved.readings[0].answers, retrieved.readings[_best(retrieved)].answers
    return min(1.0, logistic.log_odds(best) - logistic.log_odds(first))


def _confidence(retrieved: Found, calibration: Calibration) -> float:
    if not _is_seen(retrieved.alignments[0].terms, retrieved.terms):
        return 0.0
    return calibration.confidence(features(retrieved))


def _nearest(answer: Answer) -> tuple[Paper, ...]:
    return tuple(hit.paper for hit in answer.hits[:NEAREST])


def _is_doubtful(sentence: Sentence) -> bool:
    return sentence.verdict.is_doubtful or sentence.replaces is not None


def _is_seen(content: Sequence[Term], terms: QuestionTerms) -> bool:
    """Return whether the library has enough of the question's terms, by idf, to answer it."""
    seen = sum(term.idf for term in content if not terms.is_unseen(term))
    return seen >= _MIN_SEEN * sum(term.idf for term in content)


def _mean(weighted: Sequence[tuple[float, float]]) -> float:
    """Return the weighted mean of (value, weight) pairs, 0 of none."""
    total = sum(weight for _, weight in weighted)
    return sum(value * weight for value, weight in weighted) / total if total else 0.0


def _quantile(ascending: Sequence[tuple[float, float]], share: float) -> float:
    """Return the value up to which the share of the weight lies, of (value, weight) pairs in ascending order."""
    left = share * sum(weight for _, weight in ascending)
    for value, weight in ascending:
        left -= weight
        if left <= 0:
            return value
    return 0.0


def _doubts(retrieved: Found) -> list[str]:
    """Return reasons why the library may have no answer."""
    if missing := _missing(retrieved.terms, retrieved.alignments[0]):
        return [f"no abstract in the library mentions {' or '.join(term.text for term in missing)}"]
    unmentioned = spelled(retrieved.query.standalone, _missing_names(retrieved))
    return [f"the nearest abstract does not mention {' or '.join(unmentioned[:_MAX_NAMED])}"] if unmentioned else []


def _missing(terms: QuestionTerms, first: Alignment) -> list[Term]:
    """Return the terms to name as absent from the library: those least present in the first hit."""
    unseen = list({term.text.casefold(): term for term in terms.content if terms.is_unseen(term)}.values())
    presence = dict(zip((term.start for term in first.terms), first.overall, strict=True))
    least = sorted(unseen, key=lambda term: float(presence.get(term.start, 0.0)))[:_MAX_NAMED]
    return sorted(least, key=lambda term: term.start)
