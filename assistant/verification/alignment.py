"""Align a claim with the passage of an abstract that expresses most of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from assistant.protocols import TermStatistics
from assistant.schema import Passage
from assistant.verification.quantities import Quantity, are_equal, ordinals, quantities
from assistant.verification.tokenized_text import TokenizedText, coverage, similarity, term_weights

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# Content words on each side of a word that count as its context, in the claim and in the abstract.
_CLAIM_REACH, _ABSTRACT_REACH = 10, 12
# A claim states something only with at least this many content words and numbers.
_MIN_TERMS = 2
# How much more of the claim two neighbouring sentences must express than one, and what a shared number adds.
_PAIR_PENALTY, _NUMBER_BONUS = 0.03, 0.1


@dataclass(frozen=True, slots=True, eq=False)
class EncodedClaim:
    """A claim with what the alignment needs of it, computed once.

    `statement` is the claim with blanks in place of references to papers. `content` are the indices of the content
    words of the statement that are not numbers, `weights` their weights (sum 1).
    """

    words: TokenizedText
    statement: str
    content: tuple[int, ...]
    weights: Vectors
    quantities: tuple[Quantity, ...]

    @property
    def text(self) -> str:
        """Return the claim as written."""
        return self.words.text


@dataclass(frozen=True, slots=True)
class CandidatePassage:
    """One sentence of an abstract, or two neighbours (`is_pair`), with the indices of its words and its numbers."""

    passage: Passage
    words: tuple[int, ...]
    quantities: tuple[Quantity, ...]
    is_pair: bool


@dataclass(frozen=True, slots=True, eq=False)
class EncodedAbstract:
    """An abstract with its candidate passages and numbers, computed once."""

    words: TokenizedText
    candidates: tuple[CandidatePassage, ...]
    quantities: tuple[Quantity, ...]

    @property
    def text(self) -> str:
        """Return the abstract as stored."""
        return self.words.text


@dataclass(frozen=True, slots=True, eq=False)
class ClaimAlignment:
    """A claim beside the passage of an abstract that expresses most of it.

    `cosines` has the similarity of each claim word to each word of the abstract; `coverage` is the share of the claim
    that the passage expresses, 0..1.
    """

    claim: EncodedClaim
    abstract: EncodedAbstract
    cosines: Vectors
    candidate: CandidatePassage
    coverage: float

    @property
    def passage(self) -> Passage:
        """Return the passage as the abstract has it."""
        return self.candidate.passage

    @property
    def passage_words(self) -> tuple[int, ...]:
        """Return the indices of the passage's words in the abstract."""
        return self.candidate.words

    def context_fit(self, claim_word: int, abstract_word: int) -> float:
        """Compare the context of a claim word with that of an abstract word, 0..1."""
        around = self.claim.words.context(claim_word, _CLAIM_REACH)
        opposite = self.abstract.words.context(abstract_word, _ABSTRACT_REACH)
        if not around or not opposite:
            return 0.0
        return max(0.0, float(self.cosines[around][:, opposite].max(axis=1).mean()))


def encode_claim(words: TokenizedText, statement: str, lexicon: TermStatistics) -> EncodedClaim:
    """Find the content words and the numbers of a claim's statement, and weight the words by idf."""
    numbers = quantities(statement)
    counted = [*((number.start, number.end) for number in numbers), *ordinals(statement)]
    stated = (word for word in words.content_words() if statement[slice(*words.spans[word])].strip())
    content = tuple(word for word in stated if not _overlaps(words.spans[word], counted))
    return EncodedClaim(words, statement, content, term_weights(words, content, lexicon), numbers)


def encode_abstract(words: TokenizedText, sentences: Sequence[Passage]) -> EncodedAbstract:
    """Find the candidate passages of an abstract: its sentences, then each two neighbours."""
    pairs = [
        Passage(words.text[first.start : second.end], first.start, second.end) for first, second in pairwise(sentences)
    ]
    candidates = (
        *(_candidate(words, sentence, is_pair=False) for sentence in sentences),
        *(_candidate(words, pair, is_pair=True) for pair in pairs),
    )
    return EncodedAbstract(words, candidates, quantities(words.text))


def align(claim: EncodedClaim, abstract: EncodedAbstract) -> ClaimAlignment | None:
    """Choose the passage that expresses most of the claim, has its numbers, and is short.

    Returns None where the claim has too few words to state anything, or the abstract has no sentence.
    """
    too_short = not claim.content or len(claim.content) + len(claim.quantities) < _MIN_TERMS
    if too_short or not abstract.candidates:
        return None
    cosines = similarity(claim.words, abstract.words)
    alignments = (
        ClaimAlignment(
            claim, abstract, cosines, passage, coverage(cosines, claim.weights, claim.content, passage.words)
        )
        for passage in abstract.candidates
    )
    return max(alignments, key=_merit)


def _candidate(words: TokenizedText, passage: Passage, *, is_pair: bool) -> CandidatePassage:
    indices = tuple(words.starting_in(passage.start, passage.end))
    return CandidatePassage(passage, indices, quantities(passage.text), is_pair)


def _overlaps(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)


def _merit(alignment: ClaimAlignment) -> float:
    claimed, candidate = alignment.claim.quantities, alignment.candidate
    shared = sum(any(are_equal(number, shown) for shown in candidate.quantities) for number in claimed)
    penalty = _PAIR_PENALTY if candidate.is_pair else 0.0
    return alignment.coverage + _NUMBER_BONUS * (shared / max(1, len(claimed))) - penalty
