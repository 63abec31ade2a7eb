"""Read a claim or a question together with a text: does the text support it, does it answer, and by which sentence?

A cross-encoder on the packaged weights with linear heads over its token vectors: one for the support of a claim, one
for the answer to a question, and one for each sentence, as in MultiVerS (Wadden et al. 2022). `eval/training` makes
the weights.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.batches import batches
from assistant.embedding.engine_choice import EXACT
from assistant.embedding.fine_tuned import PAIR_READER, FineTuned, Heads, load_transformer, load_weights
from assistant.embedding.pair_input import PairInput, windows
from assistant.embedding.pieces import padded
from assistant.encodings import PairReading
from assistant.logistic import softmax

if TYPE_CHECKING:
    from assistant.embedding.pieces import Transformer
    from assistant.encodings import Vectors

# Pairs that are tokenized together, and word pieces in a forward pass: more exceed a processor's caches.
_BATCH_SIZE, _GROUP_PIECES = 8, 640
# Characters of a query and of a sentence that are tokenized: far more than can be read.
_MAX_CHARACTERS = 4000


class PackagedPairReader:
    """A PairReader over the packaged encoder. Safe to call from several threads."""

    def __init__(self, model: Transformer, weights: FineTuned) -> None:
        self.revision = weights.revision
        self._model, self._heads = model, Heads(weights.heads, weights.temperatures)
        self._lock = threading.Lock()  # OpenVINO's requests are not thread-safe

    def read(self, pairs: Sequence[tuple[str, Sequence[str]]]) -> Iterator[PairReading]:
        """Yield the reading of each (query, sentences), in order; no more is computed than is asked for.

        A text that exceeds the encoder's limit is read in windows of whole sentences.
        """
        for batch in batches(pairs, _BATCH_SIZE):
            with self._lock:
                inputs = [list(self._inputs(query, sentences)) for query, sentences in batch]
                readings = self._forward([window for of_pair in inputs for window in of_pair])
            for of_pair in inputs:
                yield _joined(readings[: len(of_pair)])
                readings = readings[len(of_pair) :]

    def _inputs(self, query: str, sentences: Sequence[str]) -> Iterator[PairInput]:
        texts = [text[:_MAX_CHARACTERS] for text in (query, *sentences)]
        first, *rest = (text.ids for text in self._model.tokenize(texts, special_tokens=False))
        return windows(first, rest, self._model.cls_id, self._model.sep_id)

    def _forward(self, inputs: Sequence[PairInput]) -> list[PairReading]:
        """Return the readings in order; inputs of like lengths go through the encoder together, with little padding."""
        readings: dict[int, PairReading] = {}
        for rows in _groups([len(item.ids) for item in inputs]):
            group = [inputs[row] for row in rows]
            of_group = map(_reading, self._hidden(group), group, [self._heads] * len(group))
            readings.update(zip(rows, of_group, strict=True))
        return [readings[row] for row in range(len(inputs))]

    def _hidden(self, batch: Sequence[PairInput]) -> Vectors:
        """Return the padded token vectors of a batch, shape (sequences, pieces, dimension)."""
        lengths = [item.query_length for item in batch]
        return self._model.token_vectors(padded([item.ids for item in batch], lengths))


def load_pair_reader(cache: Path, engine: str = EXACT) -> PackagedPairReader:
    """Load the packaged pair reader; `engine` is the name of one, as the embedder runs by.

    Raises ModelError where the weights are missing, damaged or of another version, or the engine is missing.
    """
    weights = load_weights(PAIR_READER)
    return PackagedPairReader(load_transformer(weights, cache, engine), weights)


def _groups(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the indexes of sequences, longest first, in groups that padded have at most so many pieces."""
    group: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if group and lengths[group[0]] * (len(group) + 1) > _GROUP_PIECES:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _reading(hidden: Vectors, item: PairInput, fitted: Heads) -> PairReading:
    """Apply the heads to the token vectors of one sequence."""
    import numpy as np

    heads, temperatures = fitted.weights, fitted.temperatures
    length = len(item.ids)
    start, text = hidden[0], hidden[item.query_length : length]
    features = np.concatenate([start, hidden[: item.query_length].mean(axis=0), text.mean(axis=0)])
    support = softmax((heads["support.weight"] @ features + heads["support.bias"]) / temperatures["support"])
    answers = (heads["answers.weight"] @ features + heads["answers.bias"])[0] / temperatures["answers"]
    means = _sentence_means(hidden, item)
    of_sentence = np.concatenate([np.broadcast_to(start, means.shape), means], axis=1)
    scores = _sigmoid(of_sentence @ heads["sentence.weight"].T + heads["sentence.bias"])
    return PairReading(
        contradicted=float(support[0]),
        supported=float(support[2]),
        answers=float(_sigmoid(answers)),
        answering=tuple(map(float, scores[:, 0])),
        deciding=tuple(map(float, scores[:, 1])),
    )


def _sentence_means(hidden: Vectors, item: PairInput) -> Vectors:
    """Return the mean token vector of each sentence, shape (sentences, dimension); 0 for one that was cut off."""
    import numpy as np

    owners = np.array(item.owners)
    means: Vectors = np.zeros((len(item.sentences), hidden.shape[1]), dtype=np.float32)
    for row, number in enumerate(item.sentences):
        pieces = np.flatnonzero(owners == number)
        if len(pieces):
            means[row] = hidden[pieces].mean(axis=0)
    return means


def _joined(readings: Sequence[PairReading]) -> PairReading:
    """Return one reading of all windows: the decision of the most decided, the scores of every sentence."""
    decided = max(readings, key=lambda reading: max(reading.supported, reading.contradicted))
    return PairReading(
        contradicted=decided.contradicted,
        supported=decided.supported,
        answers=max(reading.answers for reading in readings),
        answering=tuple(score for reading in readings for score in reading.answering),
        deciding=tuple(score for reading in readings for score in reading.deciding),
    )


def _sigmoid(logits: Vectors) -> Vectors:
    import numpy as np

    probabilities: Vectors = np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))), dtype=np.float32)
    return probabilities
