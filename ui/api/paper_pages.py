"""The addresses of the pages of papers on this server, which mark a passage."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from assistant.schema import Answer, Citation, Paper, Passage
from assistant.serialization import Json, answer_json

# The id of the marked passage on the page of a paper.
PASSAGE_ANCHOR = "passage-1"


@dataclass(frozen=True, slots=True)
class PaperPages:
    """The pages of the papers of a library; `base` is the address by which the client has called this server."""

    base: str
    library: str | None = None

    def address(self, paper: Paper, passage: Passage | None = None) -> str:
        """Return the address of the page of a paper; with a passage, that of exactly this sentence on it."""
        offsets = {"start": passage.start, "end": passage.end} if passage else {}
        query = urlencode(({"library": self.library} if self.library else {}) | offsets)
        page = f"{self.base}api/v1/papers/{quote(paper.id, safe='')}"
        return f"{page}{'?' if query else ''}{query}{f'#{PASSAGE_ANCHOR}' if passage else ''}"

    def answer_json(self, answer: Answer) -> Json:
        """Return an answer as JSON, in which each citation has the addresses of its passages."""
        written = answer_json(answer)
        pairs = zip(written["citations"], answer.citations, strict=True)
        return written | {"citations": [cited | {"links": self._links(citation)} for cited, citation in pairs]}

    def _links(self, citation: Citation) -> list[str]:
        return [self.address(citation.paper, passage) for passage in citation.passages]
