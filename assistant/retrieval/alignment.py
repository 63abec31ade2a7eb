"""How the words of a question are met in the abstracts found: late interaction, sentence by sentence.

A word of the question is present in a text as far as the nearest word of the text is near it, each as it is meant in
its place. Khattab and Zaharia 2020, "ColBERT: Efficient and Effective Passage Search via Contextualized Late
Interaction over BERT". The search has read the question, the word index holds the words of the abstracts: no model
runs here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.encodings import EncodedQuery, WordVectors
from assistant.protocols import Lexicon, WordVectorIndex
from assistant.question.terms import Word, telling
from assistant.schema import Hit, Passage
from assistant.text.sentences import passages

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# Abstracts that are looked at.
PAPERS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The words of a question against one paper.

    `presence`, shape (words, passages), has the presence of each word in each sentence, `overall`, shape (words,),
    that in title and abstract together: cosines with signs, about -0.8..0.8, and 0 in a sentence beyond what the
    embedder has read.
    """

    hit: Hit
    words: tuple[Word, ...]
    passages: tuple[Passage, ...]
    presence: Vectors
    overall: Vectors


def align(asked: EncodedQuery | None, hits: Sequence[Hit], index: WordVectorIndex, lexicon: Lexicon) -> list[Alignment]:
    """The question's words against each of the best `PAPERS` hits, in their order; none where nothing was asked."""
    from assistant.embedding.content_words import NO_WORDS

    if asked is None:
        return []
    rows = {start: row for row, start in enumerate(asked.starts)}
    words = tuple(word for word in telling(asked.text, lexicon) if word.start in rows)
    vectors = asked.words[[rows[word.start] for word in words]]
    held = index.get([hit.paper.id for hit in hits[:PAPERS]])
    return [_alignment(hit, words, vectors, held.get(hit.paper.id, NO_WORDS)) for hit in hits[:PAPERS]]


def _alignment(hit: Hit, words: tuple[Word, ...], vectors: Vectors, held: WordVectors) -> Alignment:
    from assistant.retrieval.late_interaction import nearest, of_sentences

    presence = nearest(vectors, [*of_sentences(held, hit.paper.abstract), held.bits])
    return Alignment(hit, words, passages(hit.paper.abstract), presence[:, :-1], presence[:, -1])
