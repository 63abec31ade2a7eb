"""Extract the content words of a question, with their idf."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from assistant.protocols import TermStatistics

# A run of letters and digits, as the lexicon splits them, with the ending of a possessive or a contraction.
WORD = re.compile(r"([^\W_]+)(?:['\u2019](?:s|d|t|re|ve|ll|m)\b)?")
# No analyzer yields this term: its idf is that of a term without any paper.
_UNSEEN = ""
# Words that questions on any topic have.
QUESTION_WORDS = frozenset(
    "what which who whom whose when where why how do does did done can could should would will shall may might must "
    "has have had am been being many much more most any some they them he she i we you me us my our your "
    "tell show give find explain describe please pls about from than so also just only there here "
    "don doesn didn isn aren wasn weren won wouldn shouldn couldn hasn haven hadn "
    "paper papers abstract abstracts library anyone somebody someone anybody anything something everything "
    "nothing thing things way ways".split()
)


@dataclass(frozen=True, slots=True)
class Term:
    """A content word at `start` to `end` of the question.

    `idf` is the greatest inverse document frequency of its index terms, in nats.
    """

    text: str
    start: int
    end: int
    index_terms: tuple[str, ...]
    idf: float


@dataclass(frozen=True, slots=True)
class QuestionTerms:
    """The terms of a question with their idf, computed once.

    `content` are its content words in order; `index_idf` has the idf of every index term of the question, in nats;
    `max_idf` is that of a term that no paper has.
    """

    content: tuple[Term, ...] = ()
    index_idf: Mapping[str, float] = field(default_factory=dict)
    max_idf: float = 0.0

    def is_unseen(self, term: Term) -> bool:
        """Return whether no paper has one of the word's index terms."""
        return term.idf >= self.max_idf


NO_TERMS = QuestionTerms()


def analyze(question: str, lexicon: TermStatistics) -> QuestionTerms:
    """Return the content words of the question, and the idf of its index terms."""
    matches = [match for match in WORD.finditer(question) if match.group(1).casefold() not in QUESTION_WORDS]
    analyzed = [(match, tuple(lexicon.terms(match.group(1)))) for match in matches]
    words = {match: index_terms for match, index_terms in analyzed if index_terms}
    question_terms = set(lexicon.terms(question))
    idf = lexicon.idf({_UNSEEN, *question_terms, *(term for index_terms in words.values() for term in index_terms)})
    content = tuple(
        Term(match.group(1), match.start(), match.end(), index_terms, max(map(idf.__getitem__, index_terms)))
        for match, index_terms in words.items()
    )
    return QuestionTerms(content, {term: idf[term] for term in question_terms}, idf[_UNSEEN])
