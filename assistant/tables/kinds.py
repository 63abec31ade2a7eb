"""Classify what columns ask for, and what sentences of abstracts state: the aim, the method, the data, the finding ...

Both classifiers (`python -m eval.training.table_cells`) are linear in hashed words and letters, and in the vector of
the packaged embedder, which knows synonyms; where the library has another embedder, they do without. A column has one
kind; a sentence may state several things, so that its probabilities do not sum to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.question import fitted

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.protocols import Embedder

_FOLDER = Path(__file__).parent / "weights"
COLUMN_WEIGHTS = _FOLDER / "columns.npz"
# Those of sentences with a vector, and of the words alone.
SENTENCE_WEIGHTS, WORDS_ALONE_WEIGHTS = _FOLDER / "sentences.npz", _FOLDER / "sentences_words.npz"
# Buckets of the hashed words, and of the hashed runs of characters.
COLUMN_BUCKETS, SENTENCE_BUCKETS = 2048, 4096
# Numbers of a vector of the packaged embedder, and what they count beside a word.
VECTOR, _VECTOR_WEIGHT = 384, 6.0
# Characters of a sentence that show what it states.
_MAX_CHARACTERS = 400


class Kind(StrEnum):
    """What a column asks for, and what a sentence states; OTHER is what columns alone may be."""

    AIM = "aim"
    APPROACH = "approach"
    DATA = "data"
    SIZE = "size"
    MEASURE = "measure"
    FIGURE = "figure"
    FINDING = "finding"
    BASELINE = "baseline"
    GAP = "gap"
    LIMITATION = "limitation"
    USE = "use"
    CODE = "code"
    OTHER = "other"


STATED = tuple(kind for kind in Kind if kind is not Kind.OTHER)
# What the pair reader is asked for each kind, beside the column's own question: the wordings, among questions and
# statements, by which it tells the sentences of labelled abstracts apart best (docs/experiments.md).
PROBES: Mapping[Kind, str] = {
    Kind.AIM: "This paper studies a problem.",
    Kind.APPROACH: "We propose a new method.",
    Kind.DATA: "Which dataset is used in the experiments?",
    Kind.SIZE: "How many samples or participants are in the data?",
    Kind.MEASURE: "Performance is measured by a metric such as accuracy.",
    Kind.FIGURE: "We report a numerical improvement in percent.",
    Kind.FINDING: "The results show that our method works well.",
    Kind.BASELINE: "Our method outperforms baseline methods.",
    Kind.GAP: "What is the limitation of existing methods?",
    Kind.LIMITATION: "What are the limitations or future work of this study?",
    Kind.USE: "What are the applications or implications?",
    Kind.CODE: "The code is publicly available.",
}

# The share of labelled abstracts that state each kind.
USUAL: Mapping[Kind, float] = {
    Kind.AIM: 0.85,
    Kind.APPROACH: 0.85,
    Kind.DATA: 0.56,
    Kind.SIZE: 0.19,
    Kind.MEASURE: 0.29,
    Kind.FIGURE: 0.24,
    Kind.FINDING: 0.82,
    Kind.BASELINE: 0.38,
    Kind.GAP: 0.44,
    Kind.LIMITATION: 0.05,
    Kind.USE: 0.24,
    Kind.CODE: 0.05,
}


def column_kinds(names: Sequence[str], embedder: Embedder) -> list[dict[str, float]]:
    """Return the probability of each kind for columns as they are typed; those of a column sum to 1.

    Raises ModelError.
    """
    classifier = fitted.packaged(COLUMN_WEIGHTS)
    vectors = column_vectors(names, embedder) if classifier.applies_to(embedder) else [None] * len(names)
    return [
        classifier.probabilities(column_features(name, vector)) for name, vector in zip(names, vectors, strict=True)
    ]


def reads_vectors(embedder: Embedder) -> bool:
    """Tell whether sentences are classified by the vectors of this embedder, too. Raises ModelError."""
    return fitted.packaged(SENTENCE_WEIGHTS).applies_to(embedder)


def sentence_kinds(sentences: Sequence[str], vectors: Vectors | None = None) -> Vectors:
    """Return the probability that each sentence of an abstract states each kind, shape (sentences, STATED), 0..1.

    `vectors`, shape (sentences, VECTOR), are those of an embedder that `reads_vectors`. Raises ModelError.
    """
    import numpy as np

    classifier = fitted.packaged(WORDS_ALONE_WEIGHTS if vectors is None else SENTENCE_WEIGHTS)
    rows = sentence_features(sentences, vectors)
    order = [classifier.labels.index(kind) for kind in STATED]
    logits = rows @ classifier.weights[order].T + classifier.bias[order]
    probabilities: Vectors = 1.0 / (1.0 + np.exp(-logits))
    return probabilities


def column_vectors(names: Sequence[str], embedder: Embedder) -> list[Vectors | None]:
    """Return the vectors of columns, each of shape (VECTOR,)."""
    return [encoded.vector for encoded in embedder.encode_queries(list(names))]


def column_features(name: str, vector: Vectors | None) -> Vectors:
    """Return the features of a column: its vector, or zeros, then its hashed words and letters, float32."""
    import numpy as np

    from assistant.question.form import occurrences

    known = np.zeros(VECTOR, np.float32) if vector is None else np.float32(_VECTOR_WEIGHT) * vector
    return np.concatenate([known, occurrences(name, COLUMN_BUCKETS)])


def sentence_features(sentences: Sequence[str], vectors: Vectors | None) -> Vectors:
    """Return the features of the sentences of an abstract, shape (sentences, features), float32.

    The hashed words and letters, where each stands, then its vector if there is one.
    """
    import numpy as np

    rows = np.array([_sentence_words(text, number, len(sentences)) for number, text in enumerate(sentences)])
    rows = rows.reshape(len(sentences), -1)
    return rows if vectors is None else np.concatenate([rows, np.float32(_VECTOR_WEIGHT) * vectors], axis=1)


def _sentence_words(sentence: str, position: int, count: int) -> Vectors:
    """Return the hashed words and letters of a sentence, then where it stands among `count`, float32."""
    import numpy as np

    from assistant.question.form import occurrences

    share = position / max(1, count - 1)
    places = [float(position == 0), float(position == count - 1), share, min(count, 20) / 20]
    places += [float(any(map(str.isdigit, sentence))), min(len(sentence), _MAX_CHARACTERS) / _MAX_CHARACTERS]
    hashed = occurrences(sentence[:_MAX_CHARACTERS], SENTENCE_BUCKETS)
    return np.concatenate([hashed, np.array(places, dtype=np.float32)])


def stated(kinds: Mapping[str, float], of_sentences: Vectors) -> list[float]:
    """Return the probability that each sentence states what a column asks for, if that is one of STATED."""
    known = sum(kinds[kind] for kind in STATED)
    if not known:
        return [0.0] * len(of_sentences)
    shares = [kinds[kind] / known for kind in STATED]
    return [float(sum(share * row[index] for index, share in enumerate(shares))) for row in of_sentences]
