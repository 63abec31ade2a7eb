"""Is a claim supported by an abstract? A fitted probability, the passage, and the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

from assistant import logistic
from assistant.protocols import Embedder, Entailment, Lexicon
from assistant.schema import Passage
from assistant.text.sentences import passages
from assistant.verification import objections
from assistant.verification.objections import Comparison, Objection
from assistant.verification.polarity import directions
from assistant.verification.quantities import quantities, same
from assistant.verification.wording import Words, importance, likeness, said, words

# Probability from which a claim counts as supported.
SUPPORTED_FROM = 0.5
# Two sentences are looked at together too, and must say this much more than one; a number of the claim in a passage
# is worth this much.
_PAIR, _NUMBERS = 0.03, 0.1
# A statement has at least this many content words and numbers.
_FEWEST = 2
# How much better another paper must say the claim before that speaks against this one.
_RIVAL = 0.05


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks against a claim, each 0 or more: the strengths of the objections of the same names.

    `rival` is by how much more of the claim another paper says.
    """

    foreign: float = 0.0
    unnamed: float = 0.0
    number: float = 0.0
    opposed: float = 0.0
    denied: float = 0.0
    overstated: float = 0.0
    rival: float = 0.0


# A logistic model over the signs, fitted by `python -m eval calibrate` to the seeds' dev claims, SciFact's training
# claims and claims made wrong by rule. The checks that came later (see eval/README.md) changed what the signs find, yet
# weights fitted with them judge no claim better than these, and claims made wrong less often.
WEIGHTS = Signs(
    foreign=-6.93, unnamed=-2.08, number=-3.67, opposed=-13.88, denied=-6.58, overstated=-2.18, rival=-10.87
)
BIAS = 1.28


@dataclass(frozen=True, slots=True)
class Finding:
    """How likely it is that an abstract supports a claim (0..1), the passage that says most of it, and why."""

    support: float
    passage: Passage | None
    reason: str

    @property
    def supported(self) -> bool:
        """Whether it is likely enough."""
        return self.support >= SUPPORTED_FROM


class Judge:
    """Judges claims by abstracts. A text is read by the embedder once, those of one call in one pass."""

    def __init__(self, embedder: Embedder, lexicon: Lexicon, entailment: Entailment | None = None) -> None:
        self._embedder, self._lexicon, self._entailment = embedder, lexicon, entailment
        self._directions = directions(lexicon)
        self._read: dict[str, Words] = {}

    def read(self, texts: Iterable[str]) -> None:
        """Read texts that are going to be compared."""
        new = [text for text in dict.fromkeys(texts) if text not in self._read]
        for text, reading in zip(new, self._embedder.encode_documents(new), strict=True):
            self._read[text] = words(text, reading, self._lexicon)

    def judge(self, claim: str, abstract: str, title: str = "", rivals: Sequence[str] = ()) -> Finding:
        """Whether the abstract supports the claim; `rivals` are abstracts of other papers that may say it instead.

        A sentence of the abstract, word for word, is wholly supported. What is no statement is not supported.
        """
        quoted = verbatim(claim, abstract)
        if quoted:
            return Finding(1.0, quoted, "said in these words")
        if nothing := _no_statement(claim):
            return Finding(0.0, None, nothing)
        self.read([claim, abstract, *rivals])
        found = self.compare(claim, abstract)
        if found is None:
            return Finding(0.0, None, "there is nothing in it that a passage could support")
        against = self.against(found, title, rivals)
        support = round(probability(signs(against)), 4)
        if self._entailment:
            return self._entailed(self._entailment, found, against, support)
        return Finding(support, found.passage, _reason(against, support))

    def _entailed(
        self, entailment: Entailment, found: Comparison, against: dict[str, Objection], support: float
    ) -> Finding:
        """The model's opinion of the passage; that a number or a name is missing is known better without it."""
        row = entailment.predict([(found.passage.text, found.claim.text)])[0]
        contradicts, _, entails = (round(float(share), 4) for share in row)
        if against["number"].strength or against["unnamed"].strength:
            return Finding(min(support, entails), found.passage, _reason(against, min(support, entails)))
        opinion = "contradicts it" if contradicts > entails else "leaves it open"
        if entails >= SUPPORTED_FROM:
            opinion = "says it"
        return Finding(entails, found.passage, f"the passage {opinion}, by {entailment.name}")

    def compare(self, claim: str, abstract: str) -> Comparison | None:
        """The claim beside the passage, of one or two sentences, that says most of it; both have been read.

        None where the claim has too few words to state anything, or the abstract no sentence.
        """
        own, other = self._read[claim], self._read[abstract]
        telling = _telling(own)
        candidates = _passages(abstract)
        if not telling or len(telling) + len(quantities(claim)) < _FEWEST or not candidates:
            return None
        alike, weights = likeness(own, other), importance(own, telling, self._lexicon)
        whole = Comparison(own, telling, weights, other, alike, candidates[0], ())
        found = [_beside(whole, passage) for passage in candidates]
        return max(found, key=_merit)

    def against(self, found: Comparison, title: str, rivals: Sequence[str]) -> dict[str, Objection]:
        """Everything that speaks against the claim, by the name of its sign."""
        return {
            "foreign": objections.foreign(found),
            "unnamed": objections.unnamed(found, title),
            "number": objections.number(found),
            "opposed": objections.opposed(found, self._directions),
            "denied": objections.denied(found),
            "overstated": objections.overstated(found),
            "rival": self._rival(found, rivals),
        }

    def _rival(self, found: Comparison, rivals: Sequence[str]) -> Objection:
        others = (self.compare(found.claim.text, each) for each in rivals if each != found.abstract.text)
        best = max((_said(each) for each in others if each), default=0.0)
        return Objection(max(0.0, best - _said(found) - _RIVAL), "another paper says this, and this one does not")


def signs(against: dict[str, Objection]) -> Signs:
    """The strengths of the objections."""
    return Signs(**{name: objection.strength for name, objection in against.items()})


def probability(found: Signs) -> float:
    """The logistic model's probability that the claim is supported, 0..1."""
    return logistic.probability(BIAS, WEIGHTS, found)


def verbatim(claim: str, abstract: str) -> Passage | None:
    """Where whole sentences of the abstract are the claim, word for word; white space may differ."""
    parts = claim.split()
    if not parts or not re.search(r"\w", claim):
        return None
    found = passages(abstract)
    starts, ends = {each.start for each in found}, {each.end for each in found}
    for match in re.finditer(r"\s+".join(map(re.escape, parts)), abstract):
        if match.start() in starts and match.end() in ends:
            return Passage(match.group(), match.start(), match.end())
    return None


def _no_statement(claim: str) -> str:
    if not re.search(r"\w", claim):
        return "there is no statement in it"
    return "it is a question, not a statement" if claim.rstrip("\"')] \n\t").endswith("?") else ""


def _telling(claim: Words) -> tuple[int, ...]:
    numbers = [(each.start, each.end) for each in quantities(claim.text)]
    return tuple(
        each
        for each in claim.content()
        if not any(start < claim.spans[each][1] and claim.spans[each][0] < end for start, end in numbers)
    )


def _passages(abstract: str) -> list[Passage]:
    """The sentences of an abstract, and each two neighbours."""
    single = passages(abstract)
    return [*single, *(Passage(abstract[one.start : two.end], one.start, two.end) for one, two in pairwise(single))]


def _beside(whole: Comparison, passage: Passage) -> Comparison:
    within = tuple(whole.abstract.within(passage.start, passage.end))
    return Comparison(whole.claim, whole.telling, whole.weights, whole.abstract, whole.alike, passage, within)


def _said(found: Comparison) -> float:
    return said(found.alike, found.weights, found.telling, found.within)


def _merit(found: Comparison) -> float:
    """What makes a passage the one to be shown: it says much of the claim, has its numbers, and is short."""
    claimed, known = quantities(found.claim.text), quantities(found.passage.text)
    stand = sum(any(same(one, other) for other in known) for one in claimed) / max(1, len(claimed))
    single = len(passages(found.passage.text)) < 2
    return _said(found) + _NUMBERS * stand - (0.0 if single else _PAIR)


def _reason(against: dict[str, Objection], support: float) -> str:
    """Why: what weighs most among the objections."""
    if support >= SUPPORTED_FROM:
        return "the passage says it in other words"
    weights = {field.name: getattr(WEIGHTS, field.name) for field in fields(Signs)}
    return min(against.items(), key=lambda pair: weights[pair[0]] * pair[1].strength)[1].reason
