"""Read a draft: its format, its sentences with their citations, its own bibliography, and what was not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from assistant.drafts import latex, prose, reference_list
from assistant.drafts.paragraphs import Paragraph
from assistant.drafts.values import BibliographyEntry, DraftFormat, DraftNote, DraftSentence
from assistant.errors import InputError

# Characters of a draft that are read: a thesis has about a million.
MAX_CHARACTERS = 20_000_000
_LATEX = re.compile(r"\\(?:documentclass|begin\{|section\*?\{|chapter\*?\{|[a-zA-Z]*cite[a-zA-Z]*\*?\s*[\[{])")
_MARKDOWN = re.compile(
    r"\A---\s*\n|^#{1,6}[ \t]|\[[^\[\]]*-?@\w|(?<![\w.])@\w[\w:.-]*|\]\(http|```|^[-*+] ", re.MULTILINE
)
_SUFFIXES = {
    ".tex": DraftFormat.LATEX,
    ".ltx": DraftFormat.LATEX,
    ".latex": DraftFormat.LATEX,
    ".md": DraftFormat.MARKDOWN,
    ".markdown": DraftFormat.MARKDOWN,
    ".qmd": DraftFormat.MARKDOWN,
    ".rmd": DraftFormat.MARKDOWN,
    ".txt": DraftFormat.TEXT,
    ".docx": DraftFormat.TEXT,
}


@dataclass(frozen=True, slots=True)
class DraftText:
    """A draft: its text, into which all offsets are, its format, and the bibliography that stands in it.

    `resources` are the names of the .bib files that it names. `notes` is filled while the sentences are read.
    """

    source: str
    format: DraftFormat
    entries: tuple[BibliographyEntry, ...] = ()
    resources: tuple[str, ...] = ()
    notes: list[DraftNote] = field(default_factory=list, compare=False)

    def sentences(self) -> Iterator[DraftSentence]:
        """Yield the sentences in order, with their citations; each paragraph is read as it is asked for."""
        self.notes.clear()
        for paragraph in self._paragraphs(_unix(self.source)):
            yield from paragraph.sentences(self.source)

    def _paragraphs(self, source: str) -> Iterator[Paragraph]:
        if self.format is DraftFormat.LATEX:
            return latex.paragraphs(source, self.notes)
        end = reference_list.split_list(source)
        numbered = any(entry.key.isdigit() for entry in self.entries)
        read = prose.markdown if self.format is DraftFormat.MARKDOWN else prose.text
        return read(source, end, numbered)


def read_draft(source: str, draft_format: DraftFormat | None = None, name: str = "draft") -> DraftText:
    """Return the draft of a text. Raises InputError where the text is empty or too long."""
    if not source.strip():
        raise InputError(name, "the draft is empty")
    if len(source) > MAX_CHARACTERS:
        raise InputError(name, f"{len(source):,} characters are too many for a draft (most: {MAX_CHARACTERS:,})")
    draft_format = draft_format or detect_format(source)
    plain = _unix(source)
    if draft_format is DraftFormat.LATEX:
        return DraftText(source, draft_format, tuple(latex.entries(plain)), tuple(latex.resources(plain)))
    entries = tuple(reference_list.entries(plain, reference_list.split_list(plain)))
    named = prose.resources(plain) if draft_format is DraftFormat.MARKDOWN else ()
    return DraftText(source, draft_format, entries, tuple(named))


def format_of(name: str) -> DraftFormat | None:
    """Return the format that the extension of a file name stands for; None for any other extension."""
    return next((value for suffix, value in _SUFFIXES.items() if name.casefold().endswith(suffix)), None)


def detect_format(source: str) -> DraftFormat:
    """Return the format that a text is written in."""
    if _LATEX.search(source):
        return DraftFormat.LATEX
    return DraftFormat.MARKDOWN if _MARKDOWN.search(source) else DraftFormat.TEXT


def _unix(source: str) -> str:
    """Return the text of the same length with line feeds alone at the ends of its lines."""
    return source.replace("\r\n", " \n").replace("\r", "\n")
