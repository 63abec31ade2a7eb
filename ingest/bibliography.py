"""Read the bibliography of a draft, and tie its entries to papers of the library: by DOI, arXiv id, or title."""

from __future__ import annotations

import difflib
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from assistant.drafts.comparison import differences, surname, title_words
from assistant.drafts.values import BibliographyEntry, DraftNote, EntryCheck, EntryStatus
from assistant.errors import InputError
from assistant.schema import Paper, Record
from assistant.storage.catalog import Catalog
from assistant.storage.records import StoredRecord
from ingest import identity
from ingest.parsers import bibtex
from ingest.parsers.base import Problem
from ingest.parsers.text import decode_lines

# Words at the beginning of a title by which titles like it are looked up, and how like they must be, 0..1.
_HEAD = 3
_LIKE = 0.85
# A shorter title may stand in a text without being meant.
_MIN_TITLE = 4


def read_entries(data: bytes, name: str, notes: list[DraftNote]) -> list[BibliographyEntry]:
    """Return the entries of a .bib file; what cannot be read is added to the notes.

    Raises InputError for binary data.
    """
    problems: list[Problem] = []
    entries: list[BibliographyEntry] = []
    for item in bibtex.parse_keyed(decode_lines(io.BytesIO(data), name, problems.append), name):
        if isinstance(item, Problem):
            problems.append(item)
        else:
            entries.append(BibliographyEntry(*item))
    notes += [DraftNote(str(problem)) for problem in problems]
    return entries


def find_files(draft: Path, resources: Sequence[str]) -> list[Path]:
    """Return the .bib files of a draft: those that it names, else the one of its name, else the only one beside it.

    Only files beside the draft are read, whatever path it names.
    """
    beside = {file.name: file for file in sorted(draft.parent.glob("*.bib"))}
    names = [Path(name.replace("\\", "/")).name for name in resources]
    named = [beside[name] for name in dict.fromkeys(_with_suffix(name) for name in names) if name in beside]
    if named:
        return named
    same = beside.get(f"{draft.stem}.bib")
    return [same] if same else (list(beside.values()) if len(beside) == 1 else [])


def read_file(path: Path) -> bytes:
    """Return the content of a file. Raises InputError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from error


def check_entries(entries: Sequence[BibliographyEntry], catalog: Catalog) -> list[EntryCheck]:
    """Return what the library makes of each entry, in order: known, unknown, a duplicate, or with other metadata."""
    tied = _tie(entries, catalog)
    first: dict[str, str] = {}
    checks = []
    for entry, paper, identity_key in zip(entries, tied, _identities(entries, tied), strict=True):
        earlier = first.setdefault(identity_key, entry.key)
        found = differences(entry, paper) if paper else {}
        status = EntryStatus.UNKNOWN if paper is None else EntryStatus.DIFFERS if found else EntryStatus.KNOWN
        is_duplicate = earlier != entry.key
        status = EntryStatus.DUPLICATE if is_duplicate else status
        checks.append(EntryCheck(entry.key, status, paper, found, earlier if is_duplicate else None))
    return checks


def _with_suffix(name: str) -> str:
    return name if name.casefold().endswith(".bib") else f"{name}.bib"


def _identities(entries: Sequence[BibliographyEntry], tied: Sequence[Paper | None]) -> Iterator[str]:
    """Yield for each entry what entries of one paper share: the paper's id, or a key of an entry before it."""
    seen: dict[str, tuple[str, Record]] = {}
    for number, (entry, paper) in enumerate(zip(entries, tied, strict=True)):
        keys = _keys(entry)
        same = (seen[key][0] for key in keys if key in seen and identity.same_paper(entry.record, seen[key][1]))
        name = paper.id if paper else next(same, f"entry {number}")
        for key in keys:
            seen.setdefault(key, (name, entry.record))
        yield name


def _keys(entry: BibliographyEntry) -> list[str]:
    """Return the match keys of an entry, identifiers first; the text of a list of references is no title."""
    record = replace(entry.record, abstract="", title=None if entry.is_text else entry.record.title)
    return sorted(identity.match_keys(record), key=lambda key: (key.startswith(("title ", "short ")), key))


def _tie(entries: Sequence[BibliographyEntry], catalog: Catalog) -> list[Paper | None]:
    """Return the paper of each entry, or None."""
    keys = [_keys(entry) for entry in entries]
    stored = catalog.records.matching({key for of_entry in keys for key in of_entry})
    ids: list[str | None] = []
    titles: _TitleHeads | None = None
    for entry, of_entry in zip(entries, keys, strict=True):
        paper_id = next((match.paper_id for key in of_entry for match in _fitting(stored.get(key, ()), entry)), None)
        if paper_id is None:
            titles = titles or _TitleHeads(catalog.papers.display_titles())
            paper_id = titles.find(entry)
        ids.append(paper_id)
    papers = {paper.id: paper for paper in catalog.papers.get(list(dict.fromkeys(filter(None, ids))))}
    tied = [papers.get(paper_id) if paper_id else None for paper_id in ids]
    return [paper if paper and _is_meant(entry, paper) else None for entry, paper in zip(entries, tied, strict=True)]


def _fitting(matches: Iterable[StoredRecord], entry: BibliographyEntry) -> Iterator[StoredRecord]:
    """Yield the stored records that share a key, those of the same paper first."""
    return iter(sorted(matches, key=lambda match: not identity.same_paper(entry.record, match.record)))


def _is_meant(entry: BibliographyEntry, paper: Paper) -> bool:
    """Tell whether an entry can mean the paper: another title is one only with the identifier of the paper."""
    record = entry.record
    has_identifier = any(
        mine and theirs and identity.normalized(mine) == identity.normalized(theirs)
        for mine, theirs in ((record.doi, paper.doi), (record.arxiv_id, paper.arxiv_id))
    )
    if has_identifier or entry.is_text:
        return True
    agrees = not record.authors or not paper.authors or surname(record.authors[0]) == surname(paper.authors[0])
    is_same_title = title_words(record.title) == title_words(paper.title)
    return agrees or (is_same_title and len(title_words(paper.title)) >= _MIN_TITLE)


class _TitleHeads:
    """The titles of the library by their first and last words, for titles that differ and for lists of references."""

    def __init__(self, titles: Iterable[tuple[str, str]]) -> None:
        self._heads: dict[tuple[str, ...], list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        self._tails: dict[tuple[str, ...], list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        for paper_id, title in titles:
            of_title = title_words(title)
            if len(of_title) >= _HEAD:
                self._heads[of_title[:_HEAD]].append((paper_id, of_title))
                self._tails[of_title[-_HEAD:]].append((paper_id, of_title))

    def find(self, entry: BibliographyEntry) -> str | None:
        """Return the id of the paper whose title the entry has, or nearly has; None where there is none."""
        wanted = title_words(entry.record.title)
        return self._contained(wanted) if entry.is_text else self._alike(wanted)

    def _contained(self, text: tuple[str, ...]) -> str | None:
        """Return the paper with the longest title that the text of an entry has."""
        found = [
            (len(title), paper_id)
            for start in range(len(text) - _HEAD + 1)
            for paper_id, title in self._heads.get(text[start : start + _HEAD], ())
            if len(title) >= _MIN_TITLE and text[start : start + len(title)] == title
        ]
        return max(found, default=(0, None))[1]

    def _alike(self, wanted: tuple[str, ...]) -> str | None:
        candidates = [*self._heads.get(wanted[:_HEAD], ()), *self._tails.get(wanted[-_HEAD:], ())]
        scored = [
            (difflib.SequenceMatcher(None, " ".join(wanted), " ".join(title)).ratio(), paper_id)
            for paper_id, title in candidates
        ]
        best = max(scored, default=(0.0, None))
        return best[1] if best[0] >= _LIKE else None
