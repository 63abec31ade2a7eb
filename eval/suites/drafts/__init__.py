"""Paragraphs of related work with planted faults, written for this suite: lines of `paragraphs.jsonl`.

    id, split, sentences, each with text, paper (null: no paper says it), and faults, each with kind and text

They are about the seeds and about `papers.jsonl.gz`: abstracts of arXiv, whose metadata is CC0, twenty topics of
fourteen papers each, so that every cited paper has neighbours that are easily mistaken for it. `split` alternates.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.schema import Paper
from eval.suites import load_items

FOLDER = Path(__file__).parent
PARAGRAPHS, PAPERS = FOLDER / "paragraphs.jsonl", FOLDER / "papers.jsonl.gz"
NAME = "drafts"


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """A sentence with a fault: a number, a direction or a negation that the paper does not have."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class CitedStatement:
    """A true sentence with the id of the paper that says it, or that no paper says; and its faulty versions."""

    text: str
    paper: str | None
    faults: tuple[PlantedFault, ...]


@dataclass(frozen=True, slots=True)
class RelatedWork:
    """A paragraph of related work."""

    id: str
    split: str
    statements: tuple[CitedStatement, ...]

    @property
    def cited(self) -> list[str]:
        """Return the ids of the papers that it cites, in order."""
        return [statement.paper for statement in self.statements if statement.paper]


def load_paragraphs(split: str | None = None, file: Path = PARAGRAPHS) -> list[RelatedWork]:
    """Load the paragraphs of one split or of both. Raises InputError as `eval.suites.load` does."""
    return load_items(file, split, _paragraph)


def load_papers() -> list[Paper]:
    """Load the abstracts beside the seeds."""
    with gzip.open(PAPERS, "rt", encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        return [Paper(**row | {"authors": tuple(row["authors"]), "sources": (NAME,)}) for row in rows]


def _paragraph(row: dict[str, Any]) -> RelatedWork:
    return RelatedWork(row["id"], row["split"], tuple(map(_statement, row["sentences"])))


def _statement(row: dict[str, Any]) -> CitedStatement:
    faults = tuple(PlantedFault(fault["kind"], fault["text"]) for fault in row["faults"])
    return CitedStatement(row["text"], row["paper"], faults)
