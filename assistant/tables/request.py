"""Recognize a message that asks for a table, and find in it the columns and what the papers are about.

"make a table of {dataset} and {main result} for the papers about [speculative decoding]": the classifiers (`python -m
eval.training.table_requests`) read the form of the message, that of its wording alone, and the role of each word; they
need no embedder. In doubt a message is a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import InputError
from assistant.question import filters, fitted, subject
from assistant.question.subject import Word, WordReader, WordRole
from assistant.schema import Query
from assistant.tables.columns import MAX_COLUMNS, Column, parse_column

if TYPE_CHECKING:
    from assistant.encodings import Vectors

_FOLDER = Path(__file__).parent / "weights"
WEIGHTS = _FOLDER / "requests.npz"
WORDS, WORDING = _FOLDER / "request_words.npz", _FOLDER / "request_words.txt"
# The probability from which a message counts as a request for a table.
LEAST = 0.8
# The columns of a request that names none.
_USUAL = ("method", "dataset", "main result")
# What stands between two columns beside words.
_SEPARATOR = re.compile(r"[,;:|?\n]")
ASKS, OTHER = "table", "other"


@dataclass(frozen=True, slots=True)
class TableRequest:
    """What a message asks a table of: its columns, and the topic of its papers, empty where it names none."""

    columns: tuple[Column, ...]
    topic: str = ""


def read_request(query: Query) -> TableRequest | None:
    """Return the table that a message asks for; None for any other message. Raises ModelError."""
    text = filters.parse(query.text, typed_only=True).text
    if not any(map(str.isalpha, text)):
        return None
    words = subject.split(text)
    roles = subject.roles(text, words, _reader())
    features = request_features(text, subject.mask(text, words, roles))
    if fitted.packaged(WEIGHTS).probabilities(features)[ASKS] < LEAST:
        return None
    topic = " ".join(_texts(text, words, roles, WordRole.SUBJECT))
    return TableRequest(tuple(_columns(_texts(text, words, roles, WordRole.COLUMN))), topic)


def request_features(message: str, masked: str) -> Vectors:
    """Return the features of a message: its form, and the form of its wording without columns and topic."""
    import numpy as np

    from assistant.question.form import form

    return np.concatenate([form(message), form(masked)])


def _texts(message: str, words: Sequence[Word], roles: Sequence[WordRole], wanted: WordRole) -> Iterator[str]:
    """Yield the runs of words of a role; of columns, a run ends at a comma and the like, too."""
    for role, run in groupby(zip(roles, words, strict=True), lambda pair: pair[0]):
        marked = [word for _, word in run]
        if role is wanted:
            starts = [0, *_breaks(message, marked)] if role is WordRole.COLUMN else [0]
            for start, end in pairwise([*starts, len(marked)]):
                yield message[marked[start].start : marked[end - 1].end]


def _breaks(message: str, run: Sequence[Word]) -> Iterator[int]:
    """Yield the positions of the words before which a separator stands."""
    for position, (word, following) in enumerate(pairwise(run), start=1):
        if _SEPARATOR.search(message, word.end, following.start):
            yield position


def _columns(names: Iterator[str]) -> list[Column]:
    """Return the columns of these names, each once, without those that are none; the usual ones where none is left."""
    columns: dict[str, Column] = {}
    for name in names:
        try:
            column = parse_column(name)
        except InputError:
            continue
        columns.setdefault(column.name.casefold(), column)
    return list(columns.values())[:MAX_COLUMNS] or list(map(parse_column, _USUAL))


@cache
def _reader() -> WordReader:
    return subject.load(WORDS, WORDING)
