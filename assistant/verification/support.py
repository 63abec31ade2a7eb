"""Estimate whether an abstract supports a claim: a fitted probability, the passage, and the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

from assistant import logistic
from assistant.citations import mask_references
from assistant.protocols import Embedder, Entailment, TermStatistics
from assistant.schema import Paper, Passage
from assistant.text.sentences import passages
from assistant.verification import mismatches
from assistant.verification.alignment import (
    ClaimAlignment,
    EncodedAbstract,
    EncodedClaim,
    align,
    encode_abstract,
    encode_claim,
)
from assistant.verification.mismatches import Mismatch
from assistant.verification.polarity import antonym_axes
from assistant.verification.tokenized_text import TokenizedText, tokenize

# Probability from which a claim counts as supported.
SUPPORTED_FROM = 0.5
# How much more of the claim another paper must express before that speaks against this one.
_RIVAL_MARGIN = 0.05
# Claims, abstracts and alignments that a model remembers: enough for the sentences and papers of an answer.
_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class SupportFeatures:
    """The strengths of the mismatches of the same names, each 0 or more.

    `rival_coverage` is by how much more of the claim another paper expresses.
    """

    missing_content: float = 0.0
    missing_name: float = 0.0
    wrong_number: float = 0.0
    antonym: float = 0.0
    negation: float = 0.0
    overclaim: float = 0.0
    rival_coverage: float = 0.0


# A logistic model over the features, fitted by `python -m eval calibrate` on the seeds' dev claims, SciFact's training
# claims and claims made wrong by rule. Detectors added later (see docs/experiments.md) changed the features; weights
# fitted with them judge no claim better than these, and claims made wrong by rule less often.
WEIGHTS = SupportFeatures(
    missing_content=-6.93,
    missing_name=-2.08,
    wrong_number=-3.67,
    antonym=-13.88,
    negation=-6.58,
    overclaim=-2.18,
    rival_coverage=-10.87,
)
BIAS = 1.28


@dataclass(frozen=True, slots=True)
class SupportResult:
    """How likely an abstract supports a claim (0..1), the passage that expresses most of it, and why."""

    support: float
    passage: Passage | None
    reason: str

    @property
    def supported(self) -> bool:
        """Tell whether the claim counts as supported."""
        return self.support >= SUPPORTED_FROM


class SupportModel:
    """Assess claims against abstracts.

    Within the lifetime of a model each text is encoded once (the texts of one call in one pass of the embedder), and
    each abstract is split into sentences once.
    """

    def __init__(self, embedder: Embedder, lexicon: TermStatistics, entailment: Entailment | None = None) -> None:
        self._embedder, self._lexicon, self._entailment = embedder, lexicon, entailment
        self._tokenized: dict[str, TokenizedText] = {}
        self._sentences = lru_cache(_REMEMBERED)(passages)
        self._claim = lru_cache(_REMEMBERED)(self._encode_claim)
        self._abstract = lru_cache(_REMEMBERED)(self._encode_abstract)
        self._aligned = lru_cache(_REMEMBERED)(self._align)

    @cached_property
    def _axes(self) -> Mapping[str, tuple[str, int]]:
        return antonym_axes(self._lexicon)

    def encode(self, texts: Iterable[str]) -> None:
        """Encode the texts that are going to be compared, in one pass."""
        new = [text for text in dict.fromkeys(texts) if text not in self._tokenized]
        for text, encoded in zip(new, self._embedder.encode_documents(new), strict=True):
            self._tokenized[text] = tokenize(text, encoded, self._lexicon)

    def assess(
        self, claim: str, paper: Paper, rivals: Sequence[str] = (), cited: Sequence[Paper] = ()
    ) -> SupportResult:
        """Estimate whether the paper supports the claim; `rivals` are abstracts of papers that may say it instead.

        A sentence of the abstract, word for word, is fully supported. A text that states nothing is not supported.
        The authors, years, venues and titles of the paper, and of the others `cited` beside it, are not claims.
        """
        if not re.search(r"\w", claim):
            return SupportResult(0.0, None, "the claim contains no statement")
        if quote := self._find_verbatim(claim, paper.abstract):
            return SupportResult(1.0, quote, "the abstract says this word for word")
        if claim.rstrip("\"')] \n\t").endswith("?"):
            return SupportResult(0.0, None, "the claim is a question, not a statement")
        self.encode([claim, paper.abstract, *rivals])
        alignment = self.align(claim, paper, cited)
        if alignment is None:
            return SupportResult(0.0, None, "the claim states nothing that a passage could support")
        return self._classify(alignment, self.find_mismatches(alignment, paper, rivals))

    def align(self, claim: str, paper: Paper, cited: Sequence[Paper] = ()) -> ClaimAlignment | None:
        """Find the passage that expresses most of the claim; return None where either text states nothing."""
        self.encode([claim, paper.abstract])
        return self._aligned(claim, mask_references(claim, [paper, *cited]), paper.abstract)

    def find_mismatches(self, alignment: ClaimAlignment, paper: Paper, rivals: Sequence[str]) -> dict[str, Mismatch]:
        """Detect everything that speaks against the claim, by the name of its feature."""
        return {
            "missing_content": mismatches.missing_content(alignment),
            "missing_name": mismatches.missing_name(alignment, paper.title or ""),
            "wrong_number": mismatches.wrong_number(alignment),
            "antonym": mismatches.antonym(alignment, self._axes),
            "negation": mismatches.negation(alignment),
            "overclaim": mismatches.overclaim(alignment),
            "rival_coverage": self._rival_coverage(alignment, rivals),
        }

    def _classify(self, alignment: ClaimAlignment, detected: Mapping[str, Mismatch]) -> SupportResult:
        support = round(probability(features(detected)), 4)
        if self._entailment:
            return _entailed(self._entailment, alignment, detected, support)
        return SupportResult(support, alignment.passage, _reason(detected, support))

    def _rival_coverage(self, alignment: ClaimAlignment, rivals: Sequence[str]) -> Mismatch:
        claim, statement, abstract = alignment.claim.text, alignment.claim.statement, alignment.abstract.text
        aligned = (self._aligned(claim, statement, rival) for rival in rivals if rival != abstract)
        best = max((rival_alignment.coverage for rival_alignment in aligned if rival_alignment), default=0.0)
        excess = max(0.0, best - alignment.coverage - _RIVAL_MARGIN)
        return Mismatch(excess, "another paper says this, but this one does not")

    def _find_verbatim(self, claim: str, abstract: str) -> Passage | None:
        """Find whole sentences of the abstract that are the claim, word for word; white space may differ."""
        sentences = self._sentences(abstract)
        starts, ends = {sentence.start for sentence in sentences}, {sentence.end for sentence in sentences}
        for match in re.finditer(r"\s+".join(map(re.escape, claim.split())), abstract):
            if match.start() in starts and match.end() in ends:
                return Passage(match.group(), match.start(), match.end())
        return None

    def _encode_claim(self, claim: str, statement: str) -> EncodedClaim:
        return encode_claim(self._tokenized[claim], statement, self._lexicon)

    def _encode_abstract(self, abstract: str) -> EncodedAbstract:
        return encode_abstract(self._tokenized[abstract], self._sentences(abstract))

    def _align(self, claim: str, statement: str, abstract: str) -> ClaimAlignment | None:
        return align(self._claim(claim, statement), self._abstract(abstract))


def features(detected: Mapping[str, Mismatch]) -> SupportFeatures:
    """Return the strengths of the mismatches."""
    return SupportFeatures(**{name: mismatch.strength for name, mismatch in detected.items()})


def probability(values: SupportFeatures) -> float:
    """Compute the probability that the claim is supported, 0..1."""
    return logistic.probability(BIAS, WEIGHTS, values)


def _entailed(
    entailment: Entailment, alignment: ClaimAlignment, detected: Mapping[str, Mismatch], support: float
) -> SupportResult:
    """Ask the entailment model about the passage; it cannot overrule a wrong number or a missing name."""
    row = entailment.predict([(alignment.passage.text, alignment.claim.text)])[0]
    contradicts, _, entails = (round(float(share), 4) for share in row)
    if detected["wrong_number"].strength or detected["missing_name"].strength:
        capped = min(support, entails)
        return SupportResult(capped, alignment.passage, _reason(detected, capped))
    opinion = "contradicts the claim" if contradicts > entails else "leaves the claim open"
    if entails >= SUPPORTED_FROM:
        opinion = "supports the claim"
    return SupportResult(entails, alignment.passage, f"the passage {opinion}, according to {entailment.name}")


def _reason(detected: Mapping[str, Mismatch], support: float) -> str:
    """Name the mismatch that weighs most."""
    if support >= SUPPORTED_FROM:
        return "the passage says the same in other words"
    weights = {field.name: getattr(WEIGHTS, field.name) for field in fields(SupportFeatures)}
    return min(detected.items(), key=lambda pair: weights[pair[0]] * pair[1].strength)[1].reason
