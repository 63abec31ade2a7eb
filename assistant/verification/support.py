"""Estimate whether a paper supports or contradicts a claim: two calibrated probabilities, the passage, the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from assistant.logistic import LogisticModel
from assistant.protocols import Entailment, PairReader, TermStatistics
from assistant.schema import Paper, Passage, Verdict
from assistant.verification.comparison import (
    ClaimPair,
    ClaimReader,
    Comparison,
    SupportFeatures,
    deciding_position,
)
from assistant.verification.numbers import NumberMismatch

# Probability from which a claim counts as supported, and as contradicted.
SUPPORTED_FROM = CONTRADICTED_FROM = 0.5
# ... and from which a sentence that a language model wrote does: most of what it writes from abstracts is true, so that
# 0.5 would mark more true sentences than false ones. This marks 4 % of the true ones of dev answers
# (`eval.training.calibrate_claims`).
WRITTEN_SUPPORTED_FROM = 0.24
# Words of a claim that are named as missing.
_MAX_NAMED = 3

# Logistic models over the features, fitted by `python -m eval.training.calibrate_claims`.
SUPPORT = LogisticModel(
    0.86,
    SupportFeatures(
        supported=1.1,
        contradicted=0.07,
        weakest_part=0.1,
        denied_part=-0.12,
        wrong_number=-2.26,
        number_in_words=-0.1,
        absent_identifier=-2.31,
        exchanged_words=-0.72,
    ),
)
CONTRADICTION = LogisticModel(
    -0.09,
    SupportFeatures(
        supported=-0.1,
        contradicted=0.96,
        weakest_part=-0.15,
        denied_part=0.31,
        wrong_number=1.97,
        number_in_words=-0.51,
        absent_identifier=1.12,
        exchanged_words=0.29,
    ),
)


@dataclass(frozen=True, slots=True)
class SupportResult:
    """How likely a paper supports and contradicts a claim (0..1 each), the deciding passage, and the reason.

    `supported_from` is the support from which the claim counts as supported.
    """

    support: float
    contradiction: float
    passage: Passage | None
    reason: str
    supported_from: float = SUPPORTED_FROM

    @property
    def supported(self) -> bool:
        """Tell whether the claim counts as supported."""
        return self.support >= self.supported_from

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that follows from the probabilities."""
        if self.supported:
            return Verdict.SUPPORTED
        is_denied = self.contradiction >= CONTRADICTED_FROM and self.contradiction > self.support
        return Verdict.CONTRADICTED if is_denied else Verdict.UNSUPPORTED


class SupportModel:
    """Assess claims against papers. Within the lifetime of a model each pair is read once.

    An entailment model, where there is one, decides by SUPPORTED_FROM, whatever `supported_from` is.
    """

    def __init__(
        self,
        reader: PairReader,
        lexicon: TermStatistics,
        entailment: Entailment | None = None,
        supported_from: float = SUPPORTED_FROM,
    ) -> None:
        self._claims, self._lexicon, self._entailment = ClaimReader(reader), lexicon, entailment
        self._supported_from = supported_from

    def read(self, pairs: Iterable[ClaimPair]) -> None:
        """Read the pairs that will be assessed, together: in batches it takes less time. Raises ModelError."""
        self._claims.read(pair for pair in pairs if _trivial(pair) is None)

    def assess(self, claim: str, paper: Paper, cited: Sequence[Paper] = ()) -> SupportResult:
        """Estimate whether the paper supports the claim. Raises ModelError.

        A sentence of the abstract, word for word, is fully supported; a question, or a text that states nothing, is
        not supported. The authors, years, venues and titles of the paper, and of those `cited` beside it, are not
        claims: the catalog says them.
        """
        pair = ClaimPair(claim, paper, tuple(cited))
        if quote := self._claims.find_verbatim(pair):
            return SupportResult(1.0, 0.0, quote, "the abstract says this word for word")
        if result := _trivial(pair):
            return result
        if not self._lexicon.terms(pair.statement) or not self._claims.sentences(paper):
            return SupportResult(0.0, 0.0, None, "the claim states nothing that a passage could support")
        return self._classify(pair, self._claims.compare(pair))

    def _classify(self, pair: ClaimPair, comparison: Comparison) -> SupportResult:
        values, mismatch = comparison.features, comparison.mismatch
        support = round(SUPPORT.probability(values), 4)
        contradiction = round(CONTRADICTION.probability(values), 4)
        reason = mismatch.reason or _lacks(comparison.absent_identifiers)
        passage = self._deciding_passage(pair.paper, comparison)
        result = SupportResult(support, contradiction, passage, reason, self._supported_from)
        if self._entailment:
            result = _entailed(self._entailment, pair.statement, result, mismatch)
        return replace(result, reason=self._reason(result, pair, comparison))

    def _deciding_passage(self, paper: Paper, comparison: Comparison) -> Passage:
        """Return the passage that decides the claim, or the part of it that is supported least."""
        part = comparison.weakest_part
        reading = comparison.parts[part] if part else comparison.whole
        sentences = self._claims.sentences(paper)
        return sentences[deciding_position(reading, len(sentences))]

    def _reason(self, result: SupportResult, pair: ClaimPair, comparison: Comparison) -> str:
        """Return the result's own reason, or what follows from its verdict."""
        if result.supported:
            return result.reason if self._entailment else "the passage says the same in other words"
        if result.reason:
            return result.reason
        part = comparison.weakest_part
        if result.verdict is Verdict.CONTRADICTED:
            return f"the passage says otherwise than “{part}”" if part else "the passage says otherwise"
        lacks = _lacks(self._absent_words(pair.statement, pair.paper))
        return lacks or f"no passage of the paper says {f'that “{part}”' if part else 'this'}"

    def _absent_words(self, statement: str, paper: Paper) -> list[str]:
        """Return the rarest words of the statement that neither title nor abstract has, in order."""
        stated = set(self._lexicon.terms(f"{paper.title or ''} {paper.abstract}"))
        words = {term: word for word in re.findall(r"[\w-]+", statement) for term in self._lexicon.terms(word)}
        absent = {term: word for term, word in words.items() if term not in stated}
        idf = self._lexicon.idf(absent)
        rarest = sorted(absent, key=lambda term: -idf[term])[:_MAX_NAMED]
        return list(dict.fromkeys(word for term, word in absent.items() if term in rarest))


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
