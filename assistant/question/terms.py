"""Extract the content words of a question, with their idf and whether they are names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from assistant.protocols import TermStatistics

# A run of letters and digits, as the lexicon splits them, with the ending of a possessive or a contraction.
_WORD = re.compile(r"([^\W_]+)(?:['\u2019](?:s|d|t|re|ve|ll|m)\b)?")
# The start of a sentence: its first word is capitalized in any case.
_OPENING = re.compile(r"(?:^|[.?!:]|\s-)[\s\"'(\u201c\u2018]*$")
# No analyzer yields this term: its idf is that of a term without any paper.
_UNSEEN = ""
_MIN_ACRONYM_LETTERS = 2
# From this many words on, a question with every word capitalized is taken for a title.
_MIN_TITLE_WORDS = 3
# Words that questions on any topic have.
_QUESTION_WORDS = frozenset(
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

    `idf` is the greatest inverse document frequency of its index terms, in nats. `is_name` tells whether it is written
    like a name: an acronym, a capital within a sentence, or letters mixed with digits.
    """

    text: str
    start: int
    end: int
    index_terms: tuple[str, ...]
    idf: float
    is_name: bool


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
    matches = [match for match in _WORD.finditer(question) if match.group(1).casefold() not in _QUESTION_WORDS]
    analyzed = [(match, tuple(lexicon.terms(match.group(1)))) for match in matches]
    words = {match: index_terms for match, index_terms in analyzed if index_terms}
    question_terms = set(lexicon.terms(question))
    idf = lexicon.idf({_UNSEEN, *question_terms, *(term for index_terms in words.values() for term in index_terms)})
    names = _names(question, list(words))
    content = tuple(
        Term(
            match.group(1),
            match.start(),
            match.end(),
            index_terms,
            max(map(idf.__getitem__, index_terms)),
            match in names,
        )
        for match, index_terms in words.items()
    )
    return QuestionTerms(content, {term: idf[term] for term in question_terms}, idf[_UNSEEN])


def is_in(word: Term, text: str, terms: Collection[str]) -> bool:
    """Return whether a text with these index terms has the word, or spells out the acronym that it is."""
    return all(term in terms for term in word.index_terms) or _is_acronym_in(word.text, text, terms)


def _is_acronym_in(acronym: str, text: str, terms: Collection[str]) -> bool:
    """Return whether a text has the acronym, in singular or plural (a stemmer keeps them apart), or spells it out."""
    letters = acronym.removesuffix("s")
    if len(letters) < _MIN_ACRONYM_LETTERS or not letters.isupper():
        return False
    initials = "".join(word[0] for word in re.findall(r"[^\W\d_]+", text.casefold()))
    return not {letters.casefold(), f"{letters.casefold()}s"}.isdisjoint(terms) or letters.casefold() in initials


def _names(question: str, words: Collection[re.Match[str]]) -> set[re.Match[str]]:
    """Return the words that are written like names."""
    # Where every word is capitalized, as in a title, a capital does not indicate a name.
    is_title = len(words) >= _MIN_TITLE_WORDS and not any(match.group()[0].islower() for match in words)
    return {match for match in words if _is_name(match, question, is_title)}


def _is_name(match: re.Match[str], question: str, is_title: bool) -> bool:
    word = match.group(1)
    if len(word) < 2 or word.isdigit():
        return False
    if any(map(str.isdigit, word)):
        return True
    if question.isupper():
        return False
    if any(map(str.isupper, word[1:])):
        return True
    return word[0].isupper() and not is_title and not _OPENING.search(question, 0, match.start())
