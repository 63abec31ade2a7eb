"""Find the papers of the catalog that a question is about: by identifier, title, author, topic, or the conversation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.protocols import Lexicon
from assistant.question import follow_up
from assistant.question.catalog_question import CatalogQuestion
from assistant.retrieval.search import Found
from assistant.schema import Filters, Paper, Query, Selection, Sort
from assistant.storage.title_index import TitleMatch, name_matches
from assistant.text.matching import words

if TYPE_CHECKING:
    from assistant.storage.papers import Papers

# Papers of a list that are read; the rest is counted.
MAX_LISTED = 20
# Papers that an answer about an unknown one names.
_NEAREST = 3
# The share of a reference's words, by idf, that a title has if it is the one; by which a second one fits as well; and
# that the title and the abstract of a search's first hit have.
_MIN_COVERAGE, _TIE, _MIN_MENTIONED = 0.7, 0.05, 0.6
# The share of a name that makes it whole.
_WHOLE = 0.99
_IDENTIFIER = re.compile(
    r"(?<![\w/])(10\.\d{4,9}/[^\s\"<>]+|\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?!\w)"
)

Find = Callable[[Query], Found]


@dataclass(frozen=True, slots=True)
class PaperList:
    """The first papers of a list of `total`."""

    papers: tuple[Paper, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Reference:
    """The papers that a question may mean.

    `text` is how it calls them. `is_guess` tells whether no title matches and this is the first hit of a search;
    `nearest` are those with similar titles where none fits.
    """

    text: str
    papers: tuple[Paper, ...] = ()
    is_guess: bool = False
    nearest: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogSearch:
    """Searches the catalog for one question; `recent` are the papers that the answer before it cites.

    `find` searches the abstracts, for a paper that is described rather than named.
    """

    papers: Papers
    lexicon: Lexicon
    query: Query
    recent: tuple[Paper, ...]
    find: Find

    def referred(self, asked: CatalogQuestion) -> Reference:
        """Return the papers that the question is about; none where it names none that is known."""
        if identified := self._identified(asked.text):
            return Reference(asked.text, tuple(identified))
        text = " ".join(filter(None, [*self.unknown_names(asked.names), asked.subject]))
        text, authors = text if self.lexicon.terms(text) else "", self.known_names(asked.names)
        is_numbered = bool(follow_up.cited_numbers(asked.text) or follow_up.ordinal(asked.text))
        if is_numbered:
            return Reference("", self._pinned())
        if not (text or authors) and (recent := self._of_conversation()):
            return Reference("", recent)
        if entitled := self._entitled(asked.text):
            return Reference(text or asked.text, tuple(entitled))
        if not text and not authors:
            return Reference("")
        if titled := self._titled(text, authors):
            return Reference(text, tuple(titled))
        if authors:
            listed = self.listed(Filters(authors=authors), asked.subject)
            return Reference(" ".join([*authors, asked.subject]).strip(), listed.papers)
        return self._described(text)

    def known_names(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return those of the names that an author has."""
        return tuple(name for name in names if self.papers.has_author(name))

    def unknown_names(self, names: Sequence[str]) -> list[str]:
        """Return those of the names that no author has: a title that looks like a name."""
        return [name for name in names if not self.papers.has_author(name)]

    def similar_names(self, name: str) -> list[str]:
        """Return the names of authors that are most like this one."""
        return name_matches(name, self.papers.author_names(), _NEAREST)

    def listed(
        self,
        filters: Filters,
        topic: str = "",
        sort: Sort = Sort.YEAR,
        *,
        reverse: bool = False,
        among: Set[str] | None = None,
    ) -> PaperList:
        """Return the papers that filters and scope let through and that mention all words of the topic, in order.

        `among` are the ids of those that may be listed; None for all.
        """
        filters, scope = together(self.query.filters, filters), self.query.scope
        if not scope and not words(topic) and among is None:
            page = self.papers.page(Selection(filters), sort, reverse=reverse, limit=MAX_LISTED)
            return PaperList(page.papers, page.total)
        allowed = _common(self.papers.allowed_ids(filters, scope), among)
        ids = self._mentioning(topic, allowed) if words(topic) else allowed or frozenset()
        return PaperList(tuple(self.papers.first_of(ids, sort, reverse=reverse, limit=MAX_LISTED)), len(ids))

    def nearest(self, text: str) -> tuple[Paper, ...]:
        """Return the papers whose titles are most like the text."""
        matches = self.papers.titles(self.lexicon.terms).search(text, _NEAREST)
        return tuple(self.papers.get([match.paper_id for match in matches]))

    def _of_conversation(self) -> tuple[Paper, ...]:
        """Return the papers that the question or the person pins, or those of the answer before a follow-up."""
        return self._pinned() or (self.recent if self.query.is_follow_up else ())

    def _pinned(self) -> tuple[Paper, ...]:
        return tuple(self.papers.get(self.query.scope.pinned[:MAX_LISTED]))

    def _identified(self, text: str) -> list[Paper]:
        match = _IDENTIFIER.search(text)
        return self.papers.with_identifier(match[1].rstrip(".,;:?!)"), MAX_LISTED) if match else []

    def _allowed(self, authors: Sequence[str]) -> Set[str] | None:
        """Return the ids of the papers by these people that the question is about; None where that is all of them.

        The papers of a conversation are no limit: a question may name another one.
        """
        scope = replace(self.query.scope, pinned=()) if self.query.is_follow_up else self.query.scope
        filters = Filters() if self.query.is_follow_up else replace(self.query.filters, phrases=())
        return self.papers.allowed_ids(together(filters, Filters(authors=tuple(authors))), scope)

    def _titled(self, text: str, authors: Sequence[str]) -> list[Paper]:
        """Return the papers whose titles fit the text about equally well, the best first."""
        if not text:
            return []
        allowed = self._allowed(authors)
        matches = self.papers.titles(self.lexicon.terms).search(text, MAX_LISTED)
        fitting = [match for match in matches if _fits(match) and (allowed is None or match.paper_id in allowed)]
        # Among titles that all have the words, one whose name they are is meant.
        whole = [match for match in fitting if match.named >= _WHOLE]
        return self.papers.get([match.paper_id for match in whole or _tied(fitting)])

    def _entitled(self, text: str) -> list[Paper]:
        """Return the papers whose names stand in the text as a whole, those of which it has most."""
        allowed = self._allowed(())
        matches = self.papers.titles(self.lexicon.terms).search(text, MAX_LISTED)
        matches = [match for match in matches if allowed is None or match.paper_id in allowed]
        named = [match for match in matches if match.named >= _WHOLE and match.rare]
        return self.papers.get([match.paper_id for match in _tied(named)])

    def _described(self, text: str) -> Reference:
        """Return the first hit of a search for the text if it mentions most of the text."""
        query = replace(self.query, standalone=text, filters=replace(self.query.filters, phrases=()))
        hits = self.find(query).hits
        if hits and self._mentioned(text, hits[0].paper) >= _MIN_MENTIONED:
            return Reference(text, (hits[0].paper,), is_guess=True)
        others = tuple(hit.paper for hit in hits)
        nearest = tuple(dict.fromkeys([*self.nearest(text), *others]))[:_NEAREST]
        return Reference(text, nearest=nearest)

    def _mentioned(self, text: str, paper: Paper) -> float:
        """Return the share of the words of a text, by idf, that a paper has."""
        wanted = set(self.lexicon.terms(text))
        idf = self.lexicon.idf(wanted)
        has = wanted & set(self.lexicon.terms(f"{paper.title or ''} {paper.abstract}"))
        return sum(idf[term] for term in has) / max(1e-9, sum(idf.values()))

    def _mentioning(self, topic: str, allowed: Set[str] | None) -> Set[str]:
        """Return the ids of the allowed papers that mention every word of a topic in title or abstract."""
        ids: Set[str] | None = allowed
        for word in words(topic):
            if self.lexicon.terms(word):
                hits = self.lexicon.search(word, max(1, self.papers.count()), ids)
                ids = frozenset(hit.paper_id for hit in hits)
        return ids if ids is not None else frozenset()


def _common(first: Set[str] | None, second: Set[str] | None) -> Set[str] | None:
    """Return the ids that both sets have, where None is the set of all."""
    if first is None or second is None:
        return second if first is None else first
    return first & second


def _tied(matches: Sequence[TitleMatch]) -> list[TitleMatch]:
    """Return the matches that cover the text about as well as the best one."""
    best = max((match.coverage for match in matches), default=0.0)
    return [match for match in matches if match.coverage >= best - _TIE]


def _fits(match: TitleMatch) -> bool:
    return match.coverage >= _MIN_COVERAGE


def together(first: Filters, second: Filters) -> Filters:
    """Return the first filters with the authors and venues of the second, and with its years if they have none."""
    return replace(
        first,
        authors=tuple(dict.fromkeys((*first.authors, *second.authors))),
        venues=tuple(dict.fromkeys((*first.venues, *second.venues))),
        since=second.since if first.since is None else first.since,
        until=second.until if first.until is None else first.until,
    )
