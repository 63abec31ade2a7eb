"""Does the cited passage support this sentence? A score and a verdict for each sentence of an answer.

The check is lexical: the share of the sentence's terms, weighted by their rarity, that the best passage of the
cited papers has, and every number of the sentence must stand in a cited abstract.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.citations import numbers, strip
from assistant.evidence import coverage
from assistant.ports import Lexicon
from assistant.schema import Hit, Passage, Sentence, Verdict
from assistant.sentences import passages, spans

# Support from which a sentence counts as supported.
SUPPORTED_FROM = 0.6
_LIST_MARK = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*\u2022])\s+")
_BEHIND_STOP = re.compile(r"([.?!])((?:\[\d+\])+)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def check(text: str, hits: Sequence[Hit], lexicon: Lexicon) -> list[tuple[Sentence, dict[int, Passage]]]:
    """Each sentence of a resolved text with its verdict, and for each number it cites the passage nearest to it.

    `[n]` in the text stands for `hits[n - 1]`.
    """
    return [_checked(sentence, hits, lexicon) for sentence in _sentences(text)]


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


def _checked(sentence: str, hits: Sequence[Hit], lexicon: Lexicon) -> tuple[Sentence, dict[int, Passage]]:
    claim, cited = strip(sentence), numbers(sentence)
    best = {number: _nearest(claim, hits[number - 1], lexicon) for number in cited}
    support = max((score for _, score in best.values()), default=0.0)
    if not _numbers_stand(claim, [hits[number - 1] for number in cited]):
        support = min(support, SUPPORTED_FROM / 2)
    verdict = Verdict.UNCITED if not cited else Verdict.UNSUPPORTED
    if cited and support >= SUPPORTED_FROM:
        verdict = Verdict.SUPPORTED
    found = {number: passage for number, (passage, _) in best.items()}
    return Sentence(claim, cited, verdict, round(support, 4)), found


def _nearest(claim: str, hit: Hit, lexicon: Lexicon) -> tuple[Passage, float]:
    """The passage of a paper that has most of the claim, and how much."""
    if claim in hit.paper.abstract:
        start = hit.paper.abstract.index(claim)
        return Passage(claim, start, start + len(claim)), 1.0
    weights = lexicon.rarity(set(lexicon.terms(claim)))
    scored = ((passage, coverage(passage.text, weights, lexicon)) for passage in passages(hit.paper.abstract))
    return max(scored, key=lambda pair: pair[1], default=(Passage("", 0, 0), 0.0))


def _numbers_stand(claim: str, cited: Sequence[Hit]) -> bool:
    known = {number for hit in cited for number in _NUMBER.findall(f"{hit.paper.title} {hit.paper.abstract}")}
    return set(_NUMBER.findall(claim)) <= known
