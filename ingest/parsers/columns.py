"""Map the names of table columns, or of object keys, to the fields of a paper."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from ingest.parsers import asreview
from ingest.parsers.fields import Fields, split_keywords, split_names

# The column names of each field, the most specific first, in lower case and without punctuation.
_COLUMNS = {
    "title": "title|paper title|article title|document title|publication title title|display name|headline|ti",
    "abstract": "abstract|abstract note|abstract text|abstracttext|paper abstract|summary|ab|abstracts|description",
    "authors": "author full names|authors|author|author names|author s|creators|creator|authorstring|author list|au",
    "year": "year|publication year|pubyear|pub year|py|yr|date|publication date|published|pubdate|date published"
    "|published date|created|issued|update date",
    "venue": "venue|journal|source title|publication title|journal book|journal title|booktitle|book title|conference"
    "|container title|journal name|published in|proceedings|so|journal ref|jn",
    "doi": "doi|di|doi link|digital object identifier",
    "arxiv_id": "arxiv id|arxivid|arxiv|eprint|arxiv number",
    "url": "url|link|paper url|url abs|abs url|html url|article url|pdf url|links",
}
# The columns of keywords, whose values become tags. Those that an index assigns to papers by the dozen are left out.
_KEYWORDS = "author keywords|keywords|keyword|de|manual tags|automatic tags|tags".split("|")
# Scopus writes its number of an author behind the name.
_AUTHOR_NUMBER = re.compile(r"\s*\(\d{5,}\)")
_FIELDS = {column: field for field, columns in _COLUMNS.items() for column in columns.split("|")}


@lru_cache(4096)
def _normalized(column: str) -> str:
    """Return a column's name in lower case, without punctuation."""
    return " ".join(re.findall(r"[a-z]+", column.casefold()))


def recognized_fields(columns: Collection[str]) -> set[str]:
    """Return the fields of a paper that columns with these names contain."""
    return {_FIELDS[column] for column in map(_normalized, columns) if column in _FIELDS}


def extract(values: Mapping[str, str]) -> Fields:
    """Return the fields of a paper from the values of columns, by column name."""
    by_column = {_normalized(column): value for column, value in values.items()}
    fields = {field: _first_value(by_column, columns) for field, columns in _COLUMNS.items()}
    if "central id" in by_column:  # Cochrane, where the source is the journal
        fields["venue"] = fields["venue"] or by_column.get("source", "")
    keywords = [keyword for column in _KEYWORDS for keyword in split_keywords(by_column.get(column, ""))]
    lists = {
        "authors": split_names(_AUTHOR_NUMBER.sub("", fields["authors"])),
        "keywords": [*(keyword.removeprefix("*") for keyword in keywords), *asreview.labels_in_columns(values)],
    }
    return Fields(**fields | lists)  # type: ignore[arg-type]  # keys are the fields


def _first_value(by_column: Mapping[str, str], columns: str) -> str:
    return next((by_column[column] for column in columns.split("|") if by_column.get(column, "").strip()), "")
