"""Is there an answer here? A calibrated probability, the strength that follows from it, and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant import logistic
from assistant.protocols import Lexicon
from assistant.question import beyond_abstracts, intent
from assistant.question.terms import Word, is_in, max_idf, telling
from assistant.question.understand import names_something
from assistant.retrieval.alignment import Alignment
from assistant.schema import Decision, Paper, Query, Strength

# Papers named in an abstention.
NEAREST = 3
# Words of a question named as missing.
_MOST_NAMED = 3
# A name that none of so many leading papers has is missing from the evidence.
_LEADING = 3
# Where the library knows less of a question, by rarity, the question is of something else, or no question.
_KNOWN = 0.25


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for an answer being here, each about 0..1, higher is better. None grows with the question's length.

    `met` is the mean presence of the question's words in the first paper, weighted by rarity, and `weakest` the
    presence below which a fifth of that weight lies; `named` is 1 where the leading papers have every name that the
    question has, and less the rarer a missing one is; `stated` is 0 where it asks for what abstracts rarely state.
    """

    met: float
    weakest: float
    named: float
    stated: float


# A logistic model over the signs, fitted on the dev half of the seeds suites by `python -m eval calibrate`.
WEIGHTS = Signs(met=6.04, weakest=7.94, named=3.03, stated=3.58)
BIAS = -10.71


def small_talk(query: Query) -> Decision | None:
    """The fixed reply to what is no question to a library, which need not be searched for it; None for a question."""
    if not intent.is_no_question(query.text):
        return None
    return Decision(0.0, Strength.NONE, "it is not a question about papers", intent.REPLY)


def judge(
    query: Query,
    aligned: Sequence[Alignment],
    lexicon: Lexicon,
    firm_from: float,
    tentative_from: float,
) -> Decision:
    """How likely it is that the library answers the question, and what to make of it."""
    if query.is_blank:
        return Decision(0.0, Strength.NONE, "there is no question in it")
    if not aligned:
        return Decision(0.0, Strength.NONE, "it holds no paper yet; add some with `paperchat ingest`")
    confidence = probability(signs(query, aligned, lexicon)) if _is_known(aligned[0].words, lexicon) else 0.0
    vague = not names_something(query)
    if vague:
        confidence = min(confidence, tentative_from)
    if confidence >= firm_from:
        return Decision(confidence, Strength.FIRM)
    doubts = _doubts(query, aligned, lexicon)
    if vague:
        doubts.insert(0, "the question names nothing to look for")
    if confidence >= tentative_from:
        reason = "; ".join(["these passages are the nearest, but may not be an answer", *doubts])
        return Decision(confidence, Strength.TENTATIVE, reason)
    return Decision(confidence, Strength.NONE, "; ".join(doubts) or "no abstract in the library seems to answer it")


def signs(query: Query, aligned: Sequence[Alignment], lexicon: Lexicon) -> Signs:
    """What speaks for an answer being here; `aligned` is not empty."""
    first = aligned[0]
    absent = _absent_names(first.words, _leading(aligned), lexicon)
    # A name is there or not: what is near an unknown one says only that it is of the subject.
    present = sorted(
        (0.0 if word in absent else max(0.0, float(presence)), word.idf)
        for presence, word in zip(first.overall, first.words, strict=True)
    )
    return Signs(
        met=_mean(present),
        weakest=_quantile(present, 0.2),
        named=1.0 - max((word.idf for word in absent), default=0.0) / max_idf(lexicon),
        stated=float(not beyond_abstracts.asked_for(query.standalone)),
    )


def probability(found: Signs) -> float:
    """The logistic model's probability, 0..1."""
    return logistic.probability(BIAS, WEIGHTS, found)


def _is_known(words: Sequence[Word], lexicon: Lexicon) -> bool:
    """Whether the library knows enough of the words to be asked with them."""
    unseen = lexicon.unseen({term for word in words for term in word.terms})
    known = sum(word.idf for word in words if unseen.isdisjoint(word.terms))
    return known >= _KNOWN * sum(word.idf for word in words)


def _mean(weighted: Sequence[tuple[float, float]]) -> float:
    """The weighted mean of (value, weight) pairs, 0 if there is none."""
    total = sum(weight for _, weight in weighted)
    return sum(value * weight for value, weight in weighted) / total if total else 0.0


def _quantile(ascending: Sequence[tuple[float, float]], share: float) -> float:
    """The value up to which the share of the weight lies, of (value, weight) pairs in ascending order."""
    left = share * sum(weight for _, weight in ascending)
    for value, weight in ascending:
        left -= weight
        if left <= 0:
            return value
    return 0.0


def _leading(aligned: Sequence[Alignment]) -> list[Paper]:
    return [each.hit.paper for each in aligned[:_LEADING]]


def _absent_names(words: Sequence[Word], papers: Sequence[Paper], lexicon: Lexicon) -> list[Word]:
    """The names among the words that none of the papers has, be it in its text or among its authors."""
    texts = [_everything(paper) for paper in papers]
    terms = [set(lexicon.terms(text)) for text in texts]
    named = (word for word in words if word.named)
    return [word for word in named if not any(is_in(word, text, held) for text, held in zip(texts, terms, strict=True))]


def _everything(paper: Paper) -> str:
    parts = (paper.title, paper.abstract, *paper.authors, paper.venue, paper.year)
    return "\n".join(str(part) for part in parts if part is not None)


def _doubts(query: Query, aligned: Sequence[Alignment], lexicon: Lexicon) -> list[str]:
    """Why the library may hold no answer, as far as that can be told."""
    words = telling(query.standalone, lexicon)
    missing = _missing(words, aligned, lexicon)
    absent = _absent_names(words, _leading(aligned), lexicon)
    doubts = []
    if missing:
        doubts.append(f"no abstract in the library mentions {_listed(missing)}")
    elif absent:
        doubts.append(f"the nearest abstracts do not mention {_listed(absent[:_MOST_NAMED])}")
    return doubts + [f"abstracts rarely state {what}" for what in beyond_abstracts.asked_for(query.standalone)[:1]]


def _missing(words: Sequence[Word], aligned: Sequence[Alignment], lexicon: Lexicon) -> list[Word]:
    """The words to say no abstract has: names where there are any, else those with the least like them in the first."""
    unseen = lexicon.unseen({term for word in words for term in word.terms})
    missing = list({word.text.casefold(): word for word in words if unseen.intersection(word.terms)}.values())
    missing = [word for word in missing if word.named] or missing
    presence = dict(zip((word.start for word in aligned[0].words), aligned[0].overall, strict=True))
    least = sorted(missing, key=lambda word: float(presence.get(word.start, 0.0)))[:_MOST_NAMED]
    return sorted(least, key=lambda word: word.start)


def _listed(words: Sequence[Word]) -> str:
    return " or ".join(word.text for word in words)
