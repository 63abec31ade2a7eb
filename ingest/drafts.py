"""Open a draft with its bibliography, add that to the library, and check the draft against it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from assistant.drafts.checking import THRESHOLDS, CheckThresholds, DraftJudge
from assistant.drafts.cited_papers import CitedPapers
from assistant.drafts.lines import SourceLines
from assistant.drafts.reading import MAX_CHARACTERS, DraftText, format_of, read_draft
from assistant.drafts.values import (
    BibliographyEntry,
    DraftCheck,
    DraftFormat,
    DraftNote,
    EntryCheck,
    EntryStatus,
    SentenceCheck,
)
from assistant.errors import InputError
from assistant.schema import Query
from assistant.verification.support import SupportModel
from ingest import bibliography
from ingest.parsers import docx
from ingest.parsers.text import refuse_binary

if TYPE_CHECKING:
    from assistant.chat import Assistant

# Papers that a sentence is compared with, beside those that it cites.
COMPARED = 3
# Encodings in which every character of a file is known.
_EXACT = ("utf-8", "utf-8-sig", "utf-16")


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A draft with its bibliography: the entries of the .bib files, then those that stand in it.

    `is_document` tells whether it is the text of a Word document.
    """

    text: DraftText
    entries: tuple[BibliographyEntry, ...] = ()
    notes: tuple[DraftNote, ...] = ()
    bib_files: tuple[Path, ...] = ()
    encoding: str = "utf-8"
    is_document: bool = False


class DraftRun:
    """A check in progress. Closing the iterator of its sentences stops the work."""

    def __init__(self, draft: OpenDraft, cited: CitedPapers, checks: Sequence[EntryCheck], judge: DraftJudge) -> None:
        self.draft = draft
        self._cited, self._checks, self._judge = cited, list(checks), judge
        self._checked: list[SentenceCheck] = []
        self.lines = SourceLines(draft.text.source)

    def sentences(self) -> Iterator[SentenceCheck]:
        """Yield each sentence as it is checked. Raises LibraryError, and ModelError where a model fails."""
        for check in self._judge.check(self.draft.text.sentences()):
            self._checked.append(check)
            yield check

    def result(self) -> DraftCheck:
        """Return the check of the sentences that were checked, with the bibliography."""
        notes = (*self.draft.notes, *self.draft.text.notes)
        return DraftCheck(tuple(self._checked), (*self._checks, *self._missing()), notes)

    def _missing(self) -> Iterator[EntryCheck]:
        """Yield the keys that are cited without an entry, where the draft has a bibliography."""
        keys = dict.fromkeys(cited.citation.key for check in self._checked for cited in check.citations)
        for key in keys if self._checks else ():
            if not self._cited.has_entry(key):
                yield EntryCheck(key, EntryStatus.UNKNOWN, missing=True)


def open_file(path: Path, bib: Sequence[Path] = ()) -> OpenDraft:
    """Return the draft of a file, with the .bib files given, or else those beside it. Raises InputError."""
    draft = open_bytes(bibliography.read_file(path), path.name, format_of(path.name))
    files = list(bib) or bibliography.find_files(path, draft.text.resources)
    return with_bibliography(draft, [(bibliography.read_file(file), file.name) for file in files], files)


def open_stream(stream: BinaryIO, bib: Sequence[Path] = ()) -> OpenDraft:
    """Return the draft of standard input. Raises InputError."""
    draft = open_bytes(stream.read(MAX_CHARACTERS * 4 + 1), "standard input")
    return with_bibliography(draft, [(bibliography.read_file(file), file.name) for file in bib], bib)


def open_bytes(data: bytes, name: str, draft_format: DraftFormat | None = None) -> OpenDraft:
    """Return the draft of a file's content. Raises InputError for an empty file, and for one that is no text."""
    if not data.strip():
        raise InputError(name, "the draft is empty")
    if docx.is_docx(data):
        return OpenDraft(read_draft(docx.text(data, name), DraftFormat.TEXT, name), is_document=True)
    text, encoding = decode(data, name)
    notes = () if encoding in _EXACT else (DraftNote(f"{name}: not UTF-8; read as {encoding}"),)
    return OpenDraft(read_draft(text, draft_format, name), notes=notes, encoding=encoding)


def open_text(text: str, draft_format: DraftFormat | None = None) -> OpenDraft:
    """Return the draft of a text. Raises InputError where it is empty or too long."""
    return OpenDraft(read_draft(text.encode("utf-8", "replace").decode("utf-8"), draft_format))


def decode(data: bytes, name: str) -> tuple[str, str]:
    """Return the text of a file, with its line ends, and its encoding. Raises InputError where it is no text."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace"), "utf-16"
    refuse_binary(data[:65536], name)
    encoding = "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8"
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), "windows-1252"


def with_bibliography(draft: OpenDraft, files: Sequence[tuple[bytes, str]], paths: Sequence[Path] = ()) -> OpenDraft:
    """Return the draft with the entries of .bib files beside its own. Raises InputError."""
    notes = list(draft.notes)
    entries = [entry for data, name in files for entry in bibliography.read_entries(data, name, notes)]
    return replace(draft, entries=(*entries, *draft.text.entries), notes=tuple(notes), bib_files=tuple(paths))


def check(draft: OpenDraft, assistant: Assistant, thresholds: CheckThresholds = THRESHOLDS) -> DraftRun:
    """Begin the check of a draft. Raises LibraryError, and ModelError while sentences are checked."""
    library, indexes = assistant.library, assistant.library.fresh()
    checks = bibliography.check_entries(draft.entries, library.catalog)
    cited = CitedPapers(draft.entries, checks, library.catalog.papers, library.catalog.synced)
    judge = DraftJudge(
        lambda text: assistant.find(Query(text, text), indexes, top_k=COMPARED).hits,
        cited.find,
        lambda: SupportModel(assistant.reader, indexes.lexicon, assistant.entailment),
        thresholds,
    )
    return DraftRun(draft, cited, checks, judge)
