"""Verdicts: on each sentence of an answer by the papers that it cites, and on a claim by a paper or a library."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.citations import numbers, strip
from assistant.claims.judge import Finding, Judge
from assistant.schema import Hit, Paper, Passage, Sentence, Verdict, Verification
from assistant.sentences import spans

_LIST_MARK = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*\u2022])\s+")
_BEHIND_STOP = re.compile(r"([.?!])((?:\[\d+\])+)")


def check(text: str, hits: Sequence[Hit], judge: Judge) -> list[tuple[Sentence, dict[int, Passage]]]:
    """Each sentence of a resolved text with its verdict, and for each number it cites the passage nearest to it.

    `[n]` in the text stands for `hits[n - 1]`. All texts are read in one pass of the embedder.
    """
    sentences = _sentences(text)
    cited = {number for sentence in sentences for number in numbers(sentence)}
    judge.read([*map(strip, sentences), *(hits[number - 1].paper.abstract for number in sorted(cited))])
    return [
        _checked(sentence, [hits[number - 1].paper for number in numbers(sentence)], judge) for sentence in sentences
    ]


def by_abstract(claim: str, abstract: str, judge: Judge) -> Verification:
    """Whether this abstract, which need not be in the library, supports the claim."""
    return _verification(claim, None, judge.judge(claim, abstract))


def by_paper(claim: str, paper: Paper, others: Sequence[Paper], judge: Judge) -> Verification:
    """Whether the paper supports the claim; `others` are papers that may say it instead."""
    rivals = [each.abstract for each in others if each.id != paper.id]
    return _verification(claim, paper.id, judge.judge(claim, paper.abstract, paper.title or "", rivals))


def by_any(claim: str, papers: Sequence[Paper], judge: Judge) -> Verification:
    """Whether any of the papers supports the claim: the verdict by the one that does so best."""
    judge.read([claim, *(paper.abstract for paper in papers)])
    found = [by_paper(claim, paper, (), judge) for paper in papers]
    nothing = Verification(claim, None, Verdict.UNSUPPORTED, 0.0, None, "no paper of the library bears on it")
    return max(found, key=lambda each: each.support, default=nothing)


def _verification(claim: str, paper_id: str | None, found: Finding) -> Verification:
    return Verification(claim, paper_id, _verdict(found), found.support, found.passage, found.reason)


def _verdict(found: Finding) -> Verdict:
    return Verdict.SUPPORTED if found.supported else Verdict.UNSUPPORTED


def _sentences(text: str) -> list[str]:
    """Sentences with their markers; one that consists of markers only belongs to the sentence before it."""
    found: list[str] = []
    for line in map(_plain, text.splitlines()):
        for start, end in spans(line):
            sentence = line[start:end]
            if found and not re.search(r"\w", strip(sentence)):
                found[-1] += f" {sentence}"
            else:
                found.append(_leading_markers_back(sentence, found))
    return [sentence for sentence in found if re.search(r"\w", strip(sentence))]


def _plain(line: str) -> str:
    """The line without the mark of a list, and with a space between a full stop and markers behind it."""
    return _BEHIND_STOP.sub(r"\1 \2", _LIST_MARK.sub("", line))


def _leading_markers_back(sentence: str, before: list[str]) -> str:
    """Markers that a model put behind the full stop belong to the sentence that ended there."""
    leading = re.match(r"(?:\[\d+\]\s*)+", sentence)
    if leading and before:
        before[-1] += f" {leading.group().strip()}"
        return sentence[leading.end() :]
    return sentence


def _checked(sentence: str, cited: Sequence[Paper], judge: Judge) -> tuple[Sentence, dict[int, Passage]]:
    """The sentence by the best of the papers that it cites."""
    claim, places = strip(sentence), numbers(sentence)
    if not places:
        return Sentence(claim, (), Verdict.UNCITED, 0.0, "it cites no paper"), {}
    found = {
        place: judge.judge(claim, paper.abstract, paper.title or "") for place, paper in zip(places, cited, strict=True)
    }
    best = max(found.values(), key=lambda each: each.support)
    passages = {place: each.passage for place, each in found.items() if each.passage}
    return Sentence(claim, places, _verdict(best), best.support, best.reason), passages
