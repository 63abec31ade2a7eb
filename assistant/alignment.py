"""How the words of a question are met in the abstracts found: late interaction, sentence by sentence.

A word of the question is present in a text as far as the nearest token of the text is near it, each read in its own
context. Khattab and Zaharia 2020, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction
over BERT". An abstract is read once, whole, so that every sentence's tokens know of the sentences around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.keywords import Word, telling
from assistant.ports import Embedder, Lexicon, Reading
from assistant.schema import Hit, Passage, Query
from assistant.sentences import passages

if TYPE_CHECKING:
    from assistant.ports import Vectors

# Abstracts that are read.
PAPERS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The words of a question against one paper.

    `presence`, shape (words, passages), has the presence of each word in each sentence, `overall`, shape (words,),
    that in title and abstract together: cosines, -1..1, and 0 in a sentence beyond what the embedder reads.
    """

    hit: Hit
    words: tuple[Word, ...]
    passages: tuple[Passage, ...]
    presence: Vectors
    overall: Vectors


def align(query: Query, hits: Sequence[Hit], embedder: Embedder, lexicon: Lexicon) -> list[Alignment]:
    """The question's words against each of the best `PAPERS` hits, in their order."""
    if query.is_blank or not hits:
        return []
    question = embedder.read_queries([query.standalone])[0]
    found = [(word, _tokens(question, word.start, word.end)) for word in telling(query.standalone, lexicon)]
    read = [(word, rows) for word, rows in found if rows]
    return [
        _alignment(hit, reading, before, question, read)
        for hit, (reading, before) in zip(hits, _readings(hits[:PAPERS], embedder), strict=False)
    ]


def _readings(hits: Sequence[Hit], embedder: Embedder) -> list[tuple[Reading, int]]:
    """Each hit's title and abstract, read as one text, and where in that text the abstract begins."""
    prefixes = [f"{hit.paper.title}. " if hit.paper.title else "" for hit in hits]
    texts = [prefix + hit.paper.abstract for prefix, hit in zip(prefixes, hits, strict=True)]
    return list(zip(embedder.read_documents(texts), map(len, prefixes), strict=True))


def _alignment(
    hit: Hit, reading: Reading, before: int, question: Reading, read: Sequence[tuple[Word, list[int]]]
) -> Alignment:
    import numpy as np

    sentences = passages(hit.paper.abstract)
    likeness = _unit(question.tokens) @ _unit(reading.tokens).T
    places = [_tokens(reading, each.start + before, each.end + before) for each in sentences]
    nearest = np.stack([_nearest(likeness, place) for place in [*places, range(len(reading.spans))]], axis=1)
    presence = np.array([nearest[rows].mean(axis=0) for _, rows in read], dtype=np.float32)
    presence = presence.reshape(len(read), len(sentences) + 1)
    return Alignment(hit, tuple(word for word, _ in read), sentences, presence[:, :-1], presence[:, -1])


def _nearest(likeness: Vectors, place: Sequence[int]) -> Vectors:
    """For each token of the question its likeness to the nearest of the tokens at the place, shape (tokens,)."""
    import numpy as np

    if not place:
        return np.zeros(len(likeness), dtype=np.float32)
    nearest: Vectors = likeness[:, place].max(axis=1)
    return nearest


def _tokens(reading: Reading, start: int, end: int) -> list[int]:
    """The tokens that lie within a stretch of the text."""
    return [row for row, (first, last) in enumerate(reading.spans) if start <= first and last <= end]


def _unit(vectors: Vectors) -> Vectors:
    import numpy as np

    scaled: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return scaled
