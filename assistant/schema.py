"""The values that travel through paperchat: frozen, slotted, standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Record:
    """What one source says of one paper, before it is known which paper it is.

    `line` is the 1-based line of `source` on which the record begins, for messages only. A record without an
    abstract (empty) has a title.
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


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper: what all its sources say of it together. A citation points to it.

    Where no source has an abstract it is empty: the paper is listed and not searched.
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


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences of one abstract; `text` carries the title too and is what is embedded.

    `start` and `end` are character offsets into the paper's abstract.
    """

    paper_id: str
    number: int
    text: str
    start: int
    end: int
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of an abstract: `abstract[start:end] == text`. The unit of evidence."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A paper's id with one index's score for it; higher is better, comparable within one list only."""

    paper_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Filters:
    """What a paper must be like to be looked at; all of it applies (see `assistant.question.filters`).

    `since` and `until` are years, both included; `without` are words and phrases that it must not have.
    """

    authors: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != Filters()


@dataclass(frozen=True, slots=True)
class Scope:
    """Ids of papers: if any is pinned, only pinned ones are looked at; excluded ones never are."""

    pinned: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pinned or self.excluded)


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Selection:
    """Papers of the library to be listed, written or deleted: those that match the filters and have all the words.

    A word may stand in title, abstract, venue or authors.
    """

    filters: Filters = Filters()
    words: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.filters or self.words)


ALL_PAPERS = Selection()


class Sort(StrEnum):
    """The order of a list of papers; those that lack what is sorted by come last."""

    ID = "id"
    TITLE = "title"
    AUTHOR = "author"
    YEAR = "year"
    VENUE = "venue"
    ADDED = "added"

    @property
    def latest_first(self) -> bool:
        """Whether the order begins with the greatest, where it is not turned round."""
        return self in (Sort.YEAR, Sort.ADDED)


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list of papers that is `total` long, from `offset` (0-based) on."""

    papers: tuple[Paper, ...]
    offset: int
    total: int


@dataclass(frozen=True, slots=True)
class Query:
    """A question made ready for retrieval: `text` as typed, `standalone` readable without the conversation.

    `standalone` lacks the filters' words; `filters` and `scope` say which papers are looked at. `leans` is whether it
    takes up what was said before.
    """

    text: str
    standalone: str
    filters: Filters = Filters()
    scope: Scope = EVERYTHING
    is_follow_up: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether no letter or digit is left to search for."""
        return not any(character.isalnum() for character in self.standalone)


@dataclass(frozen=True, slots=True)
class Hit:
    """A paper found for a query. `score` is the fused one (0..1, comparable between searches), `scores` its parts."""

    rank: int
    score: float
    paper: Paper
    passages: tuple[Passage, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage of a hit that bears on the question, with how well it does (about 0..1)."""

    hit: Hit
    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class Citation:
    """A number in an answer, the paper it stands for, and the passages behind it."""

    number: int
    paper: Paper
    passages: tuple[Passage, ...]


class Strength(StrEnum):
    """How far an answer may be trusted to be one."""

    FIRM = "firm"
    TENTATIVE = "tentative"
    NONE = "none"


class Verdict(StrEnum):
    """What the cited passages say of a sentence; a remark states nothing that they could say."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    UNCITED = "uncited"
    REMARK = "remark"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer with the citation numbers it carries; `support` is 0..1, `reason` says why.

    `attributed` is whether the model wrote it without a citation, which was found afterwards. `replaces` is what the
    model wrote where a passage is quoted in its place.
    """

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    support: float
    reason: str = ""
    attributed: bool = False
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a language model wrote where it is not shown, as passages are quoted instead, and why.

    `failed` is whether the model broke off or said nothing, rather than saying what no passage supports.
    """

    text: str
    reason: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a paper supports a claim, or, without one asked for, whether any paper of the library does.

    `paper_id` is the paper that the passage stands in, None where there is none or its abstract was handed in;
    `support` is 0..1.
    """

    claim: str
    paper_id: str | None
    verdict: Verdict
    support: float
    passage: Passage | None
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the library answers a question: a probability, what follows from it, and why.

    `reply` is what to say where there is no question to answer.
    """

    confidence: float
    strength: Strength
    reason: str | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an index was built with. Two indexes are interchangeable only if their recipes are equal.

    `dimension` is the length of a vector, `chunk_tokens` the most word-pieces a chunk may hold, `words` how the
    words of an abstract are held. `engine` computed the first of the vectors: told and not compared, for engines are
    taken only if they agree.
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
    """What a search found, best first; timings are in milliseconds, `searched` is how many papers were looked at."""

    query: Query
    hits: tuple[Hit, ...]
    timings: Mapping[str, float] = field(default_factory=dict)
    searched: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a question, or an abstention (`strength` none) that says why. Both are values, not errors.

    While an answer streams, snapshots of it carry ever more text and `done` is false but for the last. `prompt` is the
    hash of the templates that a language model was asked with, `dropped` how many of its citations stood for no paper,
    `cut` whether it wrote more than an answer may have. `searched` is how many papers were looked at."""

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

    @property
    def answered(self) -> bool:
        """Whether the text is an answer rather than an abstention."""
        return self.strength is not Strength.NONE


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with its answer; a sequence of turns is a conversation.

    `scope` is what the person looked at; the answer's own is narrower where the question names papers.
    """

    question: str
    answer: Answer
    scope: Scope = EVERYTHING


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a language model; `role` is system, user or assistant."""

    role: str
    content: str
