"""Estimate whether a paper supports or contradicts a claim: two calibrated probabilities, the passage, the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from assistant import logistic
from assistant.citations import mask_references
from assistant.encodings import PairReading
from assistant.protocols import Entailment, PairReader, TermStatistics
from assistant.schema import Paper, Passage, Verdict
from assistant.text.sentences import passages
from assistant.verification.identifiers import absent_identifiers
from assistant.verification.numbers import NumberMismatch, number_mismatch

# Probability from which a claim counts as supported, and as contradicted.
SUPPORTED_FROM = CONTRADICTED_FROM = 0.5
# Abstracts whose sentences a model remembers, and words of a claim named as missing.
_REMEMBERED, _MAX_NAMED = 512, 3


@dataclass(frozen=True, slots=True)
class SupportFeatures:
    """The features of a claim beside a paper.

    `supported` and `contradicted` are the log-odds that the pair reader gives, `wrong_number` is the strength of the
    worst mismatch of a number, 0..1, and `absent_identifier` is 1 where the paper lacks an identifier of the claim.
    """

    supported: float
    contradicted: float
    wrong_number: float
    absent_identifier: float


# Logistic models over the features, fitted by `python -m eval.training.calibrate_claims`.
SUPPORT_WEIGHTS = SupportFeatures(supported=0.88, contradicted=-0.03, wrong_number=-3.11, absent_identifier=-4.08)
SUPPORT_BIAS = 0.13
CONTRADICTION_WEIGHTS = SupportFeatures(supported=-0.04, contradicted=0.78, wrong_number=2.23, absent_identifier=3.24)
CONTRADICTION_BIAS = 0.07


@dataclass(frozen=True, slots=True)
class SupportResult:
    """How likely a paper supports and contradicts a claim (0..1 each), the deciding passage, and the reason."""

    support: float
    contradiction: float
    passage: Passage | None
    reason: str

    @property
    def supported(self) -> bool:
        """Tell whether the claim counts as supported."""
        return self.support >= SUPPORTED_FROM

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that follows from the probabilities."""
        if self.supported:
            return Verdict.SUPPORTED
        is_denied = self.contradiction >= CONTRADICTED_FROM and self.contradiction > self.support
        return Verdict.CONTRADICTED if is_denied else Verdict.UNSUPPORTED


@dataclass(frozen=True, slots=True)
class ClaimPair:
    """A claim and the paper to compare it with; `cited` are other papers that the claim may name."""

    claim: str
    paper: Paper
    cited: tuple[Paper, ...] = ()


class SupportModel:
    """Assess claims against papers. Within the lifetime of a model each pair is read once."""

    def __init__(self, reader: PairReader, lexicon: TermStatistics, entailment: Entailment | None = None) -> None:
        self._reader, self._lexicon, self._entailment = reader, lexicon, entailment
        self._readings: dict[tuple[str, tuple[str, ...]], PairReading] = {}
        self._sentences = lru_cache(_REMEMBERED)(passages)

    def read(self, pairs: Iterable[ClaimPair]) -> None:
        """Read the pairs that will be assessed, together: in batches it takes less time. Raises ModelError."""
        wanted = (self._pair(pair) for pair in pairs if _trivial(pair) is None)
        missing = [pair for pair in dict.fromkeys(wanted) if pair[0] and pair not in self._readings]
        self._readings.update(zip(missing, self._reader.read(missing), strict=True))

    def assess(self, claim: str, paper: Paper, cited: Sequence[Paper] = ()) -> SupportResult:
        """Estimate whether the paper supports the claim. Raises ModelError.

        A sentence of the abstract, word for word, is fully supported; a question, or a text that states nothing, is
        not supported. The authors, years, venues and titles of the paper, and of those `cited` beside it, are not
        claims: the catalog says them.
        """
        if quote := self._find_verbatim(claim, paper.abstract):
            return SupportResult(1.0, 0.0, quote, "the abstract says this word for word")
        pair = ClaimPair(claim, paper, tuple(cited))
        if result := _trivial(pair):
            return result
        statement, sentences = self._pair(pair)
        if not self._lexicon.terms(statement) or not self._sentences(paper.abstract):
            return SupportResult(0.0, 0.0, None, "the claim states nothing that a passage could support")
        self.read([pair])
        return self._classify(pair, statement, self._readings[statement, sentences])

    def _pair(self, pair: ClaimPair) -> tuple[str, tuple[str, ...]]:
        """Return what is read: the claim without references to papers, and the sentences behind the title."""
        statement = " ".join(mask_references(pair.claim, [pair.paper, *pair.cited]).split())
        sentences = tuple(passage.text for passage in self._sentences(pair.paper.abstract))
        return statement, (pair.paper.title, *sentences) if pair.paper.title else sentences

    def _classify(self, pair: ClaimPair, statement: str, reading: PairReading) -> SupportResult:
        passage = self._deciding_passage(pair.paper, reading)
        text = f"{pair.paper.title or ''}\n{pair.paper.abstract}"
        mismatch, absent = number_mismatch(statement, text), absent_identifiers(statement, text)
        values = features(reading, mismatch, absent)
        support = round(logistic.probability(SUPPORT_BIAS, SUPPORT_WEIGHTS, values), 4)
        contradiction = round(logistic.probability(CONTRADICTION_BIAS, CONTRADICTION_WEIGHTS, values), 4)
        result = SupportResult(support, contradiction, passage, mismatch.reason or _lacks(absent))
        if self._entailment:
            result = _entailed(self._entailment, statement, result, mismatch)
        return replace(result, reason=self._reason(result, statement, pair.paper))

    def _deciding_passage(self, paper: Paper, reading: PairReading) -> Passage:
        sentences = self._sentences(paper.abstract)
        scores = reading.deciding[-len(sentences) :]
        return sentences[max(range(len(sentences)), key=scores.__getitem__)]

    def _reason(self, result: SupportResult, statement: str, paper: Paper) -> str:
        """Return the result's own reason, or what follows from its verdict."""
        if result.supported:
            return result.reason if self._entailment else "the passage says the same in other words"
        if result.reason:
            return result.reason
        if result.verdict is Verdict.CONTRADICTED:
            return "the passage says otherwise"
        return _lacks(self._absent_words(statement, paper)) or "no passage of the paper says this"

    def _absent_words(self, statement: str, paper: Paper) -> list[str]:
        """Return the rarest words of the statement that neither title nor abstract has, in order."""
        stated = set(self._lexicon.terms(f"{paper.title or ''} {paper.abstract}"))
        words = {term: word for word in re.findall(r"[\w-]+", statement) for term in self._lexicon.terms(word)}
        absent = {term: word for term, word in words.items() if term not in stated}
        idf = self._lexicon.idf(absent)
        rarest = sorted(absent, key=lambda term: -idf[term])[:_MAX_NAMED]
        return list(dict.fromkeys(word for term, word in absent.items() if term in rarest))

    def _find_verbatim(self, claim: str, abstract: str) -> Passage | None:
        """Find whole sentences of the abstract that are the claim, word for word; white space may differ."""
        sentences = self._sentences(abstract)
        starts, ends = {sentence.start for sentence in sentences}, {sentence.end for sentence in sentences}
        for match in re.finditer(r"\s+".join(map(re.escape, claim.split())), abstract):
            if match.start() in starts and match.end() in ends:
                return Passage(match.group(), match.start(), match.end())
        return None


def features(reading: PairReading, mismatch: NumberMismatch, absent: Sequence[str] = ()) -> SupportFeatures:
    """Return the features of a claim from its reading, its numbers and the identifiers that the paper lacks."""
    supported, contradicted = logistic.log_odds(reading.supported), logistic.log_odds(reading.contradicted)
    return SupportFeatures(supported, contradicted, mismatch.strength, float(bool(absent)))


def _lacks(words: Sequence[str]) -> str:
    return f"no passage of the paper mentions {', '.join(words[:_MAX_NAMED])}" if words else ""


def _trivial(pair: ClaimPair) -> SupportResult | None:
    """Return the result for a text that is not a claim."""
    if not re.search(r"\w", pair.claim):
        return SupportResult(0.0, 0.0, None, "the claim contains no statement")
    if pair.claim.rstrip("\"'\u2019\u201d)] \n\t").endswith("?"):
        return SupportResult(0.0, 0.0, None, "the claim is a question, not a statement")
    return None


def _entailed(entailment: Entailment, statement: str, result: SupportResult, mismatch: NumberMismatch) -> SupportResult:
    """Ask the entailment model about the passage; it cannot overrule a wrong number."""
    passage = result.passage
    row = entailment.predict([(passage.text if passage else "", statement)])[0]
    contradicts, _, entails = (round(float(share), 4) for share in row)
    if mismatch.strength:
        support, contradiction = min(result.support, entails), max(result.contradiction, contradicts)
        return SupportResult(support, contradiction, passage, mismatch.reason)
    opinion = "contradicts the claim" if contradicts > entails else "leaves the claim open"
    if entails >= SUPPORTED_FROM:
        opinion = "supports the claim"
    reason = f"the passage {opinion}, according to {entailment.name}"
    return SupportResult(entails, contradicts, passage, reason)
