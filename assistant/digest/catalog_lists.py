"""List papers of the catalog: by an author, on a topic, by year."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from assistant.digest import catalog_text
from assistant.digest.catalog_papers import CatalogSearch, PaperList, together
from assistant.digest.catalog_text import CatalogReply, UnknownReply, counted, joined, quoted, stated
from assistant.question import filters
from assistant.question.catalog_question import CatalogKind, CatalogQuestion, said_years
from assistant.schema import Filters, Sentence
from assistant.text.matching import words

# Papers of a list that the text names; the table has more of them.
MAX_NAMED = 5


def by_author(asked: CatalogQuestion, search: CatalogSearch) -> CatalogReply | UnknownReply:
    """Return the papers by the people whom the question names."""
    typed = search.query.filters.authors
    names = tuple(dict.fromkeys(typed or asked.names or ((asked.subject,) if asked.subject else ())))
    if not names:
        return UnknownReply("the question names nobody", "By whom? The question names no author.")
    if unknown := search.unknown_names(names):
        return _unknown_author(unknown[0], search)
    topic = asked.subject if asked.names or typed else ""
    topic = "" if set(words(topic)) <= {word for name in names for word in words(name)} else topic
    listed = search.listed(replace(limits_of(asked, search), authors=names), topic)
    by = f"by {joined([quoted(name) for name in names])}"
    return list_reply(listed, by, mentioning(topic, listed.total), in_words(asked, search))


def _unknown_author(name: str, search: CatalogSearch) -> UnknownReply:
    counts, similar = search.papers.count_recorded(), search.similar_names(name)
    called = quoted(name)
    known = f" Authors are recorded for {counts['authors']:,} of {counted(search.papers.count())}."
    people = joined([quoted(person) for person in similar]) if similar else ""
    nearest = f" {'A similar name is' if len(similar) == 1 else 'Similar names are'} {people}." if people else ""
    text = f"The catalog has no paper by “{called}”.{nearest}{known}"
    papers = search.listed(Filters(authors=(similar[0],))).papers[:MAX_NAMED] if similar else ()
    return UnknownReply(f"no author in the library is called “{called}”", text, papers)


def count_reply(asked: CatalogQuestion, search: CatalogSearch) -> CatalogReply:
    """Return the number of papers that mention a topic, and those that come first."""
    authors, topic = search.known_names(asked.names), topic_of(asked, search)
    is_venue = bool(topic) and search.listed(Filters(venues=(topic,))).total > 0
    limits = replace(limits_of(asked, search), venues=(topic,) if is_venue else (), authors=authors)
    by = f"by {joined([quoted(name) for name in authors])}" if authors else ""
    listed = search.listed(limits, "" if is_venue else topic)
    of = f"from {quoted(topic)}" if is_venue else mentioning(topic, listed.total)
    reply = list_reply(listed, of, by, in_words(asked, search))
    return replace(reply, sentences=(*reply.sentences, *_gaps(limits, search)))


def _gaps(limits: Filters, search: CatalogSearch) -> Iterator[Sentence]:
    """Yield for how many papers that is recorded at all which the question limits them by."""
    total = search.papers.count()
    for name, missing in search.papers.count_missing(together(search.query.filters, limits)).items():
        if missing and name in ("authors", "year", "venue"):
            noun = "Authors are" if name == "authors" else f"The {name} is"
            yield stated(f"{noun} recorded for {total - missing:,} of all {counted(total)}.")


def by_year(asked: CatalogQuestion, search: CatalogSearch) -> CatalogReply:
    """Return papers on a topic by their years, the newest or the oldest first."""
    is_oldest = asked.kind is CatalogKind.OLDEST
    order = "oldest" if is_oldest else "newest"
    limits = replace(limits_of(asked, search), authors=search.known_names(asked.names))
    listed = search.listed(limits, asked.subject, reverse=is_oldest)
    is_ordered = any(paper.year for paper in listed.papers)
    about = (mentioning(asked.subject, listed.total), in_words(asked, search))
    reply = list_reply(listed, *about, f"{order} first" if is_ordered else "")
    if is_ordered or not listed.papers:
        return replace(reply, sentences=(*reply.sentences, *_gaps(limits, search)))
    note = stated(f"The year is {catalog_text.NOT_RECORDED} for these papers, so which is the {order} is unknown.")
    return replace(reply, sentences=(note, *reply.sentences))


def list_reply(papers: PaperList, *described: str) -> CatalogReply:
    """Return how many papers there are, the first by name, and a table of more."""
    named = papers.papers[:MAX_NAMED]
    count = counted(papers.total) if papers.total else "no paper"
    about = f"{count} {' '.join(filter(None, described))}".strip()
    more = ":" if len(named) == papers.total and named else f"; the first {len(named)} are:" if named else "."
    sentences = [stated(f"The library has {about}{more}")]
    sentences += [stated(catalog_text.entry(paper), rank) for rank, paper in enumerate(named, start=1)]
    table = catalog_text.table(papers.papers, papers.total) if papers.papers else None
    return CatalogReply("From the catalog.", tuple(sentences), named, table)


# Words


def topic_of(asked: CatalogQuestion, search: CatalogSearch) -> str:
    """Return what the papers are to mention: the subject, and names that no author has."""
    typed = " ".join(search.query.filters.authors)
    names = [name for name in search.unknown_names(asked.names) if name not in typed]
    return (
        " ".join(filter(None, [asked.subject, *names])) if search.lexicon.terms(asked.subject + " ".join(names)) else ""
    )


def limits_of(asked: CatalogQuestion, search: CatalogSearch) -> Filters:
    """Return the filters of the question and of its scope, with a year that it names only as people do of papers."""
    years = said_years(asked.text) if not asked.subject or not re.search(r"\d{4}", asked.subject) else Filters()
    return together(search.query.filters, years).within(search.query.scope)


def in_words(asked: CatalogQuestion, search: CatalogSearch) -> str:
    """Return the filters of the question in words, apart from what the text says already."""
    limits = replace(limits_of(asked, search), authors=(), phrases=())
    return f"with {filters.format_filters(limits)}" if limits else ""


def mentioning(topic: str, papers: int) -> str:
    """Return that so many papers mention every word of the topic, to stand behind "papers" or "no paper"."""
    if not words(topic):
        return ""
    return f"that {'mention' if papers > 1 else 'mentions'} “{quoted(topic)}”"
