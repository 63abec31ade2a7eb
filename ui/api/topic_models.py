"""The JSON of the topics of a library, as pydantic models (see `ui.api.models`)."""

from __future__ import annotations

from pydantic import Field

from ui.api.models import PaperJson, PassageJson, ServedModel


class TopicQuoteJson(ServedModel):
    """A sentence that stands for a topic."""

    paper: PaperJson = Field(description="The paper.")
    passage: PassageJson = Field(description="The sentence of its abstract.")


class TopicJson(ServedModel):
    """A topic of a library."""

    id: str = Field(description="Id, which stays when papers are added.")
    label: str = Field(description="Its most telling terms.")
    terms: list[str] = Field(description="Terms of its abstracts, the most telling first.")
    papers: int = Field(description="Number of its papers.")
    paper_ids: list[str] = Field(description="Ids of its papers, the most typical first.")
    years: dict[str, int] = Field(description="Number of papers by year; papers without a year are left out.")
    quotes: list[TopicQuoteJson] = Field(description="Up to three sentences of its abstracts.")


class MapPointJson(ServedModel):
    """The position of a paper on the map."""

    paper_id: str = Field(description="Id of the paper.")
    topic: str = Field(description="Id of its topic.")
    year: int | None = Field(description="Its year.")
    x: float = Field(description="From left, -1, to right, 1.")
    y: float = Field(description="From the bottom, -1, to the top, 1.")


class TopicMapJson(ServedModel):
    """The topics of a library, the largest first."""

    papers: int = Field(description="Number of papers in the topics.")
    notes: list[str] = Field(description="What is missing, such as years, and why; usually empty.")
    topics: list[TopicJson] = Field(description="The topics.")
    points: list[MapPointJson] = Field(description="Positions of its papers; of a large library, of 1,500.")
