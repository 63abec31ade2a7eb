"""The JSON of both sides of a claim, as pydantic models (see `ui.api.models`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ui.api.models import PaperJson, PassageJson, Probability, ServedModel


class SidedSentenceJson(ServedModel):
    """A sentence that takes a side on a claim."""

    paper: PaperJson = Field(description="The paper.")
    passage: PassageJson = Field(description="The sentence of its abstract.")
    probability: Probability = Field(description="Probability that it takes this side.")


class DependingSentenceJson(SidedSentenceJson):
    """A sentence that takes a side under a condition."""

    condition: str = Field(description="The condition, in the sentence's own words.")
    side: Literal["supports", "contradicts"] = Field(description="The side that it takes under the condition.")


class SidesJson(ServedModel):
    """Both sides of a claim, the newest paper of each last."""

    claim: str = Field(description="The claim as it was read.")
    inversion: str = Field(description="Its inversion, which was searched for too.")
    supports: list[SidedSentenceJson] = Field(description="Sentences that support the claim.")
    contradicts: list[SidedSentenceJson] = Field(description="Sentences that contradict it.")
    depends: list[DependingSentenceJson] = Field(description="Sentences that take a side under a condition.")
    note: str = Field(description="What may be wrong with the claim; usually empty.")
    question: str | None = Field(description="The question that the claim was read from; null for a statement.")
