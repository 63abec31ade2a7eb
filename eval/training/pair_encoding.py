"""Tokenize examples as the pair reader reads them, and keep whole epochs of them in files.

A training reads nothing but these files, so that it can run where neither the data nor the rest of the project is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assistant.embedding.pair_input import MAX_QUERY, NO_SENTENCE

if TYPE_CHECKING:
    from eval.training.examples import Example

UNKNOWN = -100


@dataclass(frozen=True, slots=True)
class Encoded:
    """A tokenized example: word pieces, the length of the first part, and for each piece its sentence or -1.

    `evidence` is 1, 0 or UNKNOWN for each sentence; `prior` are the log-odds of an answer by wording alone.
    """

    ids: NDArray[np.int32]
    first: int
    sentence: NDArray[np.int16]
    support: int
    answers: int
    evidence: NDArray[np.int16]
    weight: float
    prior: float


def encode(tokenizer: Any, examples: Sequence[Example], max_length: int) -> list[Encoded]:
    """Tokenize examples as `[CLS] query [SEP] sentences [SEP]`, cut behind `max_length` pieces."""

    def pieces(texts: list[str]) -> list[list[int]]:
        tokenized = tokenizer(texts, add_special_tokens=False, truncation=True, max_length=max_length, verbose=False)
        ids: list[list[int]] = tokenized["input_ids"]
        return ids

    queries = pieces([example.query for example in examples])
    sentences = iter(pieces([sentence for example in examples for sentence in example.sentences]))
    special = (tokenizer.cls_token_id, tokenizer.sep_token_id)
    return [
        _encoded(example, query[:MAX_QUERY], [next(sentences) for _ in example.sentences], special, max_length)
        for example, query in zip(examples, queries, strict=True)
    ]


def _encoded(
    example: Example, query: list[int], sentences: list[list[int]], special: tuple[int, int], max_length: int
) -> Encoded:
    cls, sep = special
    ids = [cls, *query, sep]
    first, owners = len(ids), [NO_SENTENCE] * len(ids)
    for number, pieces in enumerate(sentences):
        ids += pieces
        owners += [number] * len(pieces)
    ids, owners = [*ids[: max_length - 1], sep], [*owners[: max_length - 1], NO_SENTENCE]
    return Encoded(
        np.array(ids, dtype=np.int32),
        first,
        np.array(owners, dtype=np.int16),
        UNKNOWN if example.support is None else example.support,
        UNKNOWN if example.answers is None else int(example.answers),
        _evidence(example, set(owners)),
        example.weight,
        example.prior,
    )


def _evidence(example: Example, read: set[int]) -> NDArray[np.int16]:
    """Return the label of each sentence; that of one that was cut off is unknown."""
    count = len(example.sentences)
    evidence = np.full(count, UNKNOWN, dtype=np.int16)
    if example.evidence is not None:
        evidence[:] = 0
        evidence[[position for position in example.evidence if position < count]] = 1
    evidence[[position for position in range(count) if position not in read]] = UNKNOWN
    return evidence


def save(encoded: Sequence[Encoded], file: Path) -> None:
    """Write the examples as arrays: pieces, sentences and labels one behind the other, with the lengths of each."""
    columns: dict[str, Any] = {
        "ids": np.concatenate([item.ids for item in encoded]).astype(np.uint16),
        "sentence": np.concatenate([item.sentence for item in encoded]),
        "evidence": np.concatenate([item.evidence for item in encoded]),
        "pieces": np.array([len(item.ids) for item in encoded], dtype=np.int32),
        "sentences": np.array([len(item.evidence) for item in encoded], dtype=np.int32),
        **{
            name: np.array([getattr(item, name) for item in encoded])
            for name in ("first", "support", "answers", "weight", "prior")
        },
    }
    part = file.with_name(f"{file.name}.part.npz")
    np.savez(part, **columns)
    part.replace(file)


def load(file: Path) -> list[Encoded]:
    """Read the examples that were written."""
    columns = dict(np.load(file))
    pieces, sentences = np.cumsum(columns["pieces"])[:-1], np.cumsum(columns["sentences"])[:-1]
    rows = zip(
        np.split(columns["ids"].astype(np.int32), pieces),
        columns["first"].tolist(),
        np.split(columns["sentence"], pieces),
        columns["support"].tolist(),
        columns["answers"].tolist(),
        np.split(columns["evidence"], sentences),
        columns["weight"].tolist(),
        columns["prior"].tolist(),
        strict=True,
    )
    return [Encoded(*row) for row in rows]
