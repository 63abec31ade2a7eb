"""Filters, words and orders of papers as SQL, with the functions that SQLite calls for them.

`postgres_functions` has the same functions in SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from assistant.schema import Filters, Sort
from assistant.storage.catalog_schema import (
    collections,
    keywords,
    members,
    notes,
    paper_topics,
    papers,
    records,
    tags,
    under_present_ids,
)
from assistant.storage.columns import Text
from assistant.text.labels import label_key
from assistant.text.matching import (
    authors_contain,
    contains_phrase,
    fold,
    full_words,
    has_author,
    source_contains,
    surname,
    words,
)


@lru_cache(maxsize=256)  # many papers have the same sources
def _is_from(sources: str, part: str) -> bool:
    return source_contains(json.loads(sources), part)


# Each returns the same for the same columns; lists arrive as JSON.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "paperchat_folded": lambda title: None if title is None else fold(title),
    "paperchat_has": lambda word, title, abstract, venue, authors: (
        contains_phrase(abstract, word)
        or contains_phrase(title, word)
        or contains_phrase(venue, word)
        or authors_contain(authors, word)
    ),
    "paperchat_surname": lambda authors: surname(json.loads(authors)),
    "paperchat_holds": contains_phrase,
    "paperchat_says": lambda phrase, title, abstract: (
        contains_phrase(abstract, phrase) or contains_phrase(title, phrase)
    ),
    "paperchat_is_by": lambda authors, name: has_author(json.loads(authors), name),
    "paperchat_is_from": _is_from,
}


def conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that the filters set on a paper, the cheapest first."""
    where: list[sa.ColumnElement[bool]] = []
    where += [papers.c.year >= filters.since] if filters.since is not None else []
    where += [papers.c.year <= filters.until] if filters.until is not None else []
    where += [_is_in(name) for name in filters.collections]
    where += [_has_tag(name) for name in filters.tags]
    where += [_is_on(topic) for topic in filters.topics]
    where += [_is_noted(phrase) for phrase in filters.notes]
    where += [_holds(papers.c.venue, venue) for venue in filters.venues]
    where += [_holds(papers.c.title, title) for title in filters.titles]
    where += [_is_from_source(source) for source in filters.sources]
    where += [_is_by(name) for name in filters.authors]
    where += [contains(phrase) for phrase in filters.phrases]
    return [*where, *(sa.not_(contains(phrase)) for phrase in filters.without)]


def contains(phrase: str) -> sa.ColumnElement[bool]:
    """Return the condition that title or abstract contain the phrase."""
    return sa.func.paperchat_says(_joined(phrase), papers.c.title, papers.c.abstract, type_=sa.Boolean)


def has_word(word: str) -> sa.ColumnElement[bool]:
    """Return the condition that the word occurs in title, abstract, venue or authors, in a tag or in the note."""
    tagged = under_present_ids(tags)
    is_tagged = sa.or_(
        papers.c.id.in_(sa.select(tagged.c.paper_id).where(_holds(tagged.c.name, word))),
        _has_keyword(_holds(keywords.c.name, word)),
    )
    columns = papers.c.title, papers.c.abstract, papers.c.venue, papers.c.authors
    in_paper = sa.func.paperchat_has(_joined(word), *columns, type_=sa.Boolean)
    return sa.or_(is_tagged, _is_noted(word), in_paper)


def order(sort: Sort, *, reverse: bool) -> list[sa.ColumnElement[Any]]:
    """Return what to sort papers by; ties are broken by id."""
    added = sa.select(sa.func.min(records.c.number)).where(records.c.paper_id == papers.c.id).scalar_subquery()
    keys: dict[Sort, sa.ColumnElement[Any]] = {
        Sort.ID: papers.c.id,
        Sort.TITLE: sa.func.paperchat_folded(papers.c.title),
        Sort.AUTHOR: sa.func.paperchat_surname(papers.c.authors),
        Sort.YEAR: papers.c.year,
        Sort.VENUE: papers.c.venue,
        Sort.ADDED: added,
    }
    descending = sort.latest_first is not reverse
    key = keys[sort].desc() if descending else keys[sort].asc()
    return [key.nulls_last(), papers.c.id]


def _holds(column: sa.ColumnElement[str], phrase: str) -> sa.ColumnElement[bool]:
    """Return the condition that the column contains the phrase."""
    return sa.func.paperchat_holds(column, _joined(phrase), type_=sa.Boolean)


def _joined(phrase: str) -> str:
    """Return the words of a phrase or a name, folded, so that nobody has to take it apart for each paper."""
    return " ".join(words(phrase))


def _is_in(name: str) -> sa.ColumnElement[bool]:
    """Return the condition that a paper is in the collection of this name."""
    rows = under_present_ids(members)
    query = sa.select(rows.c.paper_id).join(collections, collections.c.id == rows.c.collection)
    return papers.c.id.in_(query.where(collections.c.name_key == label_key(name)))


def _has_tag(name: str) -> sa.ColumnElement[bool]:
    """Return the condition that a paper has this tag, from a person or from a file."""
    rows, key = under_present_ids(tags), label_key(name)
    by_person = papers.c.id.in_(sa.select(rows.c.paper_id).where(rows.c.name_key == key))
    return sa.or_(by_person, _has_keyword(keywords.c.name_key == key))


def _has_keyword(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition that a record of a paper has a keyword that meets this one."""
    query = sa.select(records.c.paper_id).join(keywords, keywords.c.record == records.c.number)
    return papers.c.id.in_(query.where(condition))


def _is_on(topic: str) -> sa.ColumnElement[bool]:
    """Return the condition that a paper is on the topic of this id."""
    rows = under_present_ids(paper_topics)
    return papers.c.id.in_(sa.select(rows.c.paper_id).where(rows.c.topic == topic))


def _is_noted(phrase: str) -> sa.ColumnElement[bool]:
    """Return the condition that the note of a paper contains the phrase."""
    rows = under_present_ids(notes)
    return papers.c.id.in_(sa.select(rows.c.paper_id).where(_holds(rows.c.text, phrase)))


def _is_from_source(part: str) -> sa.ColumnElement[bool]:
    return sa.func.paperchat_is_from(papers.c.sources, sa.literal(part, Text), type_=sa.Boolean)


def _is_by(name: str) -> sa.ColumnElement[bool]:
    # Most papers are by others, which SQL tells by itself where no letter is escaped in JSON, ten times as fast.
    authors = sa.type_coerce(papers.c.authors, Text)
    possible = [authors.contains("\\", autoescape=True), *(authors.icontains(word) for word in full_words(name))]
    return sa.and_(sa.or_(*possible), sa.func.paperchat_is_by(papers.c.authors, _joined(name), type_=sa.Boolean))
