"""Extract Hugging Face daily papers: an arXiv paper with its summary under `paper`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.parsers.fields import Fields, scalar_text
from ingest.parsers.json_fields import author_names


def matches(value: Mapping[str, Any]) -> bool:
    """Return whether an object is, or wraps, a paper with a summary."""
    paper = _paper(value)
    return "summary" in paper and "title" in paper and ("upvotes" in paper or paper is not value)


def extract(value: Mapping[str, Any]) -> Fields:
    """Return the fields of a daily paper."""
    paper = _paper(value)
    arxiv_id = scalar_text(paper.get("id"))
    return Fields(
        title=scalar_text(paper.get("title")),
        abstract=scalar_text(paper.get("summary")),
        authors=author_names(paper.get("authors")),
        year=scalar_text(paper.get("publishedAt")),
        arxiv_id=arxiv_id,
        url=f"https://arxiv.org/abs/{arxiv_id}" if arxiv_id else "",
    )


def _paper(value: Mapping[str, Any]) -> Mapping[str, Any]:
    paper = value.get("paper")
    return paper if isinstance(paper, dict) else value
