"""Papers, vectors and words of libraries larger than any collection at hand: those of real abstracts, with noise."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.encodings import WordVectors
from assistant.protocols import Embedder, Lexicon
from assistant.schema import Paper
from eval.bench.large_library import with_noise

if TYPE_CHECKING:
    from assistant.encodings import Vectors

_SAMPLE, _QUESTIONS = 1024, 100
# One word in so many comes from another abstract.
_NOISY_WORD = 5
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Sample:
    """Vectors of real abstracts, shape (papers, dimension), and of questions, which are titles of other papers."""

    vectors: Vectors
    questions: tuple[str, ...]
    question_vectors: Vectors

    def vectors_of(self, numbers: range) -> Vectors:
        """Return the vectors of the papers with these numbers: those of the sample in turn, with noise added."""
        rows = np.arange(numbers.start, numbers.stop) % len(self.vectors)
        return with_noise(self.vectors[rows], np.random.default_rng(numbers.start))


def read_sample(papers: Sequence[Paper], embedder: Embedder, file: Path) -> Sample:
    """Encode a sample of the papers, or read it from the file where it has been encoded before."""
    order = np.random.default_rng(7).permutation(len(papers))
    questions = tuple(papers[index].title for index in order[-_QUESTIONS:])
    if not file.is_file():
        texts = [f"{papers[index].title}. {papers[index].abstract}" for index in order[: min(_SAMPLE, len(papers))]]
        vectors = np.stack([text.vector for text in embedder.encode_documents(texts)])
        question_vectors = np.stack([text.vector for text in embedder.encode_queries(questions)])
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, vectors=vectors, question_vectors=question_vectors)
    with np.load(file) as stored:
        return Sample(stored["vectors"], questions, stored["question_vectors"])


def paper_id(number: int) -> str:
    """Return the id of a paper; it looks like a real one, and says nothing of the number."""
    return hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()


class NoisyPapers:
    """The real papers, and after them the same ones again, each time with other words of other abstracts."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._papers = papers
        self._words = [paper.abstract.split() for paper in papers]

    def __call__(self, numbers: range) -> list[Paper]:
        """Return the papers with these numbers."""
        random = np.random.default_rng(numbers.start)
        return [self._paper(number, random) for number in numbers]

    def _paper(self, number: int, random: np.random.Generator) -> Paper:
        position = number % len(self._papers)
        paper = replace(self._papers[position], id=paper_id(number))
        if number < len(self._papers):
            return paper
        other = (position + random.integers(1, len(self._papers))) % len(self._papers)
        words, others = list(self._words[position]), self._words[other]
        for place in random.permutation(len(words))[: len(words) // _NOISY_WORD]:
            words[place] = others[place % len(others)] if others else words[place]
        return replace(paper, abstract=" ".join(words))


def word_vectors(paper: Paper, dimension: int, lexicon: Lexicon) -> WordVectors:
    """Return word vectors of the true number and with the true offsets; their bits are drawn at random."""
    starts = [match.start() for match in _WORD.finditer(paper.abstract) if lexicon.terms(match.group())]
    bits = np.random.default_rng(len(starts)).integers(0, 256, (len(starts), (dimension + 7) // 8), dtype=np.uint8)
    return WordVectors(np.array(starts, dtype=np.int32), bits)


class ExactNeighbours:
    """The nearest papers of each question among all that were added, by comparing all vectors."""

    def __init__(self, question_vectors: Vectors, count: int) -> None:
        self._questions, self._count = question_vectors, count
        self._cosines = np.empty((len(question_vectors), 0), dtype=np.float32)
        self._numbers = np.empty((len(question_vectors), 0), dtype=np.int64)

    def add(self, numbers: range, vectors: Vectors) -> None:
        """Compare the questions with the vectors of papers."""
        cosines = np.hstack([self._cosines, self._questions @ vectors.T])
        added = np.broadcast_to(np.arange(numbers.start, numbers.stop), (len(self._questions), len(numbers)))
        all_numbers = np.hstack([self._numbers, added])
        best = np.argsort(-cosines, axis=1, kind="stable")[:, : self._count]
        self._cosines = np.take_along_axis(cosines, best, axis=1)
        self._numbers = np.take_along_axis(all_numbers, best, axis=1)

    def ids(self) -> list[set[str]]:
        """Return the ids of the nearest papers of each question."""
        return [{paper_id(int(number)) for number in row} for row in self._numbers]
