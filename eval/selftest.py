"""Questions made from a person's own library, without a language model: how well does the assistant know these papers?

A known-item test (Azzopardi and de Rijke 2006, "Automatic construction of known-item finding test beds"): papers are
drawn, and a third of those asked about lose their title, which becomes the question; a third lose a sentence, which
does; and a third are left out altogether, so that nothing answers their titles or sentences.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from assistant.errors import InputError
from assistant.schema import Paper
from assistant.text.sentences import passages
from eval.suites import Question
from eval.suites.selection import Exam

NAME = "selftest"
_FEWEST_WORDS = 3
_FEWEST_SENTENCES = 3
_FEWEST_PAPERS = 12
_CURE = "add some with paperchat ingest PATH"


def exam(papers: Iterable[Paper], size: int, questions: int) -> Exam:
    """A suite over at most `size` of the papers, with at most `questions` about them; the same papers give the same.

    Raises InputError for a library that is too small.
    """
    drawn = heapq.nsmallest(size, papers, key=_draw)
    if len(drawn) < _FEWEST_PAPERS:
        raise InputError("library", f"it holds {len(drawn)} papers; a test needs at least {_FEWEST_PAPERS}: {_CURE}")
    share = min(questions, len(drawn) // 2) // 3
    titles = _take(drawn, _without_title, "title", share)
    sentences = _take(_others(drawn, titles), _without_sentence, "sentence", share)
    absent = _take(_others(drawn, titles + sentences), _absent, "left out", share)
    asked = titles + sentences + absent
    if not asked:
        raise InputError("library", "no paper has a title or three sentences, so there is nothing to ask about")
    held = {paper.id: paper for paper in drawn} | {paper.id: changed for paper, changed, _ in asked}
    return Exam(NAME, tuple(question for *_, question in asked), NAME, tuple(filter(None, held.values())))


# A paper that is asked about, what the test's library has of it, if anything, and the question.
_Made = tuple[Paper, Paper | None, Question]


def _take(
    papers: Sequence[Paper], make: Callable[[Paper], tuple[Paper | None, str] | None], kind: str, most: int
) -> list[_Made]:
    """The first papers from which a question of this kind can be made."""
    made: list[_Made] = []
    for paper in papers:
        if len(made) < most and (found := make(paper)):
            changed, text = found
            relevant = frozenset({paper.id} if changed else ())
            made.append((paper, changed, Question(f"{kind.replace(' ', '-')}-{paper.id}", text, relevant, "", kind)))
    return made


def _without_title(paper: Paper) -> tuple[Paper, str] | None:
    if not paper.title or len(paper.title.split()) < _FEWEST_WORDS:
        return None
    return replace(paper, title=None), paper.title


def _without_sentence(paper: Paper) -> tuple[Paper, str] | None:
    """One of the sentences in the middle: the first and the last are less particular."""
    inner = [each for each in passages(paper.abstract)[1:-1] if len(each.text.split()) >= _FEWEST_WORDS]
    if len(inner) < _FEWEST_SENTENCES - 2:
        return None
    one = inner[int(_draw(paper), 16) % len(inner)]
    rest = f"{paper.abstract[: one.start].rstrip()} {paper.abstract[one.end :].lstrip()}"
    return replace(paper, abstract=rest), one.text


def _absent(paper: Paper) -> tuple[None, str] | None:
    found = _without_title(paper) or _without_sentence(paper)
    return (None, found[1]) if found else None


def _others(papers: Sequence[Paper], made: Sequence[_Made]) -> list[Paper]:
    taken = {paper.id for paper, *_ in made}
    return [paper for paper in papers if paper.id not in taken]


def _draw(paper: Paper) -> str:
    """An order that has nothing to do with the papers' own."""
    return hashlib.sha256(paper.id.encode("utf-8", "replace")).hexdigest()
