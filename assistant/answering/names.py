"""Find the names in a question that a paper does not mention: what is asked of a thing that the paper does not know."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.question.terms import Term
from assistant.schema import Paper

_WORD = re.compile(r"[^\W_]+")
_SPACED = re.compile(r"\S+")
# What stands around a word and is no part of it.
_AROUND = ".,;:?!()[]{}\"'\u2018\u2019\u201c\u201d"
# What stands before the first word of a sentence, whose capital says nothing.
_SENTENCE_START = re.compile(r"(?:^|[.?!:])\W*$")


def names_in(question: str, terms: Sequence[Term]) -> tuple[Term, ...]:
    """Return the names among the question's terms, each once, in order.

    A question without small letters has no names: its capitals say nothing.
    """
    if not any(letter.islower() for letter in question):
        return ()
    return tuple({_key(term.text): term for term in terms if _is_name(term, question)}.values())


def missing_names(names: Sequence[Term], paper: Paper) -> tuple[Term, ...]:
    """Return the names that neither title nor abstract has."""
    words = [_key(word) for word in _WORD.findall(f"{paper.title or ''} {paper.abstract}")]
    known, initials = set(words), "".join(word[0] for word in words if word)
    return tuple(
        name for name in names if (key := _key(name.text)) not in known and not (_is_acronym(name) and key in initials)
    )


def spelled(question: str, names: Sequence[Term]) -> tuple[str, ...]:
    """Return the words of the question that the names are parts of, each once: "DeepSeek-R1" for "R1"."""
    words = (word for word in _SPACED.finditer(question) for name in names if word.start() <= name.start < word.end())
    return tuple(dict.fromkeys(word.group().strip(_AROUND) for word in words))


def _is_name(term: Term, question: str) -> bool:
    """Return whether the term is written as names are: with a digit, or a capital that no sentence begins with.

    What begins with a digit is a quantity, as "7B".
    """
    if not term.text[0].isalpha():
        return False
    if any(letter.isdigit() or letter.isupper() for letter in term.text[1:]):
        return True
    return term.text[0].isupper() and not _SENTENCE_START.search(question[: term.start])


def _is_acronym(name: Term) -> bool:
    """Return whether the name can stand for words that begin with its letters, as "LR" for "learning rate"."""
    return len(name.text) > 1 and name.text.rstrip("s").isupper() and name.text.isalpha()


def _key(word: str) -> str:
    """Return the word without case and without the ending of a plural, as in "LLMs"."""
    return word.casefold().rstrip("s")
