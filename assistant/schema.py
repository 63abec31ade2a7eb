"""The values of paperchat: frozen dataclasses and enumerations that need only the standard library."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Record:
    """The description of a paper by one source, before the paper is identified.

    `source` is the name of a file or service; `line` is the 1-based line on which the record begins, for messages
    only. A record without an abstract has an empty one, and a title. `keywords` become tags of the paper.
    """

    abstract: str
    title: str | None = None
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    url: str | None = None
    source: str = ""
    line: int = field(default=0, compare=False)
    keywords: tuple[str, ...] = ()


class NoticeKind(StrEnum):
    """What a publisher or archive has announced about a paper, the gravest first."""

    RETRACTED = "retracted"
    WITHDRAWN = "withdrawn"
    CONCERN = "expression of concern"


@dataclass(frozen=True, slots=True)
class Notice:
    """An announcement about a paper: by which service it is known, since when, and in which words or at which address.

    `date` is the day of the announcement in ISO 8601; text, address and date are empty where the service has none.
    """

    kind: NoticeKind
    service: str
    text: str = ""
    url: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper, merged from the records of its sources.

    `abstract` is empty where no source has one: the paper is listed, but not searched. `notice` is the gravest
    announcement about it that is known; it is no part of what is indexed.
    """

    id: str
    abstract: str
    title: str | None = None
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    url: str | None = None
    sources: tuple[str, ...] = ()
    notice: Notice | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PaperCollection:
    """A named set of papers; `created` is when it was begun (ISO 8601, UTC), `papers` the number of its papers."""

    id: str
    name: str
    created: str
    papers: int


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a person has added to a paper: tags, a note (empty for none), and the names of its collections.

    `keywords` are the tags that the paper has in the files that it comes from; `citation_key` is the key that it has in
    a reference manager, as that has it (untrusted), empty where it has none.
    """

    tags: tuple[str, ...] = ()
    note: str = ""
    collections: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    citation_key: str = ""

    @property
    def all_tags(self) -> tuple[str, ...]:
        """Return the tags of persons and of files, each once."""
        present = {tag.casefold() for tag in self.tags}
        return (*self.tags, *(keyword for keyword in self.keywords if keyword.casefold() not in present))


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive sentences of an abstract that are embedded together.

    `text` is what is embedded: the title and the sentences. `number` counts a paper's chunks from 0; `start` and `end`
    are character offsets into the abstract.
    """

    paper_id: str
    number: int
    text: str
    start: int
    end: int
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of an abstract, the unit of evidence: `abstract[start:end] == text`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PaperScore:
    """The score of a paper in one index; higher is better, comparable within one result list only."""

    paper_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Filters:
    """The conditions that a paper must meet to be searched, all of them (see `assistant.question.filters`).

    `since` and `until` are years, inclusive; `phrases` must occur in the title or abstract, `without` must not.
    `collections` and `tags` are names, `notes` phrases of the paper's note; `topics` are
    ids of topics of the library's map.
    """

    authors: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != Filters()

    def within(self, scope: Scope) -> Filters:
        """Return the filters that let only papers of the collections, topics and years of the scope through, too."""
        return replace(
            self,
            collections=tuple(dict.fromkeys((*self.collections, *scope.collections))),
            topics=tuple(dict.fromkeys((*self.topics, *scope.topics))),
            since=max((year for year in (self.since, scope.since) if year is not None), default=None),
            until=min((year for year in (self.until, scope.until) if year is not None), default=None),
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """The papers that a search is restricted to, by id: the pinned ones, or all where none is, without the excluded.

    Where `collections` and `topics` are named, a paper must be in all of them, too; `since` and `until` are years.
    """

    pinned: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None

    def __bool__(self) -> bool:
        return self != Scope()


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection of papers to list, export or delete: those that match the filters and contain all the words.

    The words are searched for in title, abstract, venue, authors, tags and note.
    """

    filters: Filters = Filters()
    words: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.filters or self.words)


ALL_PAPERS = Selection()


class Sort(StrEnum):
    """The sort key of a list of papers; papers without a value come last."""

    ID = "id"
    TITLE = "title"
    AUTHOR = "author"
    YEAR = "year"
    VENUE = "venue"
    ADDED = "added"

    @property
    def latest_first(self) -> bool:
        """Return whether the default order is descending."""
        return self in (Sort.YEAR, Sort.ADDED)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list of `total` papers, beginning at `offset` (0-based)."""

    papers: tuple[Paper, ...]
    offset: int
    total: int


@dataclass(frozen=True, slots=True)
class Query:
    """A question prepared for retrieval.

    `text` is the question as typed, without mark-up; `standalone` can be understood without the conversation and lacks
    the filters. `filters` and `scope` restrict the papers; `is_follow_up` tells whether the question depends on the
    conversation. `read_as` is the text with misspelt words corrected, or in English as a language model translated it;
    empty where it is neither.
    """

    text: str
    standalone: str
    filters: Filters = Filters()
    scope: Scope = EVERYTHING
    is_follow_up: bool = False
    read_as: str = ""

    @property
    def is_blank(self) -> bool:
        """Return whether the standalone text has neither letters nor digits."""
        return not any(character.isalnum() for character in self.standalone)


@dataclass(frozen=True, slots=True)
class Hit:
    """A paper in a search result; `score`, 0..1 and comparable between searches, combines those in `scores`."""

    rank: int
    score: float
    paper: Paper
    passages: tuple[Passage, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Citation:
    """A citation number of an answer, the paper that it refers to, and the supporting passages."""

    number: int
    paper: Paper
    passages: tuple[Passage, ...]


class Strength(StrEnum):
    """The strength of an answer: firm, tentative (a partial answer), or none (an abstention)."""

    FIRM = "firm"
    TENTATIVE = "tentative"
    NONE = "none"


class Verdict(StrEnum):
    """The result of verifying a sentence against the cited passages; a remark makes no claim to verify."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNSUPPORTED = "unsupported"
    UNCITED = "uncited"
    REMARK = "remark"
    UNCHECKED = "unchecked"

    @property
    def is_doubtful(self) -> bool:
        """Return whether no abstract stands behind the sentence."""
        return self in (Verdict.UNSUPPORTED, Verdict.CONTRADICTED, Verdict.UNCITED)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer with its citation numbers and its verdict; `support` is 0..1.

    `attributed` tells whether the citation was added by verification because the model wrote none; `replaces` is the
    model's sentence where a passage is quoted instead of it. `is_context` tells whether a quotation is there only
    because the next one cannot be understood without it. The first `lead` characters connect the sentence to the text
    that it was taken from, such as "Moreover, ": a display may subdue them. `emphasis` has the character offsets of
    what was asked for, such as a number: (start, end).
    """

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    support: float
    reason: str = ""
    attributed: bool = False
    replaces: str | None = None
    is_context: bool = False
    lead: int = 0
    emphasis: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of an answer, above the sentence at the 0-based position `first`."""

    text: str
    first: int


class CellSource(StrEnum):
    """Where the value of a cell comes from."""

    ABSTRACT = "abstract"
    CATALOG = "catalog"
    PERSON = "person"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a paper has in one column of a table; None where it has nothing, or nothing is recorded.

    `passage` is the sentence of its abstract that the value comes from; `confidence` is 0..1. `outdated` tells whether
    the abstract has changed since a person wrote the value.
    """

    value: str | None
    passage: Passage | None = None
    confidence: float = 1.0
    source: CellSource = CellSource.CATALOG
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: a paper with one cell for each column."""

    paper: Paper
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of papers; `total` is the number of papers it is about, of which `rows` has the first."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The text of a language model that an answer of quoted passages replaces, and the reason.

    `failed` tells whether the model failed or returned no text; otherwise no passage supports the text.
    """

    text: str
    reason: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict on a claim, checked against one paper or against the library.

    `support` and `contradiction` are probabilities, 0..1. `paper_id` is the paper of the passage; None without a
    passage, or where the abstract was passed by the caller.
    """

    claim: str
    paper_id: str | None
    verdict: Verdict
    support: float
    passage: Passage | None
    reason: str
    contradiction: float = 0.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """The parameters that an index was built with; indexes with equal recipes are interchangeable.

    `dimension` is the length of a vector, `chunk_tokens` the maximum number of tokens in a chunk, `words` the storage
    format of word vectors. `engine` computed the first vectors; it is not compared, as all engines in use agree.
    """

    embedder: str
    revision: str
    dimension: int
    chunk_tokens: int
    chunking: str
    analyzer: str
    words: str
    engine: str = field(default="float32", compare=False)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits of a search, best first, its timings in milliseconds, and the number of papers searched."""

    query: Query
    hits: tuple[Hit, ...]
    timings: Mapping[str, float] = field(default_factory=dict)
    searched: int = 0


# The strategy of one reply.
SINGLE = "single"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a language model spent on an answer: its calls, the tokens that it read and wrote, and the seconds.

    `strategy` is the setting by which the answer was written. `failed` counts the calls that failed; `limit` names what
    ran out before the strategy was through, "tokens" or "seconds", and is empty where nothing did.
    """

    strategy: str
    calls: int
    prompt_tokens: int
    output_tokens: int
    seconds: float
    failed: int = 0
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question, or an abstention (`strength` none) with its reason.

    A streamed answer is a series of snapshots with growing text, of which only the last is `done`. `nearest` are the
    papers that an abstention names. `prompt` is the hash of the prompt templates, `dropped` the number of the model's
    citations that refer to no paper; `cut` tells whether the text reached the length limit. `searched` is the number of
    papers searched, `timings` are in milliseconds. `intent` is what the question was taken to ask for. `opening` is a
    line of the program's own that says what kind of answer follows; `headings` stand above sentences. `table` is an
    answer from the catalog, or a list of papers. `cost` is what a language model spent, where one was called, and
    `progress` says what it is doing while the text of a snapshot stays as it is. `read_as` is the question with its
    misspelt words corrected, or in English as a language model translated it; empty where it is neither.
    """

    question: str
    standalone: str
    strength: Strength
    confidence: float
    text: str
    reason: str | None = None
    citations: tuple[Citation, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    hits: tuple[Hit, ...] = ()
    nearest: tuple[Paper, ...] = ()
    model: str = ""
    recipe: Recipe | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    done: bool = True
    filters: Filters = Filters()
    scope: Scope = EVERYTHING
    prompt: str | None = None
    dropped: int = 0
    cut: bool = False
    withdrawn: Withdrawn | None = None
    searched: int = 0
    intent: str = ""
    opening: str = ""
    headings: tuple[Heading, ...] = ()
    table: Table | None = None
    cost: Cost | None = None
    progress: str = ""
    read_as: str = ""

    @property
    def answered(self) -> bool:
        """Return whether this is an answer rather than an abstention."""
        return self.strength is not Strength.NONE

    def _repr_html_(self) -> str:
        """Return the answer as HTML, which a notebook shows."""
        # By name: values stand below whatever shows them, and load nothing.
        return str(importlib.import_module("assistant.integrations.notebook").answer_html(self))


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with its answer; a sequence of turns is a conversation.

    `scope` is the one that the person chose; that of the answer is narrower where the question names papers.
    """

    question: str
    answer: Answer
    scope: Scope = EVERYTHING


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a chat with a language model; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a language model draws one reply of several: the temperature, above 0, and the seed of its random numbers."""

    temperature: float
    seed: int
