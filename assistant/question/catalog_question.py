"""Read what a message asks of the catalog: who wrote a paper, when, where, which papers there are, how many.

The classifier (`python -m eval.training.catalog_questions`) reads the form of the message, and of its wording alone
(see `assistant.question.subject`); it needs no embedder. In doubt a message is a question about research: an answer
from the catalog to such a question is worse than the quoted abstract that names an author.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from assistant.question import filters, fitted, subject
from assistant.question.intent import Intent
from assistant.question.subject import Marked
from assistant.schema import Filters, Query

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.question.encoder import QuestionEncoder

# What an answer from the catalog names in place of a model.
CATALOG = "catalog"
WEIGHTS = fitted.PACKAGED / "catalog_questions.npz"


class CatalogKind(StrEnum):
    """What a message asks of the catalog.

    `identifier` is a DOI, an address or a full reference; `holding` whether a paper is there, and its title;
    `unrecorded` what no catalog here records, such as citation counts; `none` is a question about research.
    """

    AUTHORS = "authors"
    DATE = "date"
    VENUE = "venue"
    IDENTIFIER = "identifier"
    HOLDING = "holding"
    BY_AUTHOR = "by_author"
    ADDED = "added"
    COUNT = "count"
    BREAKDOWN = "breakdown"
    CONTENTS = "contents"
    NEWEST = "newest"
    OLDEST = "oldest"
    UNRECORDED = "unrecorded"
    NONE = "none"


# What is asked of one paper; a message can ask for several of them.
FIELDS = (CatalogKind.AUTHORS, CatalogKind.DATE, CatalogKind.VENUE, CatalogKind.IDENTIFIER)

# What needs a paper or a topic; without one, a word counts as wording only if that is rather sure.
_OF_SUBJECT = (*FIELDS, CatalogKind.HOLDING, CatalogKind.UNRECORDED, CatalogKind.COUNT)
_LEAST_WORDING = 0.85

# The probability of all kinds together from which a message is answered from the catalog, alone and where the message
# reader is rather sure that it asks for metadata; and what the reader then has to think of it.
_MIN_CATALOG, _MIN_SUPPORTED = 0.7, 0.3
_METADATA, _MIN_METADATA = 0.5, 0.01
# An abstract may tell what no catalog records: the probability from which that is not looked for.
_MIN_UNRECORDED = 0.8
# The probability of a further field that is answered too.
_MIN_FIELD = 0.15


@dataclass(frozen=True, slots=True)
class CatalogQuestion:
    """What a message asks of the catalog, and the words by which it names papers, topics and people.

    `fields` are those of a paper that it asks for; `text` is the message without typed filters.
    """

    kind: CatalogKind
    text: str
    subject: str = ""
    names: tuple[str, ...] = ()
    fields: tuple[CatalogKind, ...] = ()


def read(query: Query, encoder: QuestionEncoder) -> CatalogQuestion | None:
    """Return what the message asks of the catalog; None for a question about research. Raises ModelError."""
    text = filters.parse(query.text, typed_only=True).text
    if not any(map(str.isalpha, text)):
        return None
    marked = subject.mark(text)
    probabilities = fitted.packaged(WEIGHTS).probabilities(catalog_features(text, marked))
    kind = decide(probabilities, _metadata(text, encoder))
    if kind is CatalogKind.NONE:
        return None
    fields = tuple(
        field for field in FIELDS if field is kind or (kind in FIELDS and probabilities[field] >= _MIN_FIELD)
    )
    return CatalogQuestion(kind, text, marked.subject, marked.names, fields)


def said_years(text: str) -> Filters:
    """Return the years that a question to the catalog names: "from 2024" and "2024" are years of papers in it."""
    said = filters.parse(f"papers {text}").filters
    if said.since is not None or said.until is not None:
        return Filters(since=said.since, until=said.until)
    years = {int(year) for year in re.findall(r"(?<!\w)(?:19|20)\d\d(?!\w)", text)}
    return Filters(since=min(years), until=max(years)) if len(years) == 1 else Filters()


def decide(probabilities: Mapping[str, float], metadata: float | None = None) -> CatalogKind:
    """Return the kind that a message is taken for.

    `metadata` is the probability that the message reader gives; None without one.
    """
    kinds = {kind: probabilities.get(kind, 0.0) for kind in CatalogKind if kind is not CatalogKind.NONE}
    if kinds[CatalogKind.UNRECORDED] < _MIN_UNRECORDED:
        kinds[CatalogKind.UNRECORDED] = 0.0
    share, reader = sum(kinds.values()), _MIN_METADATA if metadata is None else metadata
    is_certain = share >= (_MIN_SUPPORTED if reader >= _METADATA else _MIN_CATALOG) and reader >= _MIN_METADATA
    return max(kinds, key=kinds.__getitem__) if is_certain else CatalogKind.NONE


def catalog_features(message: str, marked: Marked) -> Vectors:
    """Return the features of a message: its form, and the form of its wording without paper, topic and person."""
    import numpy as np

    from assistant.question.form import form

    return np.concatenate([form(message), form(marked.masked)])


def _metadata(text: str, encoder: QuestionEncoder) -> float | None:
    """Return the probability that the message asks for metadata, or follows up on something: "who wrote it"."""
    intents = encoder.intents(text)
    if not intents:
        return None
    return intents.get(Intent.METADATA, 0.0) + intents.get(Intent.FOLLOW_UP, 0.0)
