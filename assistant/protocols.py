"""Protocols of the models and indexes that the core calls. Each adapter lives in the home module of its library."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from assistant.encodings import EncodedText, PairReading, WordVectors
from assistant.schema import Chunk, Message, Paper, PaperScore, Sampling

if TYPE_CHECKING:
    from assistant.encodings import Vectors


class Embedder(Protocol):
    """A model that turns texts into vectors of length one.

    `max_tokens` is the length of the longest text that is encoded whole; `engine` names what runs the model.
    """

    name: str
    revision: str
    engine: str
    dimension: int
    max_tokens: int

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, special tokens included, also beyond `max_tokens`."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode texts that will be searched."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode texts to search with."""
        ...


class Entailment(Protocol):
    """A natural-language inference model: does the second text follow from the first?"""

    name: str

    def predict(self, pairs: Sequence[tuple[str, str]]) -> Vectors:
        """Predict contradiction, neutral and entailment for each (text, claim): shape (pairs, 3), rows sum to 1.

        Raises ModelError.
        """
        ...


class PairReader(Protocol):
    """A model that reads a claim or question together with a text. `revision` identifies its weights."""

    revision: str

    def read(self, pairs: Sequence[tuple[str, Sequence[str]]]) -> Iterator[PairReading]:
        """Yield the reading of each (claim or question, sentences of a text), in order. Raises ModelError.

        No more is computed than is asked for, a small batch at a time: closing the iterator stops the work.
        """
        ...


class MessageReader(Protocol):
    """A model that tells what a message wants."""

    def read(self, message: str) -> Mapping[str, float]:
        """Return the probability of each intent, by its name; they sum to 1. Raises ModelError."""
        ...


class LLM(Protocol):
    """A language model that streams its replies. `name` is its name in the settings."""

    name: str

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        """Yield the reply piece by piece; closing the iterator stops the model. Raises ModelError.

        Empty pieces are yielded while the model is silent, so that the caller can stop. With `sampling`, the reply is
        one of several to the same messages that may differ; without, it is the model's usual one.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """Count the tokens of a text, or estimate their number."""
        ...


@runtime_checkable
class WindowedLLM(Protocol):
    """What an LLM is too that knows how many tokens it reads."""

    def context_window(self) -> int | None:
        """Return the tokens of prompt and reply together that the model takes; None if it is not known."""
        ...


class Index(Protocol):
    """The side of an index that keeps it in step with the catalog."""

    def remove(self, paper_ids: Collection[str]) -> None:
        """Remove the papers; unknown ids are ignored. Raises LibraryWriteError."""
        ...

    def paper_ids(self) -> set[str]:
        """Return the ids of all indexed papers. Raises LibraryError."""
        ...

    def is_empty(self) -> bool:
        """Return whether no paper is indexed. Raises LibraryError."""
        ...

    def refresh(self) -> None:
        """Read what other processes have written. Raises LibraryError."""
        ...


class VectorSearch(Protocol):
    """Search by the cosine similarity of vectors, -1..1."""

    def search(self, vector: Vectors, limit: int, allowed_ids: Collection[str] | None = None) -> list[PaperScore]:
        """Return the papers nearest to a vector, shape (dimension,), each scored by its best chunk, best first.

        With `allowed_ids`, return the best of these papers only, up to the limit. Raises LibraryError.
        """
        ...


class VectorStore(Index, VectorSearch, Protocol):
    """The vector index of the chunks."""

    @property
    def stamp(self) -> int:
        """Return the random number drawn when the store was created, by which the catalog recognises its store."""
        ...

    def replace(self, chunks: Sequence[Chunk], vectors: Sequence[Vectors] | Vectors) -> None:
        """Replace all chunks of the papers that these belong to; `vectors[i]` is the vector of `chunks[i]`.

        Raises LibraryWriteError.
        """
        ...

    def vectors(self, paper_ids: Collection[str]) -> dict[str, Vectors]:
        """Return the vectors of each paper's chunks by number, shape (chunks, dimension), float32.

        Papers that are not indexed, or have lost a chunk or a vector, are left out. Raises LibraryError.
        """
        ...

    def close(self) -> None:
        """Close the files or the connection."""
        ...


class LexicalSearch(Protocol):
    """Search by BM25."""

    def search(self, text: str, limit: int, allowed_ids: Collection[str] | None = None) -> list[PaperScore]:
        """Return the papers with the highest BM25 scores for the text, best first.

        With `allowed_ids`, return the best of these papers only; their scores stay the same.
        """
        ...

    def max_score(self, text: str) -> float:
        """Return an upper bound of the scores for the text."""
        ...


class TermAnalyzer(Protocol):
    """Texts as index terms."""

    def terms(self, text: str) -> list[str]:
        """Return the index terms of the text in order: lower case, stemmed, without stop words."""
        ...


class TermStatistics(TermAnalyzer, Protocol):
    """Texts as index terms, and how many papers have a term."""

    def idf(self, terms: Collection[str]) -> dict[str, float]:
        """Return the inverse document frequency of each term, in nats; it is greatest for a term that no paper has."""
        ...


class Lexicon(Index, LexicalSearch, TermStatistics, Protocol):
    """The lexical index of titles and abstracts."""

    def replace(self, papers: Sequence[Paper]) -> None:
        """Index the papers, replacing earlier versions of them. Raises LibraryWriteError."""
        ...


class WordVectorLookup(Protocol):
    """The word vectors of papers by id."""

    def get(self, paper_ids: Collection[str]) -> dict[str, WordVectors]:
        """Return the current word vectors of those of the papers that are indexed. Raises LibraryError."""
        ...


class WordVectorIndex(Index, WordVectorLookup, Protocol):
    """The index of word vectors. A paper without content words is indexed too."""

    def replace(self, papers: Mapping[str, WordVectors]) -> None:
        """Store the word vectors of papers, by id. Raises LibraryWriteError."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...
