"""Resolve a question and the conversation before it into a query: standalone text, filters and scope.

A follow-up question (see `assistant.question.follow_up`) is searched for together with the question that introduced
its topic. Where a question refers to cited papers by number, title or author, only those papers
are searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.errors import InputError
from assistant.question import filters, follow_up
from assistant.question.worded_filters import IsAuthor
from assistant.schema import EVERYTHING, Citation, Paper, Query, Scope, Turn
from assistant.text.markup import visible_text
from assistant.text.matching import contains_phrase

if TYPE_CHECKING:
    from assistant.question.encoder import QuestionEncoder

_ASKS_ABOUT_PAPERS = re.compile(
    r"\bwho(?:se)?\b.*\b(?:wrote|writes|written|authors?|work|published|behind|paper)\b|\bauthors?\b|"
    r"\b(?:when|where|what\s+year|which\s+year)\b.*\bpublished\b|"
    r"\b(?:this|that|these|those|the)\s+(?:papers?|stud(?:y|ies))\b",
    re.IGNORECASE,
)
_ASKS_FOR_OTHERS = re.compile(
    r"\b(?:also|another|else|other|others|more|elsewhere|any(?:one|body)|some(?:one|body))\b", re.IGNORECASE
)
# A shorter title is as likely to occur as ordinary words.
_MIN_TITLE_WORDS = 3


def understand(
    question: str,
    history: Sequence[Turn] = (),
    limit: int = 4000,
    scope: Scope = EVERYTHING,
    is_author: IsAuthor = lambda _: False,
    encoder: QuestionEncoder | None = None,
) -> Query:
    """Return the query of a question; the standalone text of a follow-up includes the context that it depends on.

    `scope` is the scope of the conversation; `is_author` tells whether the library has an author of a name; `encoder`
    encodes the question and what it is compared with. Raises InputError where the question is longer than `limit`
    characters or has an unknown filter, ModelError where a model fails.
    """
    text = visible_text(normalize_input(question, "question", limit))
    parsed = filters.parse(text, is_author)
    if not history or not any(map(str.isalnum, parsed.text)):
        return Query(text, parsed.text, parsed.filters, scope)
    topic = follow_up.link(parsed.text, history, encoder).topic
    narrowed = _narrow(scope, [paper.id for paper in _papers_named(parsed.text, history, topic)])
    if topic is None:
        return Query(text, follow_up.without_topic_switch(parsed.text), parsed.filters, narrowed)
    standalone = _standalone_text(parsed.text, topic)
    return Query(text, standalone, parsed.filters or topic.answer.filters, narrowed, is_follow_up=True)


def normalize_input(text: str, kind: str, limit: int) -> str:
    """Return the typed text on one line. Raises InputError, which names the kind of text, above `limit` characters."""
    # An invalid byte on the command line or an unpaired surrogate in JSON cannot be encoded. NUL belongs to no word,
    # and a parser of mark-up would make a letter of it.
    line = " ".join(text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ").split())
    if len(line) > limit:
        raise InputError(kind, f"{len(line):,} characters are too many for a {kind} (most: {limit:,})")
    return line


def last_cited(history: Sequence[Turn]) -> tuple[Paper, ...]:
    """Return the papers of the last answer that cites any."""
    cited = next((turn.answer.citations for turn in reversed(history) if turn.answer.citations), ())
    return tuple(citation.paper for citation in cited)


def _standalone_text(question: str, topic: Turn) -> str:
    """Return the question behind the one that introduced the topic and the name that it may refer to."""
    context = (topic.answer.standalone, *_ordinal_referent(question, topic))
    return " ".join(dict.fromkeys(filter(None, [*context, question])))


def _ordinal_referent(question: str, topic: Turn) -> Iterator[str]:
    """Yield the name that "the second one" refers to, where the topic joins two names: "X and Y"."""
    position, names = follow_up.ordinal(question), _coordinated_names(_unfiltered_question(topic))
    if position and abs(position) <= len(names):
        yield names[position - (position > 0)]


def _coordinated_names(text: str) -> tuple[str, ...]:
    """Return two names joined by a conjunction, such as "Adam-mini and NovoGrad"."""
    name = r"([^\W_]*[A-Z0-9][\w+-]*(?:\s+[A-Z][\w+-]*)?)"
    match = re.search(rf"\b{name}\s+(?:and|or|vs\.?|versus|with)\s+{name}", text)
    return match.groups() if match else ()


def _unfiltered_question(turn: Turn) -> str:
    return filters.parse(turn.answer.question).text


def _papers_named(question: str, history: Sequence[Turn], topic: Turn | None) -> list[Paper]:
    """Return the cited papers that the question refers to by number, ordinal, title or author, in that preference."""
    latest = next((turn.answer.citations for turn in reversed(history) if turn.answer.citations), ())
    cited = {citation.paper.id: citation.paper for turn in history for citation in turn.answer.citations}
    numbers = set(_citation_numbers(question, latest, topic))
    if by_number := [citation.paper for citation in latest if citation.number in numbers]:
        return by_number
    if by_title := [paper for paper in cited.values() if paper.title and _contains_title(question, paper.title)]:
        return by_title
    # A number or an ordinal that no citation has names none of them.
    if numbers or _ASKS_FOR_OTHERS.search(question):
        return []
    if by_author := [paper for paper in cited.values() if _contains_author(question, paper)]:
        return by_author
    refers_to_all = topic is not None and _ASKS_ABOUT_PAPERS.search(question)
    return [citation.paper for citation in latest] if refers_to_all else []


def _citation_numbers(question: str, latest: Sequence[Citation], topic: Turn | None) -> Iterator[int]:
    """Yield the citation numbers that the question refers to, as [2] or as "the second paper"."""
    yield from follow_up.cited_numbers(question)
    position = follow_up.ordinal(question)
    if position and not (topic and _coordinated_names(_unfiltered_question(topic))):
        yield position if position > 0 else len(latest)


def _contains_title(question: str, title: str) -> bool:
    return len(title.split()) >= _MIN_TITLE_WORDS and contains_phrase(question, title)


def _contains_author(question: str, paper: Paper) -> bool:
    """Return whether the question has an author's surname, written as a name.

    The first word of a question is capitalized in any case: it counts only before "'s" or "et al".
    """
    surnames = (re.escape(author.split()[-1]) for author in paper.authors if author.split())
    return any(re.search(rf"(?<=\w\W){name}(?!\w)|^{name}(?:['’]s|\s+et\s+al)\b", question) for name in surnames)


def _narrow(scope: Scope, paper_ids: Sequence[str]) -> Scope:
    """Return the scope restricted to those of the papers that lie in it; the scope itself where none does."""
    pinned = [
        paper_id
        for paper_id in paper_ids
        if paper_id not in scope.excluded and (not scope.pinned or paper_id in scope.pinned)
    ]
    return replace(scope, pinned=tuple(pinned)) if pinned else scope
