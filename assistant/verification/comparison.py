"""Compare a claim with a paper: what the pair reader makes of it and of its parts, its numbers and its identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from assistant import logistic
from assistant.citations import mask_references
from assistant.encodings import PairReading
from assistant.protocols import PairReader
from assistant.schema import Paper, Passage
from assistant.text.sentences import passages
from assistant.verification.identifiers import absent_identifiers
from assistant.verification.numbers import NumberMismatch, number_mismatch
from assistant.verification.parts import split

# Abstracts whose sentences are remembered.
_REMEMBERED = 512

_Input: TypeAlias = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class SupportFeatures:
    """The features of a claim beside a paper.

    `supported` and `contradicted` are the log-odds that the pair reader gives. Of a claim that joins several
    statements, `weakest_part` and `denied_part` are the log-odds that the least supported one is supported, and that
    the most contradicted one is contradicted, less those of the whole; else 0. `wrong_number` is the strength of the
    worst mismatch of a number, 0..1, and `absent_identifier` is 1 where the paper lacks an identifier of the claim.
    """

    supported: float
    contradicted: float
    weakest_part: float
    denied_part: float
    wrong_number: float
    absent_identifier: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claim beside a paper: the readings of the whole and of its parts, and what the paper lacks of it."""

    whole: PairReading
    parts: Mapping[str, PairReading]
    mismatch: NumberMismatch
    absent_identifiers: tuple[str, ...]

    @property
    def features(self) -> SupportFeatures:
        """Return the features of the claim."""
        supported, contradicted = _log_odds(self.whole)
        parts = [_log_odds(reading) for reading in self.parts.values()]
        return SupportFeatures(
            supported=supported,
            contradicted=contradicted,
            weakest_part=min((part[0] for part in parts), default=supported) - supported,
            denied_part=max((part[1] for part in parts), default=contradicted) - contradicted,
            wrong_number=self.mismatch.strength,
            absent_identifier=float(bool(self.absent_identifiers)),
        )

    @property
    def weakest_part(self) -> str | None:
        """Return the part that is supported least; None of a claim that is one statement."""
        return min(self.parts, key=lambda part: self.parts[part].supported, default=None)


@dataclass(frozen=True, slots=True)
class ClaimPair:
    """A claim and the paper to compare it with; `cited` are other papers that the claim may name."""

    claim: str
    paper: Paper
    cited: tuple[Paper, ...] = ()

    @property
    def statement(self) -> str:
        """Return the claim without references to papers."""
        return " ".join(mask_references(self.claim, [self.paper, *self.cited]).split())


class ClaimReader:
    """Compare claims with papers. Each pair is read once within the lifetime of a reader."""

    def __init__(self, reader: PairReader) -> None:
        self._reader = reader
        self._readings: dict[_Input, PairReading] = {}
        self._sentences = lru_cache(_REMEMBERED)(passages)

    def read(self, pairs: Iterable[ClaimPair]) -> None:
        """Read all that will be compared, but no quotations, together. Raises ModelError."""
        self._read(item for pair in pairs if not self.find_verbatim(pair) for item in self._inputs(pair) if item[0])

    def compare(self, pair: ClaimPair) -> Comparison:
        """Return what a claim and a paper with an abstract have in common. Raises ModelError."""
        whole, *parts = self._inputs(pair)
        self._read((whole, *parts))
        text = f"{pair.paper.title or ''}\n{pair.paper.abstract}"
        return Comparison(
            self._readings[whole],
            {item[0]: self._readings[item] for item in parts},
            number_mismatch(pair.statement, text),
            tuple(absent_identifiers(pair.statement, text)),
        )

    def sentences(self, paper: Paper) -> Sequence[Passage]:
        """Return the sentences of the abstract."""
        return self._sentences(paper.abstract)

    def find_verbatim(self, pair: ClaimPair) -> Passage | None:
        """Find whole sentences of the abstract that are the claim, word for word; white space may differ."""
        sentences = self.sentences(pair.paper)
        starts, ends = {sentence.start for sentence in sentences}, {sentence.end for sentence in sentences}
        for match in re.finditer(r"\s+".join(map(re.escape, pair.claim.split())), pair.paper.abstract):
            if match.start() in starts and match.end() in ends:
                return Passage(match.group(), match.start(), match.end())
        return None

    def _read(self, inputs: Iterable[_Input]) -> None:
        missing = [item for item in dict.fromkeys(inputs) if item not in self._readings]
        self._readings.update(zip(missing, self._reader.read(missing), strict=True))

    def _inputs(self, pair: ClaimPair) -> list[_Input]:
        """Return what is read: the statement, then its parts, each with the sentences of the paper behind its title."""
        sentences = tuple(passage.text for passage in self.sentences(pair.paper))
        text = (pair.paper.title, *sentences) if pair.paper.title else sentences
        return [(query, text) for query in (pair.statement, *split(pair.statement))]


def _log_odds(reading: PairReading) -> tuple[float, float]:
    return logistic.log_odds(reading.supported), logistic.log_odds(reading.contradicted)
