"""Which records are of one paper, what the paper's id is, and what its records say together.

Everything here depends on the records alone, never on their order or on what else is in the library,
so that ids are the same on every machine and in whatever order the files come.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from datasketch import MinHash

from assistant.schema import Paper, Record

# Two abstracts whose sets of words overlap this much (Jaccard) are versions of one. Unrelated
# abstracts of the seeds reach 0.29, the one revised abstract there has 0.86.
NEAR_DUPLICATE = 0.7
# Where both records have a title and the titles differ, the abstracts must be all but equal.
RETITLED = 0.9
# A title of fewer words ("Editorial", "Introduction") does not identify a paper on its own.
TELLING_TITLE_WORDS = 4

# MinHash over runs of three words; 32 bands of 4 rows find a pair of similarity 0.5 with probability 0.87
# and 0.7 with 0.9998. Broder 1997, "On the resemblance and containment of documents".
_RUN = 3
_BANDS, _ROWS = 32, 4


def marks(record: Record) -> frozenset[str]:
    """Short traces of a record. Two records of one paper share at least one of them (nearly always for a revision)."""
    return frozenset([*_keys(record), *(_bands(normalized(record.abstract)) if record.abstract else [])])


def same_paper(one: Record, other: Record) -> bool:
    """Whether two records are of one paper. Symmetric."""
    for a, b in ((one.arxiv_id, other.arxiv_id), (one.doi, other.doi)):
        if a and b and normalized(a) == normalized(b):
            return True
    if one.arxiv_id and other.arxiv_id:
        return False
    if set(_title_keys(one)) & set(_title_keys(other)) and _authors_agree(one, other):
        return True
    if not (one.abstract and other.abstract):
        return _short_title_key(one) == _short_title_key(other) != ""
    overlap = _overlap(one.abstract, other.abstract)
    retitled = one.title and other.title and normalized(one.title) != normalized(other.title)
    return overlap >= (RETITLED if retitled else NEAR_DUPLICATE)


def merge(records: Collection[Record]) -> Paper:
    """The paper that these records are of: each field from the most telling record that has it."""
    ranked = sorted(records, key=_telling)
    return Paper(
        id=_paper_id(ranked),
        abstract=_first(record.abstract for record in ranked) or "",
        title=_first(record.title for record in ranked),
        authors=_first(record.authors for record in ranked) or (),
        year=_first(record.year for record in ranked),
        venue=_first(record.venue for record in ranked),
        doi=_first(record.doi for record in ranked),
        arxiv_id=_first(record.arxiv_id for record in ranked),
        url=_first(record.url for record in ranked),
        sources=tuple(sorted({record.source for record in ranked})),
    )


def apart(records: Collection[Record]) -> Paper:
    """The same, under an id that these very records have to themselves: for papers that a person keeps apart."""
    paper = merge(records)
    said = sorted(repr(replace(record, line=0)) for record in records)
    return replace(paper, id=_digest("\n".join(["apart", *said])))


def origins(records: Collection[Record]) -> dict[str, str]:
    """For each field of the merged paper, the source that it is from."""
    ranked = sorted(records, key=_telling)
    fields = ("title", "abstract", "authors", "year", "venue", "doi", "arxiv_id", "url")
    found = {name: next((each.source for each in ranked if getattr(each, name)), None) for name in fields}
    return {name: source for name, source in found.items() if source is not None}


def normalized(text: str) -> str:
    """Lower case, compatibility forms folded, everything but letters and digits turned into single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"[^\W_]+", folded))


def _keys(record: Record) -> list[str]:
    """Exact traces, the strongest first."""
    keys = [f"doi {normalized(record.doi)}"] if record.doi else []
    keys += [f"arxiv {normalized(record.arxiv_id)}"] if record.arxiv_id else []
    keys += _title_keys(record) or filter(None, [_short_title_key(record)])
    return [*keys, f"abstract {_digest(normalized(record.abstract))}"] if record.abstract else keys


def _title_keys(record: Record) -> list[str]:
    title = normalized(record.title or "")
    return [f"title {title}"] if len(title.split()) >= TELLING_TITLE_WORDS else []


def _short_title_key(record: Record) -> str:
    """A short title with first author and year, which tell a paper where there is no abstract to compare."""
    title = normalized(record.title or "") or record.title
    telling = not title or len(title.split()) >= TELLING_TITLE_WORDS
    return "" if telling else f"short {title} {_first_author(record)} {record.year or ''}"


def _paper_id(ranked: Sequence[Record]) -> str:
    """Sixteen hex digits from the strongest key that any of the records has, the smallest of equals."""
    order = ("doi", "arxiv", "title", "abstract", "short")
    keys = [_id_key(key, record) for record in ranked for key in _keys(record)]
    return _digest(min(keys, key=lambda key: (order.index(key.split(" ", 1)[0]), key)))


def _id_key(key: str, record: Record) -> str:
    # Two papers of one title are told apart by their first authors.
    return f"{key} {_first_author(record)}" if key.startswith("title ") else key


def _telling(record: Record) -> tuple[Any, ...]:
    """Sort key: the best described record first; ties are broken by content, never by order."""
    described = [record.doi, record.arxiv_id, record.title, record.authors, record.year, record.venue, record.url]
    return (-sum(map(bool, described)), -len(record.abstract), repr(replace(record, line=0)))


def _first(values: Any) -> Any:
    return next((value for value in values if value), None)


def _first_author(record: Record) -> str:
    """Family name of the first author, normalised; empty where unknown."""
    return normalized(record.authors[0]).split()[-1] if record.authors and normalized(record.authors[0]) else ""


def _authors_agree(one: Record, other: Record) -> bool:
    return not one.authors or not other.authors or _first_author(one) == _first_author(other)


def _overlap(one: str, other: str) -> float:
    """Jaccard similarity of two texts' sets of words, 0..1."""
    a, b = set(normalized(one).split()), set(normalized(other).split())
    return len(a & b) / len(a | b) if a | b else 1.0


def _bands(text: str) -> list[str]:
    """Locality-sensitive hashes of a normalised text."""
    words = text.split()
    runs = {" ".join(words[at : at + _RUN]) for at in range(max(1, len(words) - _RUN + 1))}
    sketch = _blank().copy()
    sketch.update_batch([run.encode("utf-8", "surrogatepass") for run in runs])
    return [f"band {band} {rows.tobytes().hex()}" for band, rows in enumerate(sketch.hashvalues.reshape(_BANDS, _ROWS))]


@cache
def _blank() -> MinHash:
    """A sketch of nothing, whose permutations are drawn once."""
    # The scheme is named because marks are kept: another one would no longer find its equals.
    return MinHash(num_perm=_BANDS * _ROWS, seed=1, scheme="affine32")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
