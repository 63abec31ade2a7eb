"""Verdicts: on each sentence of an answer by the papers that it cites, and on a claim by a paper or a library."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.citations import numbers, strip
from assistant.schema import Hit, Paper, Passage, Sentence, Verdict, Verification
from assistant.text.sentences import spans
from assistant.verification import non_claims
from assistant.verification.support import Finding, Judge

_LIST_MARK = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*\u2022])\s+")
# Where a citation goes in a sentence: before what ends it.
_MARKED = re.compile(r"((?:[.!]+[\"'”’)\]*_]*)?)$")
_BEHIND_STOP = re.compile(r"([.?!])((?:\[\d+\])+)")


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence with its verdict, and for each number that it cites the passage nearest to it."""

    sentence: Sentence
    behind: Mapping[int, Passage]


def check(text: str, hits: Sequence[Hit], judge: Judge, shown: Sequence[Hit] = ()) -> list[Checked]:
    """Each sentence of a resolved text with its verdict.

    `[n]` in the text stands for `hits[n - 1]`; `shown` are hits that may say it instead. All texts are read in one pass
    of the embedder.
    """
    found = sentences(text)
    cited = {number for sentence in found for number in numbers(sentence)}
    papers = [hits[number - 1].paper for number in sorted(cited)]
    judge.read([*map(strip, found), *(each.abstract for each in (*papers, *_papers(shown if cited else ())))])
    return [
        _checked(each, [hits[number - 1].paper for number in numbers(each)], _papers(shown), judge) for each in found
    ]


def unchecked(text: str) -> list[Checked]:
    """Each sentence of a resolved text, taken as it is."""
    return [Checked(Sentence(strip(each), numbers(each), Verdict.UNCHECKED, 0.0), {}) for each in sentences(text)]


def attributed(text: str, hits: Sequence[Hit], judge: Judge, shown: Sequence[Hit]) -> tuple[str, list[Hit], set[str]]:
    """The text with a citation behind each sentence that has none and that one of the hits shown supports.

    Returns it with the hits that its numbers stand for, and those sentences.
    """
    bare = [each for each in sentences(text) if not numbers(each) and not _is_remark(each, ())]
    if bare:
        judge.read([*bare, *(paper.abstract for paper in _papers(shown))])
    known, added, at = list(hits), set(), 0
    for sentence in bare:
        hit = _supporting(sentence, shown, judge)
        at = max(at, text.find(sentence, at))
        if hit is None or not text.startswith(sentence, at):
            continue
        known += [] if hit in known else [hit]
        marked = _MARKED.sub(rf" [{known.index(hit) + 1}]\1", sentence, count=1)
        text = text[:at] + marked + text[at + len(sentence) :]
        added.add(sentence)
        at += len(marked)
    return text, known, added


def nearest(claim: str, hits: Sequence[Hit], judge: Judge) -> tuple[Hit, Passage] | None:
    """The hit and the passage that come nearest to saying the claim; None where no abstract has a sentence for it."""
    found = [(judge.judge(claim, hit.paper.abstract, hit.paper.title or ""), hit) for hit in hits]
    near = [(each.support, -place, hit, each.passage) for place, (each, hit) in enumerate(found) if each.passage]
    return max(near, key=lambda each: each[:2])[2:] if near else None


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


def sentences(text: str) -> list[str]:
    """The sentences of a text with their markers; markers alone belong to the sentence before them."""
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
    """Markers behind a full stop belong to the sentence that ended there, unless they are a word: `[1] shows that`."""
    leading = re.match(r"(?:\[\d+\]\s*)+", sentence)
    if leading and before and not sentence[leading.end() :][:1].islower():
        before[-1] += f" {leading.group().strip()}"
        return sentence[leading.end() :]
    return sentence


def _checked(sentence: str, cited: Sequence[Paper], shown: Sequence[Paper], judge: Judge) -> Checked:
    """The sentence by the best of the papers that it cites."""
    claim, places = strip(sentence), numbers(sentence)
    if _is_remark(claim, places):
        return Checked(Sentence(claim, places, Verdict.REMARK, 0.0, "it states nothing to be cited"), {})
    if not places:
        return Checked(Sentence(claim, (), Verdict.UNCITED, 0.0, "it cites no paper"), {})
    rivals = [paper.abstract for paper in shown if paper not in cited]
    found = {
        place: judge.judge(claim, paper.abstract, paper.title or "", rivals)
        for place, paper in zip(places, cited, strict=True)
    }
    best = max(found.values(), key=lambda each: each.support)
    passages = {place: each.passage for place, each in found.items() if each.passage}
    return Checked(Sentence(claim, places, _verdict(best), best.support, best.reason), passages)


def _is_remark(claim: str, places: Sequence[int]) -> bool:
    return non_claims.denies_answer(claim) or (not places and non_claims.states_nothing(claim))


def _supporting(claim: str, shown: Sequence[Hit], judge: Judge) -> Hit | None:
    """The hit that supports the claim best, if any does."""
    found = [(judge.judge(claim, hit.paper.abstract, hit.paper.title or ""), hit) for hit in shown]
    best, hit = max(found, key=lambda pair: pair[0].support, default=(None, None))
    return hit if best and best.supported else None


def _papers(hits: Sequence[Hit]) -> list[Paper]:
    return [hit.paper for hit in hits]
