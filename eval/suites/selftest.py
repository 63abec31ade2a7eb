"""Generate questions from the user's own library without a language model.

A known-item test (Azzopardi and de Rijke 2006, "Automatic construction of known-item finding test beds"): papers are
drawn at random. A third of the questions are titles, removed from their papers; a third are sentences, removed from
their abstracts; a third are titles or sentences of papers that are left out of the library, so that nothing answers
them.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from assistant.errors import InputError
from assistant.schema import Paper
from assistant.text.sentences import passages
from eval.suites import Question
from eval.suites.selection import Suite

NAME = "selftest"
_MIN_WORDS = 3
_MIN_SENTENCES = 3
_MIN_PAPERS = 12
_REMEDY = "add some with paperchat ingest PATH"


@dataclass(frozen=True, slots=True)
class _KnownItem:
    """A question from a paper, and the paper as the test library holds it: changed, or None if it is left out."""

    source: Paper
    indexed: Paper | None
    question: Question


def generate_suite(papers: Iterable[Paper], size: int, questions: int) -> Suite:
    """Generate a suite over at most `size` papers with at most `questions` questions; deterministic.

    Raises InputError for a library that is too small.
    """
    drawn = heapq.nsmallest(size, papers, key=_hash)
    if len(drawn) < _MIN_PAPERS:
        raise InputError("library", f"it holds {len(drawn)} papers; a test needs at least {_MIN_PAPERS}: {_REMEDY}")
    count = min(questions, len(drawn) // 2) // 3
    titles = _generate(drawn, _without_title, "title", count)
    sentences = _generate(_remaining(drawn, titles), _without_sentence, "sentence", count)
    absent = _generate(_remaining(drawn, titles + sentences), _left_out, "left out", count)
    items = titles + sentences + absent
    if not items:
        raise InputError("library", "no paper has a title or three sentences, so there is nothing to ask about")
    indexed = {paper.id: paper for paper in drawn} | {item.source.id: item.indexed for item in items}
    return Suite(NAME, tuple(item.question for item in items), NAME, tuple(filter(None, indexed.values())))


def _generate(
    papers: Sequence[Paper], make: Callable[[Paper], tuple[Paper | None, str] | None], kind: str, count: int
) -> list[_KnownItem]:
    """Generate questions of one kind from the first papers that allow it."""
    items: list[_KnownItem] = []
    for paper in papers:
        if len(items) < count and (result := make(paper)):
            indexed, text = result
            relevant = frozenset({paper.id} if indexed else ())
            question = Question(f"{kind.replace(' ', '-')}-{paper.id}", text, relevant, "", kind)
            items.append(_KnownItem(paper, indexed, question))
    return items


def _without_title(paper: Paper) -> tuple[Paper, str] | None:
    if not paper.title or len(paper.title.split()) < _MIN_WORDS:
        return None
    return replace(paper, title=None), paper.title


def _without_sentence(paper: Paper) -> tuple[Paper, str] | None:
    """Remove a sentence from the middle: the first and the last are less specific."""
    inner = [passage for passage in passages(paper.abstract)[1:-1] if len(passage.text.split()) >= _MIN_WORDS]
    if len(inner) < _MIN_SENTENCES - 2:
        return None
    removed = inner[int(_hash(paper), 16) % len(inner)]
    rest = f"{paper.abstract[: removed.start].rstrip()} {paper.abstract[removed.end :].lstrip()}"
    return replace(paper, abstract=rest), removed.text


def _left_out(paper: Paper) -> tuple[None, str] | None:
    result = _without_title(paper) or _without_sentence(paper)
    return (None, result[1]) if result else None


def _remaining(papers: Sequence[Paper], items: Sequence[_KnownItem]) -> list[Paper]:
    used = {item.source.id for item in items}
    return [paper for paper in papers if paper.id not in used]


def _hash(paper: Paper) -> str:
    """Hash the id, for an order that is independent of how papers were added."""
    return hashlib.sha256(paper.id.encode("utf-8", "replace")).hexdigest()
