"""Parse labelled text: a pasted arXiv page or digest, Markdown notes, `Title: ... Abstract: ...` blocks.

A value continues on the following lines, up to a blank line, a rule, a heading or the next label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from assistant.schema import Record
from ingest.parsers.base import LONGEST_RECORD, Line, Problem, clean, first_pieces
from ingest.parsers.fields import Fields, make_record, split_names

# The labels of each field; labels without a field still end the value before them.
_LABELS = {
    "title": "title|paper",
    "abstract": "abstract|summary|tl;dr",
    "authors": "authors|author|by",
    "year": "year|date|published|publication date|submitted",
    "venue": "venue|journal|conference|journal-ref|journal ref|journal reference|published in",
    "doi": "doi|related doi",
    "arxiv_id": "arxiv|arxiv id|cite as",
    "url": "url|link|paper url|pdf",
    "": "comments|subjects|categories|keywords|tags|report-no|msc-class|acm-class|license|code|notes",
}
_FIELDS = {label: name for name, labels in _LABELS.items() for label in labels.split("|")}
_NAMES = "|".join(re.escape(label) for label in sorted(_FIELDS, key=len, reverse=True))
_LABEL = re.compile(rf"[\s>#*_+•-]*({_NAMES})[*_\s]*[:：][*_\s]*(.*)", re.IGNORECASE)
_BARE_LABEL = re.compile(rf"(?:#{{1,6}}\s*|[*_]{{2}})?({_NAMES})[*_\s]*", re.IGNORECASE)
_HEADING = re.compile(r"#{1,6}\s+(.+?)[\s#]*")
_RULE = re.compile(r"[-=_*]{3,}")
_SUBMITTED = re.compile(r"\[?submitted on (.*)", re.IGNORECASE)
# Buttons of arXiv's page that are pasted along with the text.
_BUTTON = re.compile(r"(?:view|download) (?:a )?pdf.*|html \(experimental\)|tex source|other formats", re.IGNORECASE)
# The line that separates the fields, the abstract and the link in arXiv's digest.
_DIGEST_SEPARATOR = "\\\\"
_IDENTIFIER = re.compile(r"arxiv:\s*\d|arxiv\.org/|doi\.org/", re.IGNORECASE)


@dataclass(slots=True)
class _LabelledPaper:
    """The values read so far for one paper, and the field that the next line continues."""

    line: int = 0
    values: dict[str, list[str]] = field(default_factory=dict)
    open_field: str = ""
    has_label: bool = False
    size: int = 0

    def add(self, name: str, text: str, line: int, is_open: bool = True) -> None:
        """Add a line to a field, which the next line may continue if it is open."""
        self.line = self.line or line
        self.open_field = name if is_open else ""
        self.size += len(text)
        if text and self.size <= LONGEST_RECORD:
            self.values.setdefault(name, []).append(text)

    def add_identifier(self, text: str) -> None:
        """Add a line as the arXiv id or DOI if it contains one."""
        if _IDENTIFIER.search(text):
            self.values.setdefault("arxiv_id", []).append(text)

    def end_field(self) -> None:
        """Close the open field at a blank line, unless its value is still to come."""
        if self.open_field in self.values:
            self.open_field = ""

    def open_after_separator(self, text: str) -> None:
        """Open the abstract after the fields of a digest; close the open field after the abstract."""
        is_digest = text == _DIGEST_SEPARATOR and "title" in self.values and "abstract" not in self.values
        self.open_field = "abstract" if is_digest else ""
        self.add_identifier(text)


def matches(head: Sequence[Line]) -> bool:
    """Return whether abstracts are labelled or follow a digest separator, and titles are labelled or headings."""
    texts = [clean(line.text) for line in head]
    names = [name for text in texts if (name := _label(text)[0])]
    has_titles = "title" in names or any(_HEADING.fullmatch(text) for text in texts)
    return has_titles and ("abstract" in names or (_DIGEST_SEPARATOR in texts and "title" in names))


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each title with its fields. Text without a label is skipped."""
    paper = _LabelledPaper()
    for line in first_pieces(lines):
        text = clean(line.text)
        if _BUTTON.fullmatch(text):
            continue
        if _starts_paper(text, paper):
            yield from _record(paper, source)
            paper = _LabelledPaper()
        _add_line(text, line.number, paper)
    yield from _record(paper, source)


def _starts_paper(text: str, paper: _LabelledPaper) -> bool:
    """Return whether a line begins another paper than the current one."""
    name = _label(text)[0]
    is_heading = bool(_HEADING.fullmatch(text)) and not name
    is_repeated = name in ("title", "abstract") and name in paper.values
    is_next_title = name == "title" and "abstract" in paper.values
    return is_heading or is_repeated or is_next_title or bool(_RULE.fullmatch(text)) or bool(_SUBMITTED.match(text))


def _add_line(text: str, number: int, paper: _LabelledPaper) -> None:
    """Add a line to the paper, as a labelled value, a heading or the continuation of a value."""
    name, value = _label(text)
    if name is not None:
        paper.has_label = True
        paper.add(name, value, number)
    elif heading := _HEADING.fullmatch(text):
        paper.add("title", heading[1].strip("*_ "), number, is_open=False)
    elif submitted := _SUBMITTED.match(text):
        paper.add("year", submitted[1], number, is_open=False)
    elif text.startswith(_DIGEST_SEPARATOR):
        paper.open_after_separator(text)
    elif not text:
        paper.end_field()
    elif paper.open_field:
        paper.add(paper.open_field, text, number)
    else:
        paper.add_identifier(text)


def _label(text: str) -> tuple[str | None, str]:
    """Return the field of a line's label and the text after it; None if the line has no label."""
    if match := _LABEL.fullmatch(text):
        return _FIELDS[match[1].lower()], match[2].strip()
    bare = _BARE_LABEL.fullmatch(text) if text.startswith(("#", "*", "_")) or text.lower() == "abstract" else None
    return (_FIELDS[bare[1].lower()], "") if bare else (None, "")


def _record(paper: _LabelledPaper, source: str) -> Iterator[Record | Problem]:
    """Yield the record of a paper with a label; a heading without any label belongs to the surrounding text."""
    if paper.has_label and not paper.values.keys().isdisjoint(["title", "abstract"]):
        texts = {name: " ".join(values) for name, values in paper.values.items() if name and name != "authors"}
        authors = split_names(" ".join(paper.values.get("authors", [])))
        yield make_record(Fields(**texts, authors=authors), source, paper.line)
