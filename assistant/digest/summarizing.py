"""Plan the answer to a question for a summary: one sentence of each paper, papers on one sub-topic together.

The heading of a sub-topic is a phrase that its abstracts share and the others lack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from assistant.answering.evidence import Evidence
from assistant.digest.composition import Limits, compose
from assistant.digest.quoting import Group, Plan, Quotation
from assistant.digest.wording import counted_papers
from assistant.question.encoder import QuestionEncoder
from assistant.schema import Paper, Passage
from assistant.text.function_words import FUNCTION_WORDS
from assistant.text.latex import to_text
from assistant.text.printable import sentence_case
from assistant.text.titles import display_title

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# Sentences and papers that are quoted, and the least ratio of their odds to those of the best one.
_SENTENCES, _PAPERS, _SHARE_OF_BEST = 6, 5, 0.05
# The cosine of title and sentence with those of the first paper of a group from which a paper belongs to it.
_SAME_GROUP = 0.45
_MAX_WORDS = 4
_WORD = re.compile(r"[^\W\d_][\w-]*")
_ALSO = "Also"


def plan_summary(
    evidence: Sequence[Evidence], abstracts: Mapping[str, Sequence[Passage]], question: str, encoder: QuestionEncoder
) -> Plan:
    """Return the plan: groups of at least two papers under a heading, the largest first, then the rest.

    Raises ModelError.
    """
    quotations = compose(evidence, abstracts, Limits(_SENTENCES, _PAPERS, 1, _SHARE_OF_BEST, _SHARE_OF_BEST))
    papers = list({quotation.hit.paper.id: quotation.hit.paper for quotation in quotations}.values())
    opening = f"{counted_papers(len(papers), 'bear', 'bears')} on this." if len(papers) > 1 else ""
    named = [
        (heading, group)
        for group in _groups(papers, quotations, encoder)
        if (heading := _heading(group, papers, question))
    ]
    # One heading for everything says nothing.
    if not named or len(named[0][1]) == len(papers):
        return Plan((Group(tuple(quotations)),), opening)
    rest = [paper for paper in papers if not any(paper in group for _, group in named)]
    groups = [_group(quotations, group, heading) for heading, group in named]
    return Plan((*groups, *([_group(quotations, rest, _ALSO)] if rest else [])), opening)


def _group(quotations: Sequence[Quotation], papers: Sequence[Paper], heading: str) -> Group:
    ids = {paper.id for paper in papers}
    return Group(tuple(quotation for quotation in quotations if quotation.hit.paper.id in ids), heading)


def _groups(papers: Sequence[Paper], quotations: Sequence[Quotation], encoder: QuestionEncoder) -> list[list[Paper]]:
    """Return groups of at least two papers on one sub-topic, the largest first."""
    texts = [_text(paper, quotations) for paper in papers]
    vectors = [encoded.vector for encoded in encoder.encode_all(texts)]
    groups: list[list[int]] = []
    for index in range(len(papers)):
        similar = [(_cosine(vectors[index], vectors[group[0]]), group) for group in groups]
        likeness, nearest = max(similar, key=lambda pair: pair[0], default=(0.0, []))
        if likeness >= _SAME_GROUP:
            nearest.append(index)
        else:
            groups.append([index])
    return [[papers[index] for index in group] for group in sorted(groups, key=len, reverse=True) if len(group) > 1]


def _text(paper: Paper, quotations: Sequence[Quotation]) -> str:
    sentences = (quotation.passage.text for quotation in quotations if quotation.hit.paper.id == paper.id)
    return " ".join([display_title(paper), *sentences])


def _cosine(first: Vectors, second: Vectors) -> float:
    return float(first @ second)


def _heading(group: Sequence[Paper], papers: Sequence[Paper], question: str) -> str:
    """Return the phrase that most papers of a group have and fewest others; empty where none is theirs alone."""
    texts = {paper.id: _plain(f"{paper.title or ''}. {paper.abstract}") for paper in papers}
    inside, asked = {paper.id for paper in group}, _plain(question).casefold()

    def contrast(phrase: str) -> tuple[int, int]:
        having = {paper_id for paper_id, text in texts.items() if phrase.casefold() in text.casefold()}
        return len(having & inside) - len(having - inside), len(phrase.split())

    phrases = {phrase for paper in group for phrase in _phrases(_plain(display_title(paper)))}
    candidates = sorted(phrase for phrase in phrases if phrase.casefold() not in asked)
    best = max(candidates, key=contrast, default="")
    return sentence_case(best) if best and contrast(best)[0] > 1 else ""


def _phrases(title: str) -> Iterator[str]:
    """Yield the runs of two to four content words of a title."""
    for part in re.split(r"[^\w\s-]", title):
        words = [word.group() for word in _WORD.finditer(part)]
        for length in range(2, _MAX_WORDS + 1):
            for start in range(len(words) - length + 1):
                run = words[start : start + length]
                if not {run[0].casefold(), run[-1].casefold()} & FUNCTION_WORDS:
                    yield " ".join(run)


def _plain(text: str) -> str:
    return " ".join(to_text(text).split())
