"""The JSON of digests, as pydantic models (see `ui.api.models`)."""

from __future__ import annotations

from pydantic import Field

from assistant.schema import Strength
from ui.api.models import PaperJson, PassageJson, Probability, ServedModel


class NewPaperJson(ServedModel):
    """A paper that is new."""

    paper: PaperJson = Field(description="The paper.")
    nearness: Probability = Field(description="How near it is to the library, by which papers are ranked.")
    topic: str = Field(description="Label of its topic; may be empty.")
    starred: str = Field(description="Title of the nearest paper with the tag `starred`; may be empty.")
    starred_nearness: Probability = Field(description="How near that is.")
    sources: list[str] = Field(description="Watched sources that brought it.")


class BearingPaperJson(ServedModel):
    """A new paper that bears on a kept answer."""

    paper: PaperJson = Field(description="The paper.")
    passage: PassageJson | None = Field(description="The sentence that bears on it.")
    probability: Probability = Field(description="Probability that the abstract answers the question.")
    is_cited: bool = Field(description="Whether the question, asked again, is answered from it.")
    contradicts: list[int] = Field(description="Citations of the kept answer that the sentence speaks against.")


class AnswerChangeJson(ServedModel):
    """A kept answer whose evidence has changed."""

    conversation: str = Field(description="Id of the conversation.")
    turn: int = Field(description="Id of the turn.")
    question: str = Field(description="The question.")
    before: Strength = Field(description="Strength of the kept answer.")
    after: Strength = Field(description="Strength of the answer that the question gets now.")
    papers: list[BearingPaperJson] = Field(description="New papers that bear on it.")
    retracted: list[int] = Field(description="Citations whose papers were retracted or withdrawn.")


class DigestJson(ServedModel):
    """A digest of what watched sources have brought."""

    id: int = Field(description="Number of the digest.")
    made: str = Field(description="Time, ISO 8601.")
    is_read: bool = Field(description="Whether the caller has read it.")
    title: str = Field(description="What it has, in a line.")
    papers: list[NewPaperJson] = Field(description="New papers, the nearest to the library first.")
    total: int = Field(description="Number of new papers; the list may be shorter.")
    notices: list[PaperJson] = Field(description="Papers that were retracted or withdrawn.")
    answers: list[AnswerChangeJson] = Field(description="The caller's kept answers whose evidence has changed.")


class DigestsJson(ServedModel):
    """The last digests, the newest first."""

    unread: int = Field(description="Number of digests that the caller has not read.")
    digests: list[DigestJson] = Field(description="The digests.")
