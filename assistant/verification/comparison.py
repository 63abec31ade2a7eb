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
from assistant.verification.exchange import are_exchanged
from assistant.verification.identifiers import absent_identifiers
from assistant.verification.numbers import NumberMismatch, number_mismatch
from assistant.verification.parts import split

# Abstracts whose sentences are remembered.
_REMEMBERED = 512
# Sentences nearest to a claim that it is also read with.
_NEAREST = 3

_Input: TypeAlias = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class SupportFeatures:
    """The features of a claim beside a paper.

    `supported` and `contradicted` are the log-odds that the pair reader gives, beside the whole abstract and beside the
    sentences nearest to the claim, averaged. Of a claim that joins several
    statements, `weakest_part` and `denied_part` are the log-odds that the least supported one is supported, and that
    the most contradicted one is contradicted, less those of the whole; else 0. `wrong_number` is the strength of the
    worst mismatch of a number, 0..1, or `number_in_words` where that is written in words. `absent_identifier` is 1
    where the paper lacks an identifier of the claim, and `exchanged_words` where its deciding sentence has words of the
    claim in exchanged roles.
    """

    supported: float
    contradicted: float
    weakest_part: float
    denied_part: float
    wrong_number: float
    number_in_words: float
    absent_identifier: float
    exchanged_words: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claim beside a paper: the readings of the whole and of its parts, and what the paper lacks of it.

    `focused` is the reading of the whole claim beside the sentences nearest to it. `are_exchanged` tells whether the
    deciding sentence has words of the claim in exchanged roles.
    """

    whole: PairReading
    focused: PairReading
    parts: Mapping[str, PairReading]
    mismatch: NumberMismatch
    absent_identifiers: tuple[str, ...]
    are_exchanged: bool = False

    @property
    def features(self) -> SupportFeatures:
        """Return the features of the claim."""
        (supported, contradicted), focused = _log_odds(self.whole), _log_odds(self.focused)
        parts = [_log_odds(reading) for reading in self.parts.values()]
        return SupportFeatures(
            supported=(supported + focused[0]) / 2,
            contradicted=(contradicted + focused[1]) / 2,
            weakest_part=min((part[0] for part in parts), default=supported) - supported,
            denied_part=max((part[1] for part in parts), default=contradicted) - contradicted,
            wrong_number=0.0 if self.mismatch.in_words else self.mismatch.strength,
            number_in_words=self.mismatch.strength if self.mismatch.in_words else 0.0,
            absent_identifier=float(bool(self.absent_identifiers)),
            exchanged_words=float(self.are_exchanged),
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
        whole, focused, *parts = self._inputs(pair)
        self._read((whole, focused, *parts))
        statement, text = whole[0], f"{pair.paper.title or ''}\n{pair.paper.abstract}"
        return Comparison(
            self._readings[whole],
            self._readings[focused],
            {item[0]: self._readings[item] for item in parts},
            number_mismatch(statement, text),
            tuple(absent_identifiers(statement, text)),
            are_exchanged(statement, self._deciding_sentence(self._readings[whole], pair.paper)),
        )

    def _deciding_sentence(self, reading: PairReading, paper: Paper) -> str:
        sentences = self.sentences(paper)
        return sentences[deciding_position(reading, len(sentences))].text

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
        """Return what is read: the statement beside title and abstract, beside the nearest sentences, and its parts."""
        statement, sentences = pair.statement, tuple(passage.text for passage in self.sentences(pair.paper))
        text = (pair.paper.title, *sentences) if pair.paper.title else sentences
        focused = tuple(sentences[position] for position in nearest(statement, sentences, _NEAREST))
        return [(statement, text), (statement, focused), *((part, text) for part in split(statement))]


def deciding_position(reading: PairReading, count: int) -> int:
    """Return which of the `count` sentences of an abstract decides; what was read may have had a title before them."""
    scores = reading.deciding[-count:]
    return max(range(count), key=scores.__getitem__)


def nearest(query: str, sentences: Sequence[str], count: int) -> list[int]:
    """Return the positions of the sentences that share most words with the query, in order."""
    words = set(query.casefold().split())
    shared = [len(words & set(sentence.casefold().split())) for sentence in sentences]
    return sorted(sorted(range(len(sentences)), key=lambda position: -shared[position])[:count])


def _log_odds(reading: PairReading) -> tuple[float, float]:
    return logistic.log_odds(reading.supported), logistic.log_odds(reading.contradicted)
