"""Hold a paragraph as prose that maps back to the draft, and split it into sentences with their citations."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.drafts.values import DraftCitation, DraftSentence
from assistant.text.function_words import PREPOSITIONS
from assistant.text.sentences import spans

# What stands for the authors that a citation names where it is a part of the sentence: no name is a statement.
_AUTHORS = "the authors"
# Words from which the part of a sentence before a citation is a statement.
_MIN_CLAUSE = 5
_PREPOSITION = re.compile(rf"(?:^|\W)(?:{'|'.join(sorted(PREPOSITIONS))}|as)\s*$", re.IGNORECASE)
_SENTENCE_START = re.compile(r"(?:^|[.?!][\"'”’)\]]*)\s*$")
# What a citation leaves behind where it is taken out.
_EMPTY_BRACKETS = re.compile(r"\s*[(\[]\s*(?:see(?:\s+also)?|cf\.?|e\.g\.?,?|and|[;,\s])*\s*[)\]]")
_BEFORE_PUNCTUATION = re.compile(r"\s+(?=[.,;:!?)\]])")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class InlineCitation:
    """Keys that are cited before the character of the prose at `position`; `start` and `end` are draft offsets."""

    keys: tuple[str, ...]
    position: int
    start: int
    end: int
    narrative: bool


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The prose of a paragraph: character i comes from `starts[i]` to `ends[i]` of the draft."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    citations: tuple[InlineCitation, ...] = ()

    def sentences(self, draft: str) -> Iterator[DraftSentence]:
        """Yield the sentences that have words."""
        bounds = [bound for bound in spans(self.text) if _WORD.search(self.text, *bound)]
        owned = self._owned(bounds)
        for number, (start, end) in enumerate(bounds):
            citations = owned[number]
            first = min([self.starts[start], *(citation.start for citation in citations)])
            last = max([self.ends[end - 1], *(citation.end for citation in citations)])
            cited = tuple(self._cited(citations, start, end))
            yield DraftSentence(draft[first:last], first, last, tidy(self.text[start:end]), cited)

    def _owned(self, bounds: Sequence[tuple[int, int]]) -> list[list[InlineCitation]]:
        """Return the citations of each sentence; one behind a full stop belongs to the sentence before it."""
        owned: list[list[InlineCitation]] = [[] for _ in bounds]
        starts = [start for start, _ in bounds]
        for citation in self.citations if bounds else ():
            # One that is a part of the sentence is its first word where it stands at its start.
            owner = bisect_left(starts, citation.position + citation.narrative) - 1
            owned[max(owner, 0)].append(citation)
        return owned

    def _cited(self, citations: Sequence[InlineCitation], start: int, end: int) -> Iterator[DraftCitation]:
        """Yield each key with its clause: the prose from the citation before it to this one."""
        positions = sorted({min(max(citation.position, start), end) for citation in citations})
        for citation in citations:
            clause = self._clause(min(max(citation.position, start), end), positions, start, end)
            for key in citation.keys:
                yield DraftCitation(key, citation.start, citation.end, clause, citation.narrative)

    def _clause(self, position: int, positions: Sequence[int], start: int, end: int) -> str:
        """Return the clause of one of several citations; empty where a clause of them is no statement."""
        if len(positions) < 2 or any(citation.narrative for citation in self.citations):
            return ""
        edges = [start, *positions[:-1], end]
        clauses = [tidy(self.text[first:last]) for first, last in pairwise(edges)]
        is_split = all(len(clause.split()) >= _MIN_CLAUSE for clause in clauses)
        return clauses[positions.index(position)].strip(" ,;") if is_split else ""


class ParagraphBuilder:
    """Collects the prose of one paragraph after the other."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._citations: list[InlineCitation] = []

    def add(self, text: str, start: int, end: int) -> None:
        """Add prose; text of the length of its source is mapped character by character."""
        is_verbatim = len(text) == end - start
        self._text += text
        self._starts += range(start, end) if is_verbatim else [start] * len(text)
        self._ends += range(start + 1, end + 1) if is_verbatim else [end] * len(text)

    def cite(self, keys: Sequence[str], start: int, end: int, following: str, narrative: bool = False) -> None:
        """Add a citation; one behind a preposition, or that opens a sentence which goes on, is a part of the sentence.

        `following` is the text of the draft behind it.
        """
        before = "".join(self._text[-80:])
        opens = bool(_SENTENCE_START.search(before))
        goes_on = following.lstrip("~ \t\n)")[:1].islower()
        narrative = narrative or (opens and goes_on) or bool(_PREPOSITION.search(before))
        position = len(self._text)
        while not narrative and position and self._text[position - 1].isspace():
            position -= 1
        self._citations.append(InlineCitation(tuple(keys), position, start, end, narrative))
        if narrative:
            self.add(_AUTHORS.capitalize() if opens else _AUTHORS, start, end)

    def annotate(self, footnote: Iterable[Paragraph], start: int | None = None, end: int = 0) -> list[Paragraph]:
        """Cite here what a footnote only cites; return the paragraphs of one that says more.

        The offsets of its citations are their own, or `start` and `end`: those of the mark of a footnote further down.
        """
        paragraphs = list(footnote)
        citations = [citation for paragraph in paragraphs for citation in paragraph.citations]
        if not citations or sum(len(paragraph.text.split()) for paragraph in paragraphs) >= _MIN_CLAUSE:
            return paragraphs
        for citation in citations:
            span = (citation.start, citation.end) if start is None else (start, end)
            self.cite(citation.keys, *span, following="")
        return []

    def finish(self, footnotes: list[Paragraph]) -> Iterator[Paragraph]:
        """Yield the paragraph, if it has words or citations, and its footnotes, which are cleared; begin the next."""
        paragraph = Paragraph("".join(self._text), self._starts, self._ends, tuple(self._citations))
        self.__init__()  # type: ignore[misc]
        if paragraph.citations or _WORD.search(paragraph.text):
            yield paragraph
        yield from footnotes
        footnotes.clear()


def tidy(text: str) -> str:
    """Return prose in one line, without what citations leave behind where they are taken out."""
    return " ".join(_BEFORE_PUNCTUATION.sub("", _EMPTY_BRACKETS.sub("", text)).split()).strip()
