"""Read the labels that ASReview gives to papers, from the notes of its RIS files and the columns of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

RELEVANT, IRRELEVANT = "relevant", "irrelevant"
_NOTE = re.compile(r"\bASReview_(relevant|irrelevant)\b")
# In order: what a reviewer decided last comes first.
_COLUMNS = (
    "asreview_label",
    "included",
    "label_included",
    "included_label",
    "final_included",
    "included_final",
    "label",
)
_LABELS = {"1": RELEVANT, "1.0": RELEVANT, "0": IRRELEVANT, "0.0": IRRELEVANT}


def labels_in_notes(notes: Iterable[str]) -> list[str]:
    """Return the labels in the notes of a paper; papers that nobody has seen have none."""
    return list(dict.fromkeys(match[1] for note in notes for match in _NOTE.finditer(note)))


def labels_in_columns(values: Mapping[str, str]) -> list[str]:
    """Return the label in the columns of a paper, as a list of one or none."""
    by_column = {name.strip().casefold(): value.strip() for name, value in values.items()}
    labels = (_LABELS.get(by_column.get(column, "")) for column in _COLUMNS)
    return [label for label in labels if label][:1]
