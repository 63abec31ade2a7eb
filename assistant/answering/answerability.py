"""Decide whether the library answers a question: a calibrated probability, the strength that follows, and the reason.

Abstentions are decided and phrased here only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant import logistic
from assistant.citations import strip
from assistant.protocols import TermStatistics
from assistant.question import beyond_abstracts, intent
from assistant.question.filters import explain_no_match
from assistant.question.terms import QuestionTerms, Term, is_in
from assistant.question.understand import has_topic
from assistant.retrieval.alignment import Alignment
from assistant.retrieval.search import Found
from assistant.schema import Answer, Paper, Query, Sentence, Strength, Verdict

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog

# Papers named in an abstention.
NEAREST = 3
# Hits that are examined for an answer.
CONSIDERED = 5
# Words of a question named as missing.
_MAX_NAMED = 3
# The leading papers: a name that none of them has is missing from the evidence.
_LEADING = 3
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


@dataclass(frozen=True, slots=True)
class AnswerabilityFeatures:
    """The features of a question for the probability that the library answers it, each about 0..1, higher is better.

    None grows with the length of the question. `met` is the mean presence of its terms in the first paper, weighted by
    idf, and `weakest` their 0.2 quantile by weight. `named` is 1 where the leading papers have every name in the
    question, and decreases with the idf of a missing one. `stated` is 0 where the question asks for a detail that
    abstracts rarely state.
    """

    met: float
    weakest: float
    named: float
    stated: float


# A logistic model over the features, fitted on the dev half of the seeds suites by `python -m eval calibrate`.
WEIGHTS = AnswerabilityFeatures(met=6.04, weakest=7.94, named=3.03, stated=3.58)
BIAS = -10.71


def decline_small_talk(query: Query) -> Decision | None:
    """Return the fixed reply to a message that is not a question, which needs no search; None for a question."""
    if not intent.is_small_talk(query.text):
        return None
    return Decision(0.0, Strength.NONE, "it is not a question about papers", intent.SMALL_TALK_REPLY)


def decide(retrieved: Found, catalog: Catalog, lexicon: TermStatistics, thresholds: Thresholds) -> Decision:
    """Return how likely it is that the hits answer the question, and the strength of an answer from them."""
    query, alignments = retrieved.query, retrieved.alignments[:CONSIDERED]
    if not retrieved.hits and (query.filters or query.scope):
        reason = explain_no_match(
            query.filters, query.scope, catalog.papers.count(), catalog.papers.count_missing(query.filters)
        )
        return Decision(0.0, Strength.NONE, reason)
    if query.is_blank:
        return Decision(0.0, Strength.NONE, "there is no question in it")
    if not alignments:
        return Decision(0.0, Strength.NONE, "it holds no paper yet; add some with `paperchat ingest`")
    confidence = _confidence(query, retrieved.terms, alignments, lexicon)
    is_vague = not has_topic(query)
    if is_vague:
        confidence = min(confidence, thresholds.tentative)
    if confidence >= thresholds.firm:
        return Decision(confidence, Strength.FIRM)
    doubts = ["the question names nothing to look for"] * is_vague + _doubts(
        query, retrieved.terms, alignments, lexicon
    )
    if confidence >= thresholds.tentative:
        reason = "; ".join(["these passages are the nearest, but may not be an answer", *doubts])
        return Decision(confidence, Strength.TENTATIVE, reason)
    return Decision(confidence, Strength.NONE, "; ".join(doubts) or "no abstract in the library seems to answer it")


def abstain(draft: Answer, reason: str | None = None) -> Answer:
    """Return the finished answer that says why there is none and names the nearest papers.

    A draft that has a text already, the reply to a message that is not a question, keeps it.
    """
    if draft.text:
        return replace(draft, done=True)
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


def features(
    query: Query, terms: QuestionTerms, alignments: Sequence[Alignment], lexicon: TermStatistics
) -> AnswerabilityFeatures:
    """Return the features of a question against its best hits, at least one."""
    first = alignments[0]
    absent = _absent_names(first.terms, _leading(alignments), lexicon)
    # A similar word does not make up for an absent name: it shows only that the topic is the same.
    presence = sorted(
        (0.0 if term in absent else max(0.0, float(similarity)), term.idf)
        for similarity, term in zip(first.overall, first.terms, strict=True)
    )
    return AnswerabilityFeatures(
        met=_mean(presence),
        weakest=_quantile(presence, 0.2),
        named=1.0 - max((term.idf for term in absent), default=0.0) / terms.max_idf,
        stated=float(not beyond_abstracts.rarely_stated(query.standalone)),
    )


def probability(features: AnswerabilityFeatures) -> float:
    """Return the logistic model's probability, 0..1."""
    return logistic.probability(BIAS, WEIGHTS, features)


def _confidence(query: Query, terms: QuestionTerms, alignments: Sequence[Alignment], lexicon: TermStatistics) -> float:
    if not _is_seen(alignments[0].terms, terms):
        return 0.0
    return probability(features(query, terms, alignments, lexicon))


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


def _leading(alignments: Sequence[Alignment]) -> list[Paper]:
    return [aligned.paper for aligned in alignments[:_LEADING]]


def _absent_names(content: Sequence[Term], papers: Sequence[Paper], lexicon: TermStatistics) -> list[Term]:
    """Return the names among the terms that no paper has, in its text or among its authors."""
    names = [term for term in content if term.is_name]
    texts = [_searchable_text(paper) for paper in papers] if names else []
    index_terms = [set(lexicon.terms(text)) for text in texts]
    return [name for name in names if not any(is_in(name, *text) for text in zip(texts, index_terms, strict=True))]


def _searchable_text(paper: Paper) -> str:
    parts = (paper.title, paper.abstract, *paper.authors, paper.venue, paper.year)
    return "\n".join(str(part) for part in parts if part is not None)


def _doubts(query: Query, terms: QuestionTerms, alignments: Sequence[Alignment], lexicon: TermStatistics) -> list[str]:
    """Return reasons why the library may have no answer."""
    missing = _missing(terms, alignments[0])
    absent = _absent_names(terms.content, _leading(alignments), lexicon)
    doubts = []
    if missing:
        doubts.append(f"no abstract in the library mentions {_listed(missing)}")
    elif absent:
        doubts.append(f"the nearest abstracts do not mention {_listed(absent[:_MAX_NAMED])}")
    return doubts + [
        f"abstracts rarely state {detail}" for detail in beyond_abstracts.rarely_stated(query.standalone)[:1]
    ]


def _missing(terms: QuestionTerms, first: Alignment) -> list[Term]:
    """Return the terms to name as absent from the library: names, or those least present in the first hit."""
    unseen = list({term.text.casefold(): term for term in terms.content if terms.is_unseen(term)}.values())
    unseen = [term for term in unseen if term.is_name] or unseen
    presence = dict(zip((term.start for term in first.terms), first.overall, strict=True))
    least = sorted(unseen, key=lambda term: float(presence.get(term.start, 0.0)))[:_MAX_NAMED]
    return sorted(least, key=lambda term: term.start)


def _listed(terms: Sequence[Term]) -> str:
    return " or ".join(term.text for term in terms)
