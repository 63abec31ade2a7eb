"""Extract papers from arXiv's snapshot, which has one object per line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.parsers.fields import Fields, scalar_text, split_names
from ingest.parsers.latex import decode_latex


def matches(value: Mapping[str, Any]) -> bool:
    """Return whether an object has an abstract together with categories or parsed names."""
    return "abstract" in value and "id" in value and ("authors_parsed" in value or "categories" in value)


def extract(value: Mapping[str, Any]) -> Fields:
    """Return the fields of a paper, with LaTeX accents decoded."""
    arxiv_id = scalar_text(value["id"])
    return Fields(
        title=decode_latex(scalar_text(value.get("title"))),
        abstract=decode_latex(scalar_text(value["abstract"])),
        authors=_authors(value),
        year=_created(value.get("versions")) or scalar_text(value.get("update_date")),
        venue=scalar_text(value.get("journal-ref")),
        doi=scalar_text(value.get("doi")),
        arxiv_id=arxiv_id,
        url=f"https://arxiv.org/abs/{arxiv_id}",
    )


def _authors(value: Mapping[str, Any]) -> list[str]:
    parsed = value.get("authors_parsed")
    if not isinstance(parsed, list) or not parsed:
        return split_names(decode_latex(scalar_text(value.get("authors"))))
    names = ([scalar_text(part) for part in author[:3]] for author in parsed if isinstance(author, list))
    return [decode_latex(" ".join(filter(None, [*name[1:2], *name[:1], *name[2:]]))) for name in names]


def _created(versions: Any) -> str:
    first = versions[0] if isinstance(versions, list) and versions else None
    return scalar_text(first.get("created")) if isinstance(first, dict) else ""
