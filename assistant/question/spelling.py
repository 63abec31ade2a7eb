"""Correct misspelt words of a question: words that no paper has, one edit away from a word that papers have.

The candidates are the words at a Damerau-Levenshtein distance of one (Damerau 1964; Norvig 2007, "How to write a
spelling corrector") that an abstract has. A logistic model (`python -m eval.training.spelling`) tells a slip from a
name or word that the library lacks: by the edit, by how common the candidate is and whether it keeps company with the
other words, and by the pieces that the embedder splits both into, since a common word is one piece.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from assistant.question import fitted, terms
from assistant.question.language import foreign_language
from assistant.text.function_words import FUNCTION_WORDS

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.protocols import Embedder, Lexicon
    from assistant.question.terms import Term
    from assistant.schema import Paper, Query

WEIGHTS = fitted.PACKAGED / "spelling.npz"
# The probability from which a word is corrected, chosen on the dev questions of the seeds (docs/experiments.md).
CORRECTED_FROM = 0.8
# The same for a word beside one that is misspelt for sure: who slips once slips more often.
_FURTHER_FROM = 0.6
# Shorter words are one edit away from too many others, and what is longer is no word.
_LENGTHS = range(3, 31)
# Words of a question that are looked at, and papers that are read for a candidate.
_MAX_WORDS, _READ = 6, 5
# Tokens that a word of one piece is counted as, with those before and after a text.
_ONE_PIECE = 3
_LETTERS = string.ascii_lowercase
# Words that any question may have, whether or not a paper has them.
_COMMON = FUNCTION_WORDS | terms.QUESTION_WORDS

# Returns the papers of these ids.
ReadPapers = Callable[[Sequence[str]], "Sequence[Paper]"]


class Spelling(StrEnum):
    """What a word that no paper has is: a slip, or meant as it is written."""

    MISSPELT = "misspelt"
    MEANT = "meant"


class Edit(StrEnum):
    """How a word differs from the candidate: what the writer did."""

    ADDED = "added"
    DROPPED = "dropped"
    REPLACED = "replaced"
    SWAPPED = "swapped"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that papers have, and the edit at a 0-based position that makes the written word of it."""

    word: str
    edit: Edit
    position: int


@dataclass(frozen=True, slots=True)
class Speller:
    """What spelling is judged by: the lexicon, its papers, and the embedder, which knows common words."""

    lexicon: Lexicon
    read: ReadPapers
    embedder: Embedder

    def correct(self, query: Query) -> Query:
        """Return the query with its misspelt words corrected in the standalone text. Raises LibraryError, ModelError.

        `read_as` is then the question as it was read. One in another language stays as it is.
        """
        if foreign_language(query.text) or not (corrections := self.corrections(query.standalone)):
            return query
        standalone, read_as = (_replaced(text, corrections) for text in (query.standalone, query.text))
        return replace(query, standalone=standalone, read_as=read_as)

    def corrections(self, question: str) -> dict[str, str]:
        """Return the words that are misspelt, in small letters, with the words that are meant."""
        weighed = {term.text.casefold(): self._best(question, term) for term in self.unseen(question)[:_MAX_WORDS]}
        is_careless = any(probability >= CORRECTED_FROM for probability, _ in weighed.values())
        least = _FURTHER_FROM if is_careless else CORRECTED_FROM
        return {word: meant for word, (probability, meant) in weighed.items() if probability >= least}

    def unseen(self, question: str) -> list[Term]:
        """Return the words of the question that no paper has and that may be misspelt, each once."""
        analyzed = terms.analyze(question, self.lexicon)
        unseen = {term.text.casefold(): term for term in analyzed.content if analyzed.is_unseen(term)}
        return [term for word, term in unseen.items() if len(word) in _LENGTHS and word.isascii() and word.isalpha()]

    def candidates(self, word: str) -> list[Candidate]:
        """Return the words that may be meant: those that papers have, and those that any question may have.

        A common word counts where papers have another form of it: "save" where they have "saves".
        """
        by_word = {candidate.word: candidate for candidate in edits(word)}
        index_terms = {other: self.lexicon.terms(other) for other in by_word if other not in _COMMON}
        idf = self.lexicon.idf({"", *(term for found in index_terms.values() for term in found)})
        seen = [other for other, found in index_terms.items() if found and all(idf[term] < idf[""] for term in found)]
        pieces = dict(zip(seen, self.embedder.count_tokens(seen), strict=True)) if seen else {}
        written = [other for other in seen if pieces[other] <= _ONE_PIECE or self._is_written(other)]
        return [by_word[other] for other in sorted([*(by_word.keys() & _COMMON), *written])]

    def features(self, question: str, term: Term, candidate: Candidate) -> Vectors:
        """Return the features of a word with a candidate, float32."""
        import numpy as np

        word = term.text.casefold()
        pieces, of_candidate = self.embedder.count_tokens([word, candidate.word])
        return np.array(
            [
                *(float(candidate.edit is edit) for edit in Edit),
                float(candidate.position == 0),
                float(candidate.position >= len(word) - 1),
                float(_is_doubled(word, candidate)),
                math.log(len(word)),
                float(term.text.islower()),
                float(term.text.isupper()),
                float(candidate.word in _COMMON),
                self._commonness(candidate.word),
                self._company(question, term, candidate.word),
                float(pieces <= _ONE_PIECE),
                math.log(max(1, pieces - _ONE_PIECE + 1)),
                float(of_candidate <= _ONE_PIECE),
            ],
            dtype=np.float32,
        )

    def _best(self, question: str, term: Term) -> tuple[float, str]:
        """Return the word that is likeliest to be meant and its probability; an empty one where there is none."""
        classifier = fitted.packaged(WEIGHTS)
        weighed = [
            (classifier.probabilities(self.features(question, term, candidate))[Spelling.MISSPELT], candidate.word)
            for candidate in self.candidates(term.text.casefold())
        ]
        return max(weighed, default=(0.0, ""))

    def _is_written(self, word: str) -> bool:
        """Return whether one of the best papers for the word has it as it is, and not only another form of it."""
        papers = self.read([hit.paper_id for hit in self.lexicon.search(word, _READ)])
        written = re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", re.IGNORECASE)
        return any(written.search(f"{paper.title or ''}\n{paper.abstract}") for paper in papers)

    def _commonness(self, word: str) -> float:
        """Return 1 less the idf of the word as a share of the greatest one, 0..1; 1 for one without index terms."""
        index_terms = self.lexicon.terms(word)
        idf = self.lexicon.idf({"", *index_terms})
        return 1 - max((idf[term] for term in index_terms), default=0.0) / max(idf[""], 1e-9)

    def _company(self, question: str, term: Term, word: str) -> float:
        """Return what the best paper for the question gains by the word, as a share of the most that it can, 0..1."""
        most = self.lexicon.max_score(word)
        if not most:
            return 1.0
        before = self._best_score(question[: term.start] + question[term.end :])
        return min(
            1.0, max(0.0, self._best_score(question[: term.start] + word + question[term.end :]) - before) / most
        )

    def _best_score(self, text: str) -> float:
        return next((hit.score for hit in self.lexicon.search(text, 1)), 0.0)


def edits(word: str) -> Iterator[Candidate]:
    """Yield every word from which one edit makes this one: a letter dropped, added, replaced, or two swapped."""
    for position in range(len(word) + 1):
        before, after = word[:position], word[position:]
        yield from (Candidate(before + letter + after, Edit.DROPPED, position) for letter in _LETTERS)
        if after:
            yield Candidate(before + after[1:], Edit.ADDED, position)
            others = _LETTERS.replace(after[0], "")
            yield from (Candidate(before + letter + after[1:], Edit.REPLACED, position) for letter in others)
        if len(after) > 1 and after[0] != after[1]:
            yield Candidate(before + after[1] + after[0] + after[2:], Edit.SWAPPED, position)


def _replaced(text: str, corrections: Mapping[str, str]) -> str:
    return terms.WORD.sub(partial(_correction, corrections=corrections), text)


def _correction(match: re.Match[str], corrections: Mapping[str, str]) -> str:
    word = match.group(1)
    meant = corrections.get(word.casefold())
    if not meant:
        return match.group()
    written = meant.upper() if word.isupper() else meant.capitalize() if word[:1].isupper() else meant
    return written + match.group()[len(word) :]


def _is_doubled(word: str, candidate: Candidate) -> bool:
    """Return whether the edit doubles a letter or makes one of two."""
    if candidate.edit not in (Edit.ADDED, Edit.DROPPED):
        return False
    longer, position = max(word, candidate.word, key=len), candidate.position
    return longer[position] in (longer[position - 1 : position], longer[position + 1 : position + 2])
