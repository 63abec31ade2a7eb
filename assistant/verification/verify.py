"""Verify the sentences of an answer against the papers that they cite, and a claim against a paper or a library."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.citations import numbers, remove_markers, strip, strip_trailing
from assistant.errors import InputError
from assistant.schema import Hit, Paper, Passage, Sentence, Verdict, Verification
from assistant.text.sentences import spans
from assistant.verification import remarks
from assistant.verification.comparison import ClaimPair
from assistant.verification.remarks import SentenceKind
from assistant.verification.support import SupportModel, SupportResult

_LIST_MARKER = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*\u2022])\s+")
# What ends a sentence: a citation goes before it.
_SENTENCE_END = re.compile(r"((?:[.!]+[\"'”’)\]*_]*)?)$")
_BEHIND_STOP = re.compile(r"([.?!])((?:\[\d+\])+)")
# Characters of an abstract that is handed in for a claim.
_MAX_ABSTRACT = 50_000
_LEADING_MARKERS = re.compile(r"(?:\[\d+\]\s*)+")


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence with its verdict, and for each number that it cites the nearest passage of that paper."""

    sentence: Sentence
    passages: Mapping[int, Passage]


def verify_text(text: str, hits: Sequence[Hit], model: SupportModel) -> list[CheckedSentence]:
    """Return each sentence of a resolved text with its verdict; `[n]` in the text stands for `hits[n - 1]`."""
    sentences = split_sentences(text)
    model.read(pair for sentence in sentences for pair in _pairs(sentence, hits).values())
    return [_check(sentence, hits, model) for sentence in sentences]


def take_unchecked(text: str) -> list[CheckedSentence]:
    """Return each sentence of a resolved text, marked as unchecked."""
    return [
        CheckedSentence(Sentence(strip_trailing(sentence), numbers(sentence), Verdict.UNCHECKED, 0.0), {})
        for sentence in split_sentences(text)
    ]


def attribute(
    text: str, hits: Sequence[Hit], model: SupportModel, shown: Sequence[Hit]
) -> tuple[str, list[Hit], set[str]]:
    """Add a citation behind each sentence that has none and that one of the hits shown supports.

    Returns the text, the hits that its numbers stand for, and the sentences that received a citation.
    """
    uncited = [sentence for sentence in split_sentences(text) if not numbers(sentence) and not _is_remark(sentence, ())]
    model.read(ClaimPair(sentence, hit.paper) for sentence in uncited for hit in shown)
    cited, attributed, position = list(hits), set(), 0
    for sentence in uncited:
        hit = _supporting_hit(sentence, shown, model)
        position = max(position, text.find(sentence, position))
        if hit is None or not text.startswith(sentence, position):
            continue
        cited += [] if hit in cited else [hit]
        marked = _SENTENCE_END.sub(rf" [{cited.index(hit) + 1}]\1", sentence, count=1)
        text = text[:position] + marked + text[position + len(sentence) :]
        attributed.add(sentence)
        position += len(marked)
    return text, cited, attributed


def nearest_passage(claim: str, hits: Sequence[Hit], model: SupportModel) -> tuple[Hit, Passage] | None:
    """Return the hit and the passage closest to the claim; None where no abstract has a passage for it."""
    results = [(_nearest_in(strip(claim), hit.paper, model), hit) for hit in hits]
    candidates = [(result.support, hit, result.passage) for result, hit in results if result.passage]
    return max(candidates, key=lambda candidate: candidate[0])[1:] if candidates else None


def verify_against_abstract(claim: str, abstract: str, model: SupportModel) -> Verification:
    """Verify a claim against an abstract, which need not be in the library.

    Raises InputError for an abstract that is too long.
    """
    if len(abstract) > _MAX_ABSTRACT:
        limit = f"{len(abstract):,} characters are too many for an abstract (most: {_MAX_ABSTRACT:,})"
        raise InputError("abstract", limit)
    text = abstract.encode("utf-8", "replace").decode("utf-8")
    return _verification(claim, None, model.assess(claim, Paper("", text)))


def verify_against_paper(claim: str, paper: Paper, model: SupportModel) -> Verification:
    """Verify a claim against a paper."""
    return _verification(claim, paper.id, model.assess(claim, paper))


def verify_against_papers(claim: str, papers: Sequence[Paper], model: SupportModel) -> Verification:
    """Verify a claim against several papers and return the verdict by the one that decides it best.

    That is the paper with the highest support, or, where none supports the claim, the highest contradiction.
    """
    model.read(ClaimPair(claim, paper) for paper in papers)
    verifications = [verify_against_paper(claim, paper, model) for paper in papers]
    if not verifications:
        reason = "no paper in the library is relevant to the claim"
        return Verification(claim, None, Verdict.UNSUPPORTED, 0.0, None, reason)
    best = max(verifications, key=lambda verification: verification.support)
    if best.verdict is Verdict.SUPPORTED:
        return best
    return max(verifications, key=lambda verification: max(verification.support, verification.contradiction))


def split_sentences(text: str) -> list[str]:
    """Split a text into sentences with their markers; markers alone belong to the sentence before them."""
    sentences: list[str] = []
    for line in map(_normalize, text.splitlines()):
        for start, end in spans(line):
            sentence = line[start:end]
            if sentences and not _has_words(sentence):
                sentences[-1] += f" {sentence}"
            else:
                sentences.append(_move_leading_markers(sentence, sentences))
    return [sentence for sentence in sentences if _has_words(sentence)]


def _normalize(line: str) -> str:
    """Remove the marker of a list item, and put a space between a full stop and citation markers behind it."""
    return _BEHIND_STOP.sub(r"\1 \2", _LIST_MARKER.sub("", line))


def _has_words(sentence: str) -> bool:
    return bool(re.search(r"\w", remove_markers(sentence)))


def _move_leading_markers(sentence: str, before: list[str]) -> str:
    """Move markers behind a full stop to the sentence that ended there, unless they are a word: `[1] shows that`."""
    leading = _LEADING_MARKERS.match(sentence)
    if leading and before and not sentence[leading.end() :][:1].islower():
        before[-1] += f" {leading.group().strip()}"
        return sentence[leading.end() :]
    return sentence


def _check(sentence: str, hits: Sequence[Hit], model: SupportModel) -> CheckedSentence:
    """Judge the sentence by the best of the papers that it cites."""
    claim, visible, cites = strip(sentence), strip_trailing(sentence), numbers(sentence)
    if _is_remark(claim, cites):
        reason = "the sentence states nothing that needs a citation"
        return CheckedSentence(Sentence(visible, cites, Verdict.REMARK, 0.0, reason), {})
    if not cites:
        return CheckedSentence(Sentence(visible, (), Verdict.UNCITED, 0.0, "the sentence cites no paper"), {})
    results = {
        number: model.assess(pair.claim, pair.paper, pair.cited) for number, pair in _pairs(sentence, hits).items()
    }
    best = max(results.values(), key=lambda result: (result.support, result.contradiction))
    passages = {number: result.passage for number, result in results.items() if result.passage}
    return CheckedSentence(Sentence(visible, cites, best.verdict, best.support, best.reason), passages)


def _pairs(sentence: str, hits: Sequence[Hit]) -> dict[int, ClaimPair]:
    """Return the sentence beside each paper that it cites, by number."""
    cited = {number: hits[number - 1].paper for number in numbers(sentence)}
    return {number: ClaimPair(strip(sentence), paper, tuple(cited.values())) for number, paper in cited.items()}


def _is_remark(claim: str, cites: Sequence[int]) -> bool:
    kind = remarks.kind(claim)
    return kind is SentenceKind.DENIAL or (not cites and kind is SentenceKind.REMARK)


def _supporting_hit(claim: str, shown: Sequence[Hit], model: SupportModel) -> Hit | None:
    """Return the hit that supports the claim best, if any does."""
    results = [(model.assess(claim, hit.paper), hit) for hit in shown]
    best, hit = max(results, key=lambda pair: pair[0].support, default=(None, None))
    return hit if best and best.supported else None


def _nearest_in(claim: str, paper: Paper, model: SupportModel) -> SupportResult:
    """Assess the claim; one that says nothing beside the names of papers is compared with its names."""
    result = model.assess(claim, paper)
    return result if result.passage else model.assess(claim, Paper(paper.id, paper.abstract))


def _verification(claim: str, paper_id: str | None, result: SupportResult) -> Verification:
    return Verification(
        claim, paper_id, result.verdict, result.support, result.passage, result.reason, result.contradiction
    )
