"""Verify a claim against one paper of a library, any of its papers, or an abstract of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant import citations
from assistant.errors import InputError
from assistant.question.understand import normalize_input
from assistant.schema import Paper, Verification
from assistant.verification import verify
from assistant.verification.support import SupportModel

if TYPE_CHECKING:
    from assistant.storage.papers import Papers

# Papers that a claim is compared with.
COMPARED = 5


@dataclass(frozen=True, slots=True)
class ClaimVerifier:
    """Verifies claims of `limit` characters at most; `related` returns the papers likeliest to speak of a claim."""

    papers: Papers
    related: Callable[[str], Sequence[Paper]]
    model: SupportModel
    limit: int

    def verify(self, claim: str, paper_id: str | None = None, abstract: str | None = None) -> Verification:
        """Return whether a paper supports the claim: the one of the id, the abstract given, or any of the library.

        Raises InputError for a claim or abstract that is too long, or where both are given; NotFoundError for an
        unknown id; ModelError where a model fails.
        """
        if abstract is not None and paper_id is not None:
            raise InputError("claim", "give the id of a paper or an abstract, and not both")
        text = self._stated(claim)
        if abstract is not None:
            return verify.verify_against_abstract(text, abstract, self.model)
        if paper_id is None:
            return verify.verify_against_papers(text, self.related(text)[:COMPARED], self.model)
        return verify.verify_against_paper(text, self.papers.find(paper_id), self.model)

    def _stated(self, claim: str) -> str:
        """Return the claim without the citation markers of an answer that it was taken from."""
        return " ".join(citations.strip(normalize_input(claim, "claim", self.limit)).split())
