"""Texts as the network reads them: word pieces, the content word that each belongs to, and the words' weights."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.protocols import TermStatistics
from assistant.schema import Paper
from assistant.storage.lexicon import TantivyLexicon

# What the packaged encoder reads of a text.
MAX_PIECES = 256
NO_WORD = -1
_WORD = re.compile(r"\w+")
_BLOCK = 2048

# Offsets of a content word, and its inverse document frequency.
_Word = tuple[int, int, float]


@dataclass(frozen=True, slots=True, eq=False)
class Tokenized:
    """A text: word pieces, the content word of each or -1, shape (pieces,), and the idf of the words, (words,)."""

    ids: NDArray[np.int32]
    owners: NDArray[np.int16]
    idf: NDArray[np.float32]


@contextmanager
def lexicon_of(papers: Sequence[Paper]) -> Iterator[TantivyLexicon]:
    """Index papers in a lexicon that is deleted in the end."""
    with tempfile.TemporaryDirectory() as folder:
        lexicon = TantivyLexicon(Path(folder) / "lexicon")
        lexicon.replace(papers)
        yield lexicon


class WordTokenizer:
    """Tokenizes texts by an encoder's tokenizer, and weights their words as a lexicon does; stop words have none."""

    def __init__(self, tokenizer: Any, lexicon: TermStatistics, max_pieces: int = MAX_PIECES) -> None:
        self._tokenizer, self._lexicon, self._max_pieces = tokenizer, lexicon, max_pieces
        self._idf: dict[str, float] = {}

    def tokenize(self, texts: Sequence[str]) -> list[Tokenized]:
        """Return the texts as the network reads them."""
        return [item for start in range(0, len(texts), _BLOCK) for item in self._block(texts[start : start + _BLOCK])]

    def _block(self, texts: Sequence[str]) -> Iterator[Tokenized]:
        encoded = self._tokenizer(
            list(texts), truncation=True, max_length=self._max_pieces, return_offsets_mapping=True
        )
        for text, ids, spans in zip(texts, encoded["input_ids"], encoded["offset_mapping"], strict=True):
            yield _tokenized(ids, np.array(spans, dtype=np.int64).reshape(-1, 2), self._content_words(text))

    def _content_words(self, text: str) -> list[_Word]:
        words = ((match.start(), match.end(), self._weight(match.group())) for match in _WORD.finditer(text))
        return [word for word in words if word[2]]

    def _weight(self, word: str) -> float:
        if word not in self._idf:
            terms = self._lexicon.terms(word)
            self._idf[word] = self._lexicon.idf(terms[:1])[terms[0]] if terms else 0.0
        return self._idf[word]


def _tokenized(ids: Sequence[int], spans: NDArray[np.int64], words: Sequence[_Word]) -> Tokenized:
    """Return a text with its words numbered in order; those whose pieces were cut off are left out."""
    owners = np.full(len(ids), NO_WORD, dtype=np.int16)
    if not words:
        return Tokenized(np.array(ids, np.int32), owners, np.zeros(0, np.float32))
    starts, ends, idf = (np.array(column) for column in zip(*words, strict=True))
    nearest = np.searchsorted(starts, spans[:, 0], side="right") - 1
    inside = (nearest >= 0) & (spans[:, 1] > spans[:, 0]) & (spans[:, 1] <= ends[np.maximum(nearest, 0)])
    encoded, owners[inside] = np.unique(nearest[inside], return_inverse=True)
    return Tokenized(np.array(ids, np.int32), owners, idf[encoded].astype(np.float32))
