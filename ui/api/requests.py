"""The bodies of requests to the JSON API."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assistant.drafts.values import DraftFormat
from assistant.schema import Record, Scope
from assistant.tables.rows import MAX_ROWS
from ui.api.models import AnswerJson

_MAX_HISTORY = 50
_MAX_IDS = 1000
Ids = Annotated[list[str], Field(max_length=_MAX_IDS)]


class RequestBody(BaseModel):
    """A body of a request; an unknown key is an error, because it is most likely misspelt."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScopeBody(RequestBody):
    """The papers to restrict a question to."""

    pinned: Ids = Field(default=[], description="Ids of the only papers to use; empty for all.")
    excluded: Ids = Field(default=[], description="Ids of papers to ignore.")
    collections: Ids = Field(default=[], description="Names of collections that papers must be in.")
    topics: Ids = Field(default=[], description="Ids of topics that papers must be on.")
    since: int | None = Field(default=None, description="First year of papers; null for no limit.")
    until: int | None = Field(default=None, description="Last year of papers; null for no limit.")

    def value(self) -> Scope:
        """Return the scope."""
        return Scope(
            tuple(self.pinned),
            tuple(self.excluded),
            tuple(self.collections),
            tuple(self.topics),
            self.since,
            self.until,
        )


class EarlierTurn(RequestBody):
    """An earlier question of the conversation."""

    question: str = Field(description="The question.")
    answer: AnswerJson | str = Field(description="The answer as it was served, or only its text.")


class SearchBody(RequestBody):
    """A search."""

    query: str = Field(description="A question or words, with filters if wanted: `author:Lin year:2020-2022`.")
    top_k: int | None = Field(default=None, ge=1, le=1000, description="Number of papers to return.")
    scope: ScopeBody = Field(default=ScopeBody(), description="Papers to search.")
    library: str | None = Field(default=None, description="Name of another library than the one that is served.")


class AskBody(RequestBody):
    """A question."""

    question: str = Field(description="The question, with filters if wanted: `author:Lin year:2020-2022`.")
    history: list[EarlierTurn] = Field(
        default=[], max_length=_MAX_HISTORY, description="The conversation before it, the oldest turn first."
    )
    scope: ScopeBody = Field(default=ScopeBody(), description="Papers to search.")
    conversation: str | None = Field(
        default=None, description="Id of a stored conversation, which is the history, and gets the answer."
    )
    save: bool = Field(default=False, description="Whether to begin a stored conversation with this question.")
    stream: bool = Field(default=False, description="Whether to reply by server-sent events.")
    library: str | None = Field(default=None, description="Name of another library than the one that is served.")


class VerifyBody(RequestBody):
    """A claim to check: against one paper, against an abstract, or against the library."""

    claim: str = Field(description="The claim.")
    paper_id: str | None = Field(default=None, description="Id of the paper to check it against.")
    abstract: str | None = Field(default=None, description="An abstract to check it against.")
    library: str | None = Field(default=None, description="Name of another library than the one that is served.")


class CheckBody(RequestBody):
    """A draft to check."""

    text: str = Field(description="The draft.")
    format: DraftFormat | None = Field(
        default=None, description="`latex`, `markdown` or `text`; by default what it looks like."
    )
    bibliography: str = Field(default="", description="Its bibliography, as BibTeX.")
    stream: bool = Field(default=False, description="Whether to reply by server-sent events, sentence by sentence.")
    library: str | None = Field(default=None, description="Name of another library than the one that is served.")


class SidesBody(RequestBody):
    """A claim to show both sides of."""

    claim: str = Field(description="A statement, or a question that is answered by yes or no; filters as in a search.")
    scope: ScopeBody = Field(default=ScopeBody(), description="Papers to search.")
    library: str | None = Field(default=None, description="Name of another library than the one that is served.")


class TableBody(RequestBody):
    """A table: its columns, and what chooses its rows: ids, a question or filters; without any, all papers."""

    columns: list[str] = Field(
        min_length=1, max_length=100, description="Questions or topics in words, or fields such as year and authors."
    )
    ids: Ids = Field(default=[], description="Ids of the papers.")
    question: str = Field(default="", max_length=20_000, description="A question, whose hits are the rows.")
    filter: str = Field(default="", max_length=4000, description="Words and filters: `author:Lin year:2020-2022`.")
    limit: int = Field(default=100, ge=1, le=MAX_ROWS, description="Most rows.")
    stream: bool = Field(default=False, description="Whether to reply by server-sent events, row by row.")
    library: str | None = Field(default=None, description="Name of another library than the one that is served.")


class CellBody(RequestBody):
    """What a person says that a paper has in a column of a table."""

    paper_id: str = Field(max_length=200, description="Id of the paper, or its beginning.")
    column: str = Field(max_length=1000, description="The column, as in the table.")
    value: str | None = Field(max_length=20_000, description="The value; null where the abstract does not say.")
    library: str | None = Field(default=None, description="Name of another library than the one that is served.")


class RecordBody(RequestBody):
    """A paper as one source describes it."""

    title: str | None = Field(default=None, max_length=2000, description="Title.")
    abstract: str = Field(default="", max_length=50_000, description="Abstract.")
    authors: list[str] = Field(default=[], max_length=5000, description="Authors in the order of the paper.")
    year: int | None = Field(default=None, ge=1000, le=2999, description="Year of publication.")
    venue: str | None = Field(default=None, max_length=1000, description="Journal or conference.")
    doi: str | None = Field(default=None, max_length=500, description="DOI.")
    arxiv_id: str | None = Field(default=None, max_length=100, description="arXiv identifier.")
    url: str | None = Field(default=None, max_length=2000, description="Address of the paper.")

    def value(self, source: str) -> Record:
        """Return the record of a source."""
        fields = self.model_dump() | {"authors": tuple(self.authors), "source": source}
        return Record(**fields)


class AddBody(RequestBody):
    """Papers to add: a file's text, or records."""

    name: str = Field(
        default="api", max_length=100, description="Name of the source; of a file, with its extension: `refs.bib`."
    )
    content: str | None = Field(default=None, description="The text of the file: BibTeX, RIS, JSON Lines and others.")
    records: list[RecordBody] = Field(default=[], max_length=10_000, description="The records.")
    library: str | None = Field(default=None, description="Name of another library than the one that is served.")


class RenameBody(RequestBody):
    """A new title of a conversation."""

    title: str = Field(min_length=1, max_length=200, description="The title.")


class MembersBody(RequestBody):
    """Papers for a collection: those of the ids, and those that match the filter."""

    ids: list[str] = Field(default=[], max_length=10_000, description="Ids of papers.")
    filter: str = Field(default="", max_length=4000, description="Words and filters, as of a list.")


class CollectionBody(MembersBody):
    """A new collection."""

    name: str = Field(max_length=1000, description="Its name, of at most 100 characters.")


class NameBody(RequestBody):
    """A new name of a collection."""

    name: str = Field(max_length=1000, description="The name, of at most 100 characters.")


class TagsBody(RequestBody):
    """The tags of a paper."""

    tags: list[str] = Field(max_length=1000, description="The tags, of at most 100 characters each.")


class NoteBody(RequestBody):
    """The note of a paper."""

    text: str = Field(max_length=100_000, description="The note, of at most 10,000 characters; empty for none.")
