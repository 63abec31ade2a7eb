"""What people call the columns of a table, or the keys of an object, that hold a paper's title, abstract and so on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from ingest.parsers.fields import Fields, listed

# The names of each field, the most telling first, in lower case and without signs.
_NAMES = {
    "title": "title|paper title|article title|document title|publication title title|display name|headline|ti",
    "abstract": "abstract|abstract note|abstract text|abstracttext|paper abstract|summary|ab|abstracts|description",
    "authors": "authors|author full names|author|author names|author s|creators|creator|authorstring|author list|au",
    "year": "year|publication year|pubyear|pub year|py|date|publication date|published|pubdate|date published"
    "|published date|created|issued|update date",
    "venue": "venue|journal|source title|publication title|journal book|journal title|booktitle|book title|conference"
    "|container title|journal name|published in|proceedings|so|journal ref",
    "doi": "doi|di|doi link|digital object identifier",
    "arxiv_id": "arxiv id|arxivid|arxiv|eprint|arxiv number",
    "url": "url|link|paper url|url abs|abs url|html url|article url|pdf url|links",
}
_FIELDS = {name: field for field, names in _NAMES.items() for name in names.split("|")}


@lru_cache(4096)
def plain(name: str) -> str:
    """A column's name in lower case, without signs."""
    return " ".join(re.findall(r"[a-z]+", name.casefold()))


def known(names: Collection[str]) -> set[str]:
    """Which of a paper's fields columns of these names hold."""
    return {_FIELDS[name] for name in map(plain, names) if name in _FIELDS}


def fields(values: Mapping[str, str]) -> Fields:
    """A paper from the values of columns, by their names."""
    by_name = {plain(name): value for name, value in values.items()}
    found = {field: _first(by_name, names) for field, names in _NAMES.items()}
    return Fields(**found | {"authors": listed(found["authors"])})  # type: ignore[arg-type]  # names are the fields


def _first(by_name: Mapping[str, str], names: str) -> str:
    return next((by_name[name] for name in names.split("|") if by_name.get(name, "").strip()), "")
