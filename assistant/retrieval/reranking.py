"""Rerank the best candidates of a search: by late interaction, or by a cross-encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from assistant.retrieval.late_interaction import Interactions
    from assistant.schema import Paper


class CrossEncoder(Protocol):
    """A model that encodes a query and a document together and scores the pair."""

    name: str

    def score(self, query: str, documents: Sequence[str]) -> list[float]:
        """Return how well each document fits the query, 0..1. Raises ModelError."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Papers to rerank, best first; `read` gets their text from the catalog for rerankers that need it."""

    paper_ids: Sequence[str]
    interactions: Interactions
    read: Callable[[Sequence[str]], list[Paper]]


class Reranker(Protocol):
    """A second scoring of the best candidates. `name` is the one in the settings."""

    name: str

    def score(self, candidates: Candidates) -> dict[str, float]:
        """Return how well each candidate fits the question, about 0..1, by id; those without a text may be missing."""
        ...


class LateInteraction:
    """A Reranker that needs no text: MaxSim over the stored word vectors."""

    name = "late-interaction"

    def score(self, candidates: Candidates) -> dict[str, float]:
        """Return MaxSim of each candidate; 0 for one without stored words."""
        scores = candidates.interactions.maxsim(candidates.paper_ids)
        return dict(zip(candidates.paper_ids, scores, strict=True))


class CrossEncoderReranker:
    """A Reranker over a CrossEncoder."""

    def __init__(self, model: CrossEncoder) -> None:
        self.name, self._model = model.name, model

    def score(self, candidates: Candidates) -> dict[str, float]:
        """Return the model's score of each candidate. Raises ModelError."""
        papers = candidates.read(candidates.paper_ids)
        documents = [f"{paper.title}. {paper.abstract}" if paper.title else paper.abstract for paper in papers]
        scores = self._model.score(candidates.interactions.query.text, documents)
        return {paper.id: score for paper, score in zip(papers, scores, strict=True)}
