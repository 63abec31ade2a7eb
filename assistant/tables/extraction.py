"""Pull the value out of the sentence of a cell: a number with its unit, or names; else the sentence is the value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from assistant.text.function_words import FUNCTION_WORDS
from assistant.text.printable import one_line
from assistant.verification.quantities import Quantity, quantities

# Numbers and names that one value joins.
_MAX_JOINED = 4
# A word, with the marks that stand within names: CIFAR-10, SQuAD 2.0, GPT-3.5, 18F-FDG.
_TOKEN = re.compile(r"[\w@+&][\w@+&./'’-]*(?<![.'’/-])|[^\w\s]")
_INNER_CAPITAL = re.compile(r"\w[A-Z]|[A-Z][\w-]*\d|[a-z][A-Z]")
_NUMBER_AFTER_NAME = re.compile(r"\d+(?:\.\d+)*")
_NOUN = re.compile(r"[\s~-]+([A-Za-z][\w-]*)")
_ADDRESS = re.compile(r"https?://[^\s,;)}\]]+|www\.[^\s,;)}\]]+")


class ValueForm(StrEnum):
    """The form of the values of a column."""

    NUMBER = "number"
    NAME = "name"
    SENTENCE = "sentence"


def extract(sentence: str, form: ValueForm) -> str:
    """Return the value of this form in a sentence, word for word; the sentence in one line where it has none."""
    values = {ValueForm.NUMBER: _numbers, ValueForm.NAME: _names, ValueForm.SENTENCE: _nothing}[form](sentence)
    unique = list(dict.fromkeys(values))
    return ", ".join(unique) if 0 < len(unique) <= _MAX_JOINED else one_line(sentence)


def _numbers(sentence: str) -> list[str]:
    """Return the numbers in digits, those with a unit where there are any, and counts with what they count."""
    written = [quantity for quantity in quantities(sentence) if quantity.in_digits]
    measured = [one_line(quantity.text) for quantity in written if quantity.unit]
    return measured or [_with_noun(sentence, quantity) for quantity in written]


def _with_noun(sentence: str, quantity: Quantity) -> str:
    """Return a count with the noun behind it: `36 patients`."""
    noun = _NOUN.match(sentence, quantity.end)
    if noun is None or noun[1].casefold() in FUNCTION_WORDS:
        return one_line(quantity.text)
    return one_line(sentence[quantity.start : noun.end()])


def _names(sentence: str) -> list[str]:
    """Return the addresses of a sentence; without any, the names in it."""
    addresses = [match[0].rstrip(".") for match in _ADDRESS.finditer(sentence)]
    return addresses or list(_capitalized(sentence))


def _capitalized(sentence: str) -> Iterator[str]:
    """Yield the runs of capitalized words; one that begins the sentence counts only with a capital or digit inside."""
    run: list[re.Match[str]] = []
    for token in [*_TOKEN.finditer(sentence), None]:
        if token is not None and _continues(token, run):
            run.append(token)
            continue
        if run and (run[0].start() > 0 or _INNER_CAPITAL.search(run[0][0])):
            yield sentence[run[0].start() : run[-1].end()]
        run = []


def _continues(token: re.Match[str], run: list[re.Match[str]]) -> bool:
    word = token[0]
    if run and _NUMBER_AFTER_NAME.fullmatch(word):
        return True
    return (word[:1].isupper() and word.casefold() not in FUNCTION_WORDS) or bool(_INNER_CAPITAL.search(word))


def _nothing(_: str) -> list[str]:
    return []
