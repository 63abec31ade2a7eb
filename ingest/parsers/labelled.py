"""Text with labels: an arXiv page or digest as pasted, notes in Markdown, `Title: ... Abstract: ...` blocks.

A value goes on over the lines below it, up to a blank line, a rule, a heading or the next label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from assistant.schema import Record
from ingest.parsers.base import LONGEST_RECORD, Line, Problem, clean, first_pieces
from ingest.parsers.fields import Fields, listed, record

# Which of a paper's fields a label means; those that mean none still end the value before them.
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
_BARE = re.compile(rf"(?:#{{1,6}}\s*|[*_]{{2}})?({_NAMES})[*_\s]*", re.IGNORECASE)
_HEADING = re.compile(r"#{1,6}\s+(.+?)[\s#]*")
_RULE = re.compile(r"[-=_*]{3,}")
_SUBMITTED = re.compile(r"\[?submitted on (.*)", re.IGNORECASE)
# Buttons of the page, which are pasted along with it.
_BUTTON = re.compile(r"(?:view|download) (?:a )?pdf.*|html \(experimental\)|tex source|other formats", re.IGNORECASE)
# What parts a digest of arXiv's: the fields from the abstract, and that from its link.
_PARTING = "\\\\"
_IDENTIFIES = re.compile(r"arxiv:\s*\d|arxiv\.org/|doi\.org/", re.IGNORECASE)


@dataclass(slots=True)
class _Part:
    """A paper as far as it was read; `open` is the field that goes on."""

    line: int = 0
    values: dict[str, list[str]] = field(default_factory=dict)
    open: str = ""
    labelled: bool = False
    size: int = 0

    def add(self, name: str, text: str, line: int) -> None:
        self.line = self.line or line
        self.open = name
        self.size += len(text)
        if text and self.size <= LONGEST_RECORD:
            self.values.setdefault(name, []).append(text)


def recognises(head: Sequence[Line]) -> bool:
    """Abstracts are labelled, or parted as in a digest, and so are titles, or they are headings."""
    texts = [clean(line.text) for line in head]
    labels = [name for text in texts if (name := _label(text)[0])]
    titled = "title" in labels or any(_HEADING.fullmatch(text) for text in texts)
    return titled and ("abstract" in labels or (_PARTING in texts and "title" in labels))


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each title with what belongs to it. Text that belongs to no label is passed over."""
    part = _Part()
    for line in first_pieces(lines):
        text = clean(line.text)
        if _BUTTON.fullmatch(text):
            continue
        if _begins_another(text, part):
            yield from _record(part, source)
            part = _Part()
        _read(text, line.number, part)
    yield from _record(part, source)


def _begins_another(text: str, part: _Part) -> bool:
    name = _label(text)[0]
    heading = bool(_HEADING.fullmatch(text)) and not name
    again = name in ("title", "abstract") and name in part.values
    after = name == "title" and "abstract" in part.values
    return heading or again or after or bool(_RULE.fullmatch(text)) or bool(_SUBMITTED.match(text))


def _read(text: str, number: int, part: _Part) -> None:
    """Put a line where it belongs."""
    name, value = _label(text)
    if name is not None:
        part.labelled = True
        part.add(name, value, number)
    elif heading := _HEADING.fullmatch(text):
        part.add("title", heading[1].strip("*_ "), number)
        part.open = ""
    elif submitted := _SUBMITTED.match(text):
        part.add("year", submitted[1], number)
        part.open = ""
    elif text.startswith(_PARTING):
        digest = text == _PARTING and "title" in part.values and "abstract" not in part.values
        part.open = "abstract" if digest else ""
        _identify(text, part)
    elif not text:
        part.open = part.open if part.open and part.open not in part.values else ""
    elif part.open:
        part.add(part.open, text, number)
    else:
        _identify(text, part)


def _identify(text: str, part: _Part) -> None:
    if _IDENTIFIES.search(text):
        part.values.setdefault("arxiv_id", []).append(text)


def _label(text: str) -> tuple[str | None, str]:
    """The field that a line's label means and what follows it; None where there is no label."""
    if found := _LABEL.fullmatch(text):
        return _FIELDS[found[1].lower()], found[2].strip()
    bare = _BARE.fullmatch(text) if text.startswith(("#", "*", "_")) or text.lower() == "abstract" else None
    return (_FIELDS[bare[1].lower()], "") if bare else (None, "")


def _record(part: _Part, source: str) -> Iterator[Record | Problem]:
    """The record of a part; a heading alone is none, but a heading of the text."""
    if part.labelled and not part.values.keys().isdisjoint(["title", "abstract"]):
        texts = {name: " ".join(values) for name, values in part.values.items() if name and name != "authors"}
        authors = listed(" ".join(part.values.get("authors", [])))
        yield record(Fields(**texts, authors=authors), source, part.line)
