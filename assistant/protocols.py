"""The seams: what the core asks of a model or an index. Adapters live in their own home modules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.schema import Chunk, Message, Paper, Scored

    Vectors: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class EncodedText:
    """What one forward pass over a text yields.

    `vector` is the text's own, shape (dimension,), of length one. `spans` are the tokens' character offsets in the
    text (start, end), special tokens left out; row i of `tokens`, shape (tokens, dimension), is token i's vector in
    its context, of whatever length the model gives it. What lies beyond the embedder's limit has no token.
    """

    vector: Vectors
    spans: tuple[tuple[int, int], ...]
    tokens: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class WordVectors:
    """The content words of a paper, in order: those of the title, then those of the abstract.

    `starts` are character offsets into the abstract, -1 for a word of the title, shape (words,), int32. Row i of
    `signs`, shape (words, ceil(dimension / 8)), uint8, has a bit for each coordinate of word i's vector: is it
    above zero?
    """

    starts: NDArray[np.int32]
    bits: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class EncodedQuery:
    """A question as the embedder reads it.

    `vector` is its own, shape (dimension,); `words` are its content words' in their context, shape (words, dimension),
    all of length one; `weights`, shape (words,), are the shares of the words, together 1; `starts` are their offsets in
    the text.
    """

    text: str
    vector: Vectors
    words: Vectors
    weights: Vectors
    starts: tuple[int, ...] = ()


class Embedder(Protocol):
    """Texts to vectors of length one. `max_tokens` is the longest text that is read whole, `engine` what computes."""

    name: str
    revision: str
    engine: str
    dimension: int
    max_tokens: int

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word-pieces of each text, special tokens included."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts to be found: shape (texts, dimension), float32, unit rows."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts to search with: shape (texts, dimension), float32, unit rows."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        """As `embed_documents`, with the vectors of the tokens."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedText]:
        """As `embed_queries`, with the vectors of the tokens."""
        ...


class Entailment(Protocol):
    """A model that reads two texts together and says whether the second follows from the first."""

    name: str

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Vectors:
        """For each (text, claim) how likely contradiction, neither and entailment are: shape (pairs, 3), rows sum to 1.

        Raises ModelError where the model fails.
        """
        ...


class VectorStore(Protocol):
    """The vector index. Scores are cosine similarities, -1..1."""

    @property
    def stamp(self) -> int:
        """A number that tells this store from any other of the same library: another one was not kept in step."""
        ...

    def replace(self, chunks: Sequence[Chunk], vectors: Sequence[Vectors] | Vectors) -> None:
        """Make these the only chunks of the papers that they belong to; `vectors[i]` is chunk i's."""
        ...

    def remove(self, paper_ids: Collection[str]) -> None:
        """Forget the papers; ids that it does not hold are passed over."""
        ...

    def search(self, vector: Vectors, limit: int, allowed_ids: Collection[str] | None = None) -> list[Scored]:
        """The papers nearest to one vector (shape (dimension,)), each by its best chunk, best first.

        With `within` the best of these papers only: as many as there are, up to the limit.
        """
        ...

    def paper_ids(self) -> set[str]:
        """Every paper that has a chunk here."""
        ...

    def vectors(self, paper_ids: Collection[str]) -> dict[str, Vectors]:
        """The papers' chunks by number, as they were put here: shape (chunks, dimension), float32.

        A paper of which a chunk or a vector is lost is left out, as is one that is not here.
        """
        ...

    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        ...

    def refresh(self) -> None:
        """See what other processes have written."""
        ...

    def close(self) -> None:
        """Release the files."""
        ...


class Lexicon(Protocol):
    """The lexical index, and the analyser that it reads texts with."""

    def replace(self, papers: Sequence[Paper]) -> None:
        """Index these papers anew."""
        ...

    def remove(self, paper_ids: Collection[str]) -> None:
        """Forget the papers; ids that it does not hold are passed over."""
        ...

    def search(self, text: str, limit: int, allowed_ids: Collection[str] | None = None) -> list[Scored]:
        """The papers with the highest BM25 scores for the text, best first; with `within`, the best of these only.

        A paper's score does not depend on `within`.
        """
        ...

    def max_score(self, text: str) -> float:
        """What no paper's score for the text exceeds."""
        ...

    def terms(self, text: str) -> list[str]:
        """The text's index terms in order: lower case, stemmed, without stop-words."""
        ...

    def idf(self, terms: Collection[str]) -> dict[str, float]:
        """Inverse document frequency of each term, in nats: a term that no paper has is the rarest."""
        ...

    def unseen(self, terms: Collection[str]) -> set[str]:
        """Those of the terms that no paper has."""
        ...

    def paper_ids(self) -> set[str]:
        """Every paper that is indexed here."""
        ...

    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        ...

    def refresh(self) -> None:
        """See what other processes have written."""
        ...


class WordVectorIndex(Protocol):
    """The words of every paper in their context."""

    def replace(self, papers: Mapping[str, WordVectors]) -> None:
        """Hold these words for these papers, by id."""
        ...

    def remove(self, paper_ids: Collection[str]) -> None:
        """Forget the papers; ids that it does not hold are passed over."""
        ...

    def get(self, paper_ids: Collection[str]) -> dict[str, WordVectors]:
        """The words of those of the papers that it holds, as they are now."""
        ...

    def paper_ids(self) -> set[str]:
        """Every paper that it holds, were it without a word."""
        ...

    def is_empty(self) -> bool:
        """Whether it holds no paper."""
        ...

    def refresh(self) -> None:
        """See what other processes have written."""
        ...

    def close(self) -> None:
        """Release the files."""
        ...


class Reranker(Protocol):
    """A closer look at the best candidates. `name` is the one in the settings."""

    name: str

    def score(self, asked: EncodedQuery, papers: Sequence[Paper]) -> list[float]:
        """How well each of the papers fits the question, about 0..1."""
        ...


class LLM(Protocol):
    """A language model that answers in pieces. `name` is the one in the settings."""

    name: str

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """The reply, piece by piece; closing it stops the model. Raises ModelError where the model fails.

        A piece may be empty: while the model is silent it gives whoever reads the chance to stop.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens the model reads in a text, or about how many."""
        ...
