"""What is worth a remark in the check of a draft: the list that terminals and editors show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from assistant.drafts.values import (
    CitationCheck,
    CitationVerdict,
    EntryCheck,
    EntryStatus,
    SentenceCheck,
    SentenceVerdict,
)
from assistant.schema import Paper
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from assistant.text.titles import display_title

_LONGEST = 300


class DraftRule(StrEnum):
    """The kind of a finding."""

    CONTRADICTED = "contradicted"
    WRONG_CITATION = "wrong-citation"
    MISSING_CITATION = "missing-citation"
    UNKNOWN_PAPER = "unknown-paper"
    METADATA_DIFFERS = "metadata-differs"
    DUPLICATE_ENTRY = "duplicate-entry"
    MISSING_ENTRY = "missing-entry"

    @property
    def level(self) -> str:
        """Return how grave it is, in SARIF's words."""
        if self is DraftRule.CONTRADICTED:
            return "error"
        is_remark = self in (DraftRule.MISSING_CITATION, DraftRule.UNKNOWN_PAPER, DraftRule.DUPLICATE_ENTRY)
        return "note" if is_remark else "warning"

    @property
    def description(self) -> str:
        """Return what it means, in a sentence."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    DraftRule.CONTRADICTED: "A paper says otherwise than the sentence.",
    DraftRule.WRONG_CITATION: "The cited paper does not say what the sentence says.",
    DraftRule.MISSING_CITATION: "A paper of the library supports a sentence that has no citation.",
    DraftRule.UNKNOWN_PAPER: "The library does not have the cited paper, so that nothing can be said of it.",
    DraftRule.METADATA_DIFFERS: "The entry of the bibliography and the library describe the paper differently.",
    DraftRule.DUPLICATE_ENTRY: "Two entries of the bibliography are the same paper.",
    DraftRule.MISSING_ENTRY: "The draft cites a key that its bibliography does not have.",
}


@dataclass(frozen=True, slots=True)
class DraftFinding:
    """A finding with its message and its offsets in the draft."""

    rule: DraftRule
    message: str
    start: int
    end: int


def sentence_findings(check: SentenceCheck) -> Iterator[DraftFinding]:
    """Yield what is to say of a sentence."""
    sentence = check.sentence
    if check.verdict is SentenceVerdict.CONTRADICTED and check.paper and check.passage:
        message = f"“{_title(check.paper)}” says otherwise: “{_short(check.passage.text)}”{_other_side(check)}"
        yield DraftFinding(DraftRule.CONTRADICTED, message, sentence.start, sentence.end)
    for cited in check.citations:
        yield from _citation_findings(cited, check)
    if check.suggestions and not check.citations:
        papers = "; ".join(f"“{_title(item.paper)}” ({item.confidence:.2f})" for item in check.suggestions)
        yield DraftFinding(DraftRule.MISSING_CITATION, f"could cite {papers}", sentence.start, sentence.end)


def _other_side(check: SentenceCheck) -> str:
    """Return what the best paper to cite says for a contradicted sentence; empty where none does."""
    best = next((item for item in check.suggestions if item.passage), None)
    return f"; “{_title(best.paper)}” says so: “{_short(best.passage.text)}”" if best and best.passage else ""


def entry_message(check: EntryCheck) -> tuple[DraftRule, str] | None:
    """Return what is to say of an entry of the bibliography, if anything."""
    if check.missing:
        return DraftRule.MISSING_ENTRY, f"{check.key} is cited, and has no entry in the bibliography"
    if check.status is EntryStatus.DUPLICATE:
        return DraftRule.DUPLICATE_ENTRY, f"{check.key} is the same paper as {check.duplicate_of}"
    if check.status is EntryStatus.DIFFERS:
        fields = "; ".join(
            f"{name}: “{_short(found.draft)}” here, “{_short(found.library)}” in the library"
            for name, found in check.differences.items()
        )
        return DraftRule.METADATA_DIFFERS, f"{check.key}: {fields}"
    if check.status is EntryStatus.UNKNOWN:
        return DraftRule.UNKNOWN_PAPER, f"{check.key} is not in the library; this does not mean that it does not exist"
    return None


def _citation_findings(cited: CitationCheck, check: SentenceCheck) -> Iterator[DraftFinding]:
    start, end, key = cited.citation.start, cited.citation.end, cited.citation.key
    if cited.verdict is CitationVerdict.UNKNOWN:
        yield DraftFinding(DraftRule.UNKNOWN_PAPER, f"{key} is not in the library", start, end)
    if cited.verdict is CitationVerdict.UNSUPPORTED:
        instead = f"; “{_title(check.suggestions[0].paper)}” does" if check.suggestions else ""
        message = f"{key}: “{_title(cited.paper)}” does not say so{instead}" if cited.paper else key
        yield DraftFinding(DraftRule.WRONG_CITATION, message, start, end)
    if cited.verdict is CitationVerdict.CONTRADICTED and check.verdict is not SentenceVerdict.CONTRADICTED:
        message = f"{key}: “{_title(cited.paper)}” says otherwise" if cited.paper else key
        yield DraftFinding(DraftRule.WRONG_CITATION, message, start, end)


def _title(paper: Paper) -> str:
    return _short(display_title(paper))


def _short(text: str) -> str:
    line = one_line(to_text(text))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST].rsplit(' ', 1)[0]} ..."
