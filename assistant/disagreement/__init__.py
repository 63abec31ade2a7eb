"""Show both sides of a claim: which sentences of the library support it, contradict it, or depend on a condition."""

from assistant.disagreement.claim import read_claim, topic_claim
from assistant.disagreement.question import disputed
from assistant.disagreement.sides import Claim, SidedSentence, Sides, find_sides

__all__ = ["Claim", "SidedSentence", "Sides", "disputed", "find_sides", "read_claim", "topic_claim"]
