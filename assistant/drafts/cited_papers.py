"""Find the papers that the citations of a draft mean: by key, or by author and year."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.drafts import author_year
from assistant.drafts.comparison import surname
from assistant.drafts.values import BibliographyEntry, EntryCheck
from assistant.schema import Filters, Paper, Selection
from assistant.storage.papers import Papers
from assistant.storage.sync_ledger import SyncLedger
from assistant.text.matching import words

# Papers of one author and year, or with one key, that a citation may mean.
_CANDIDATES = 3


class CitedPapers:
    """Resolves the keys of a draft with its bibliography.

    A key without an entry is looked up in the library: as a citation key of the reference manager that the library
    follows, or as author and year.
    """

    def __init__(
        self, entries: Sequence[BibliographyEntry], checks: Sequence[EntryCheck], papers: Papers, synced: SyncLedger
    ) -> None:
        self._checks = {check.key: check for check in reversed(checks)}
        self._entries = [
            (_names(entry), entry.record.year, check) for entry, check in zip(entries, checks, strict=True)
        ]
        self._papers, self._synced = papers, synced
        self._resolved: dict[str, tuple[Paper, ...]] = {}

    def find(self, key: str) -> tuple[Paper, ...]:
        """Return the papers that the key may mean; none where the library lacks it."""
        if key not in self._resolved:
            self._resolved[key] = self._find(key)
        return self._resolved[key]

    def has_entry(self, key: str) -> bool:
        """Tell whether the bibliography has an entry for the key."""
        return key in self._checks or self._by_name(key) is not None

    def _find(self, key: str) -> tuple[Paper, ...]:
        check = self._checks.get(key) or self._by_name(key)
        if check:
            return (check.paper,) if check.paper else ()
        return self._with_citation_key(key) or self._in_library(key)

    def _by_name(self, key: str) -> EntryCheck | None:
        """Return the entry of these authors and this year, the one with most of the names first."""
        names, year = author_year.names_of(key), author_year.year_of(key)
        if not names or year is None:
            return None
        fitting = [
            (len(set(names) & set(of_entry)), check)
            for of_entry, of_year, check in self._entries
            if of_year == year and names[0] in of_entry
        ]
        return max(fitting, key=lambda pair: pair[0])[1] if fitting else None

    def _with_citation_key(self, key: str) -> tuple[Paper, ...]:
        paper_ids = self._synced.papers_cited_as(key)
        return tuple(self._papers.get(paper_ids[:_CANDIDATES]))

    def _in_library(self, key: str) -> tuple[Paper, ...]:
        names, year = author_year.names_of(key), author_year.year_of(key)
        if not names or year is None:
            return ()
        selection = Selection(Filters(authors=(names[0],), since=year, until=year))
        page = self._papers.page(selection, limit=_CANDIDATES * 4)
        first = [paper for paper in page.papers if paper.authors and names[0] in words(paper.authors[0])]
        return tuple(first or page.papers)[:_CANDIDATES]


def _names(entry: BibliographyEntry) -> tuple[str, ...]:
    """Return the folded names of an entry: the surnames, or all words of a text before its year."""
    if entry.is_text:
        text = entry.record.title or ""
        return words(text)
    return tuple(surname(author) for author in entry.record.authors)
