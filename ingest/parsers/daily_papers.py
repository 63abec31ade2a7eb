"""Hugging Face daily papers: an arXiv paper with its summary in `paper`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.parsers.fields import Fields, string
from ingest.parsers.json_fields import people


def recognises(value: Mapping[str, Any]) -> bool:
    """A paper with a summary, in a wrapper or on its own."""
    paper = _paper(value)
    return "summary" in paper and "title" in paper and ("upvotes" in paper or paper is not value)


def fields(value: Mapping[str, Any]) -> Fields:
    """What a day's paper says."""
    paper = _paper(value)
    number = string(paper.get("id"))
    return Fields(
        title=string(paper.get("title")),
        abstract=string(paper.get("summary")),
        authors=people(paper.get("authors")),
        year=string(paper.get("publishedAt")),
        arxiv_id=number,
        url=f"https://arxiv.org/abs/{number}" if number else "",
    )


def _paper(value: Mapping[str, Any]) -> Mapping[str, Any]:
    paper = value.get("paper")
    return paper if isinstance(paper, dict) else value
