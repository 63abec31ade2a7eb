"""Identify papers: which records describe the same paper, the id of the paper, and its merged fields.

Everything here depends on the records alone, never on their order or on the rest of the library, so that ids are the
same on every machine and for every order of files.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from assistant.schema import Paper, Record
from assistant.text.links import is_arxiv_doi

if TYPE_CHECKING:
    from datasketch import MinHash

# Two abstracts whose word sets overlap this much (Jaccard) are versions of the same one. Unrelated abstracts of the
# seeds reach 0.29, the one revised abstract there has 0.86.
NEAR_DUPLICATE = 0.7
# If both records have a title and the titles differ, the abstracts must be almost equal.
RETITLED = 0.9
# A shorter title ("Editorial", "Introduction") does not identify a paper on its own.
IDENTIFYING_TITLE_WORDS = 4
# PostgreSQL indexes texts of up to 2,704 bytes; a character has up to four.
_MAX_KEY_LENGTH = 500

# MinHash over 3-word shingles; 32 bands of 4 rows find a pair of similarity 0.5 with probability 0.87 and of
# similarity 0.7 with 0.9998. Broder 1997, "On the resemblance and containment of documents".
_SHINGLE_WORDS = 3
_BANDS, _ROWS = 32, 4


def match_keys(record: Record) -> frozenset[str]:
    """Return short keys of a record. Two records of one paper share at least one (with near certainty if revised)."""
    bands = _bands(normalized(record.abstract)) if record.abstract else []
    return frozenset([*map(_shortened, _exact_keys(record)), *bands])


def same_paper(a: Record, b: Record) -> bool:
    """Return whether two records describe the same paper. Symmetric."""
    if _equal_ids(a.arxiv_id, b.arxiv_id) or _equal_ids(a.doi, b.doi):
        return True
    if a.arxiv_id and b.arxiv_id:
        return False
    if set(_title_keys(a)) & set(_title_keys(b)) and _authors_agree(a, b):
        return True
    if not (a.abstract and b.abstract):
        return _short_title_key(a) == _short_title_key(b) != ""
    retitled = a.title and b.title and normalized(a.title) != normalized(b.title)
    return _jaccard(a.abstract, b.abstract) >= (RETITLED if retitled else NEAR_DUPLICATE)


def merge(records: Collection[Record]) -> Paper:
    """Return the paper of these records, with each field from the most complete record that has it."""
    ranked = sorted(records, key=_completeness) if len(records) > 1 else list(records)
    return Paper(
        id=_paper_id(ranked),
        abstract=_first(record.abstract for record in ranked) or "",
        title=_first(record.title for record in ranked),
        authors=_first(record.authors for record in ranked) or (),
        year=_first(record.year for record in ranked),
        venue=_first(record.venue for record in ranked),
        doi=_first(record.doi for record in sorted(ranked, key=_has_archive_doi)),
        arxiv_id=_first(record.arxiv_id for record in ranked),
        url=_first(record.url for record in ranked),
        sources=tuple(sorted({record.source for record in ranked})),
    )


def merge_separately(records: Collection[Record]) -> Paper:
    """Return the merged paper under an id unique to these records, for papers that a person keeps separate."""
    contents = sorted(repr(replace(record, line=0)) for record in records)
    return replace(merge(records), id=_digest("\n".join(["apart", *contents])))


def field_sources(records: Collection[Record]) -> dict[str, str]:
    """Return the source of each field of the merged paper that has a value."""
    ranked = sorted(records, key=_completeness)
    names = ("title", "abstract", "authors", "year", "venue", "doi", "arxiv_id", "url")
    sources = {name: next((record.source for record in ranked if getattr(record, name)), None) for name in names}
    return {name: source for name, source in sources.items() if source is not None}


def normalized(text: str) -> str:
    """Return the text in folded lower case, with one space between its runs of letters and digits."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"[^\W_]+", folded))


def _exact_keys(record: Record) -> list[str]:
    """Return the keys that records must share exactly, the strongest first."""
    return [key for strength in _KEYS_BY_STRENGTH for key in strength(record)]


def _doi_keys(record: Record) -> list[str]:
    return [f"doi {normalized(record.doi)}"] if record.doi else []


def _arxiv_keys(record: Record) -> list[str]:
    return [f"arxiv {normalized(record.arxiv_id)}"] if record.arxiv_id else []


def _shortened(key: str) -> str:
    """Return the key, or the beginning of a very long one with its digest: databases limit what an index holds."""
    return key if len(key) <= _MAX_KEY_LENGTH else f"{key[:_MAX_KEY_LENGTH]} {_digest(key)}"


def _title_keys(record: Record) -> list[str]:
    title = normalized(record.title or "")
    return [f"title {title}"] if len(title.split()) >= IDENTIFYING_TITLE_WORDS else []


def _abstract_keys(record: Record) -> list[str]:
    return [f"abstract {_digest(normalized(record.abstract))}"] if record.abstract else []


def _short_title_keys(record: Record) -> list[str]:
    return [key] if (key := _short_title_key(record)) else []


def _short_title_key(record: Record) -> str:
    """Return a key of a short title, the first author and the year, for records without an abstract to compare."""
    title = normalized(record.title or "") or record.title
    if not title or len(title.split()) >= IDENTIFYING_TITLE_WORDS:
        return ""
    return f"short {title} {_first_author(record)} {record.year or ''}"


def _paper_id(ranked: Sequence[Record]) -> str:
    """Return 16 hex digits of the strongest key of any of the records, the smallest if several are equally strong."""
    for strength in _KEYS_BY_STRENGTH:
        if keys := [_id_key(key, record) for record in ranked for key in strength(record)]:
            return _digest(min(keys))
    raise ValueError("a record has neither title nor abstract")


_KEYS_BY_STRENGTH = (_doi_keys, _arxiv_keys, _title_keys, _abstract_keys, _short_title_keys)


def _id_key(key: str, record: Record) -> str:
    # The first author distinguishes two papers with the same title.
    return f"{key} {_first_author(record)}" if key.startswith("title ") else key


def _completeness(record: Record) -> tuple[Any, ...]:
    """Return a sort key that puts the most complete record first and breaks ties by content, never by order."""
    fields = [record.doi, record.arxiv_id, record.title, record.authors, record.year, record.venue, record.url]
    return (-sum(map(bool, fields)), -len(record.abstract), repr(replace(record, line=0)))


def _has_archive_doi(record: Record) -> bool:
    """Return whether the DOI of a record is the one that arXiv gives to a preprint."""
    return is_arxiv_doi(record.doi or "")


def _first(values: Any) -> Any:
    return next((value for value in values if value), None)


def _first_author(record: Record) -> str:
    """Return the first author's family name, normalized; empty if there is no author."""
    return normalized(record.authors[0]).split()[-1] if record.authors and normalized(record.authors[0]) else ""


def _equal_ids(a: str | None, b: str | None) -> bool:
    return bool(a and b and normalized(a) == normalized(b))


def _authors_agree(a: Record, b: Record) -> bool:
    return not a.authors or not b.authors or _first_author(a) == _first_author(b)


def _jaccard(a: str, b: str) -> float:
    """Return the Jaccard similarity of the word sets of two texts, 0..1."""
    words_a, words_b = set(normalized(a).split()), set(normalized(b).split())
    union = words_a | words_b
    return len(words_a & words_b) / len(union) if union else 1.0


def _bands(text: str) -> list[str]:
    """Return the locality-sensitive hashes of a normalized text."""
    words = text.split()
    starts = range(max(1, len(words) - _SHINGLE_WORDS + 1))
    shingles = {" ".join(words[start : start + _SHINGLE_WORDS]) for start in starts}
    sketch = _empty_sketch().copy()
    sketch.update_batch([shingle.encode("utf-8", "surrogatepass") for shingle in shingles])
    return [f"band {band} {rows.tobytes().hex()}" for band, rows in enumerate(sketch.hashvalues.reshape(_BANDS, _ROWS))]


@cache
def _empty_sketch() -> MinHash:
    """Return an empty sketch, whose permutations take long to draw."""
    from datasketch import MinHash  # it loads scipy, which the page does not need before papers are added

    # The scheme is fixed because keys are stored: sketches of another scheme would not match them.
    return MinHash(num_perm=_BANDS * _ROWS, seed=1, scheme="affine32")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
