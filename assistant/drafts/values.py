"""The values of a draft and of its check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assistant.schema import Paper, Passage, Record


class DraftFormat(StrEnum):
    """The format of a draft."""

    LATEX = "latex"
    MARKDOWN = "markdown"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class DraftCitation:
    """A key that a sentence cites; `start` and `end` are the offsets of the whole citation in the draft.

    `clause` is the part of the sentence that the citation stands behind, where the sentence has several citations;
    `narrative` tells whether the citation is a part of the sentence: `\\citet{lin} show ...`.
    """

    key: str
    start: int
    end: int
    clause: str = ""
    narrative: bool = False


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """A sentence of a draft: `draft[start:end] == text`. `statement` is its prose, without markup and citations."""

    text: str
    start: int
    end: int
    statement: str
    citations: tuple[DraftCitation, ...] = ()


@dataclass(frozen=True, slots=True)
class BibliographyEntry:
    """An entry of a bibliography under its key: fields of a .bib file, or the text of a list of references.

    Of a text, the record has the identifiers and the year; its title is the text.
    """

    key: str
    record: Record
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class DraftNote:
    """A remark on a draft that was not read as a whole, such as a file that it includes; `start` is its offset."""

    text: str
    start: int = 0


class EntryStatus(StrEnum):
    """What the library makes of an entry of a bibliography.

    UNKNOWN does not mean that the paper does not exist: the library lacks it.
    """

    KNOWN = "known"
    UNKNOWN = "unknown"
    DUPLICATE = "duplicate"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field of an entry as the draft has it, and as the library does."""

    draft: str
    library: str


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """An entry of a bibliography with the paper that it means; `duplicate_of` is the key of an earlier entry of it.

    `missing` tells that the draft cites the key without an entry for it.
    """

    key: str
    status: EntryStatus
    paper: Paper | None = None
    differences: Mapping[str, FieldDifference] = field(default_factory=dict)
    duplicate_of: str | None = None
    missing: bool = False


class SentenceVerdict(StrEnum):
    """What the library says of a sentence; UNSUPPORTED: no paper of it states the sentence or denies it."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNSUPPORTED = "unsupported"
    STATES_NOTHING = "states_nothing"


class CitationVerdict(StrEnum):
    """What a cited paper says of the sentence; UNKNOWN: the library lacks that paper, UNCHECKED: or its abstract."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class CitationCheck:
    """A citation with the paper that it means, and whether that paper supports the sentence.

    `support` and `contradiction` are probabilities, 0..1, and `passage` is the sentence of the abstract behind them.
    """

    citation: DraftCitation
    paper: Paper | None
    verdict: CitationVerdict
    support: float = 0.0
    contradiction: float = 0.0
    passage: Passage | None = None
    reason: str = ""

    @property
    def is_wrong(self) -> bool:
        """Tell whether the cited paper is there and does not support the sentence."""
        return self.verdict in (CitationVerdict.CONTRADICTED, CitationVerdict.UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A paper to cite behind a sentence, with the probability that it supports it and the sentence that does."""

    paper: Paper
    confidence: float
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class SentenceCheck:
    """A sentence with its verdict, and the passage of the paper that decides it.

    `support` and `contradiction` are probabilities, 0..1. `suggestions` are papers to cite, the best first.
    """

    sentence: DraftSentence
    verdict: SentenceVerdict
    support: float = 0.0
    contradiction: float = 0.0
    passage: Passage | None = None
    paper: Paper | None = None
    reason: str = ""
    citations: tuple[CitationCheck, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def is_alarm(self) -> bool:
        """Tell whether something is wrong: a contradiction, or a citation of a paper that does not say so."""
        return self.verdict is SentenceVerdict.CONTRADICTED or any(check.is_wrong for check in self.citations)


@dataclass(frozen=True, slots=True)
class DraftCheck:
    """The check of a whole draft."""

    sentences: tuple[SentenceCheck, ...]
    bibliography: tuple[EntryCheck, ...] = ()
    notes: tuple[DraftNote, ...] = ()

    def count(self, verdict: SentenceVerdict) -> int:
        """Return the number of sentences with this verdict."""
        return sum(check.verdict is verdict for check in self.sentences)

    @property
    def is_contradicted(self) -> bool:
        """Tell whether a sentence is contradicted."""
        return any(check.verdict is SentenceVerdict.CONTRADICTED for check in self.sentences)
