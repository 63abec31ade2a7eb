"""Train a retrieval network: every query against all documents of its batch, by pooled vector and late interaction.

The same on every run of a machine, and resumable: a step draws its texts by its own seed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn import functional

from assistant.batches import batches
from eval.training.retrieval_data import OWN_WEIGHTS, PUBLIC, TITLE, TrainingTexts
from eval.training.retrieval_network import Encodings, RetrievalNetwork, late_scores, signs
from eval.training.retrieval_tokens import Tokenized

logger = logging.getLogger(__name__)

_POOLED_TEMPERATURE, _LATE_TEMPERATURE = 0.05, 0.03
_WARMUP, _MAX_NORM, _WEIGHT_DECAY = 0.06, 1.0, 0.01
# Near documents of a query are so many of the best, but for the very first, which may answer as well.
_NEAR, _SKIPPED = 24, 1
_LOGGED_STEPS = 50
# Documents are encoded in so many parts of similar length, to keep padding short.
_PARTS = 4
_ENCODED = 256


@dataclass(frozen=True, slots=True)
class Plan:
    """How a retrieval network is trained.

    A batch has so many queries about our own abstracts, of public sets, and titles, which count for their `weights`,
    and for each query of our own `near` documents that are wrong. `strength` is the share of the changes that is kept.
    A checkpoint is written after every `saved` steps.
    """

    rank: int = 16
    steps: int = 450
    rate: float = 5e-4
    batch: tuple[int, int, int] = (192, 160, 96)
    weights: tuple[float, float, float] = (1.0, 0.5, 0.3)
    near: int = 1
    strength: float = 0.5
    saved: int = 50
    seed: int = 7


@dataclass(frozen=True, slots=True, eq=False)
class TokenizedPairs:
    """Training texts as the network reads them; `queries` belong to the pairs of `texts`."""

    texts: TrainingTexts
    documents: Sequence[Tokenized]
    queries: Sequence[Tokenized]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Pairs of a step, the documents that they are ranked among, and the position there of the right one."""

    pairs: Sequence[int]
    documents: Sequence[int]
    columns: Sequence[int]


class Sampler:
    """Draws the pairs of a step, and the documents that they are ranked among."""

    def __init__(self, texts: TrainingTexts, near: Sequence[Sequence[int]], plan: Plan) -> None:
        """Take for each pair about our own abstracts, in order, the documents near it."""
        self._texts, self._plan = texts, plan
        own = texts.select(OWN_WEIGHTS.__contains__)
        self._near = dict(zip(own, near, strict=True))
        self._kinds = own, texts.select(PUBLIC.__eq__), texts.select(TITLE.__eq__)
        self._own_weights = [OWN_WEIGHTS[texts.pairs[position].kind] for position in own]

    def batch(self, step: int) -> _Batch:
        """Return the texts of a step, always the same."""
        random = Random(f"{self._plan.seed} {step}")  # noqa: S311 - reproducible, not secret
        own, public, titles = self._kinds
        drawn = random.choices(own, self._own_weights, k=self._plan.batch[0])
        pairs = [*drawn]
        for kind, size in ((public, self._plan.batch[1]), (titles, self._plan.batch[2])):
            pairs += random.sample(kind, min(size, len(kind)))
        right = [self._texts.pairs[position].document for position in pairs]
        wrong = [document for position in drawn for document in self._draw_near(position, random)]
        columns = {document: column for column, document in enumerate(dict.fromkeys([*right, *wrong]))}
        return _Batch(pairs, list(columns), [columns[document] for document in right])

    def weights(self, batch: _Batch) -> list[float]:
        """Return how much each pair of a batch counts."""
        own, public, title = self._plan.weights
        of_kind = {PUBLIC: public, TITLE: title}
        return [of_kind.get(self._texts.pairs[position].kind, own) for position in batch.pairs]

    def _draw_near(self, position: int, random: Random) -> list[int]:
        near = self._near[position]
        return random.sample(list(near), min(self._plan.near, len(near)))


class Trainer:
    """Trains a network on pairs, from its checkpoint if there is one."""

    def __init__(self, network: RetrievalNetwork, pairs: TokenizedPairs, plan: Plan, checkpoint: Path) -> None:
        self._network, self._pairs, self._plan, self._checkpoint = network, pairs, plan, checkpoint
        self._sampler = Sampler(pairs.texts, near_documents(network, pairs), plan)
        self._parameters = [tensor for tensor in network.parameters() if tensor.requires_grad]
        self._optimizer = torch.optim.AdamW(self._parameters, lr=plan.rate, weight_decay=_WEIGHT_DECAY)

    def fit(self, until: int | None = None) -> None:
        """Train the network in place to the end of the plan, or so many steps, and log the loss."""
        started = time.perf_counter()
        for step in range(self._restore(), self._plan.steps if until is None else until):
            loss = self._step(step)
            if step % _LOGGED_STEPS == 0:
                seconds = time.perf_counter() - started
                logger.info("step %d of %d, loss %.3f, %.0f s", step, self._plan.steps, float(loss), seconds)
            if (step + 1) % self._plan.saved == 0:
                self._save(step + 1)

    def _step(self, step: int) -> Tensor:
        done = step / self._plan.steps
        for group in self._optimizer.param_groups:
            warm = min(1.0, (step + 1) / (_WARMUP * self._plan.steps))
            group["lr"] = self._plan.rate * warm * (1 - done)
        loss = self.loss(step)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters, _MAX_NORM)
        self._optimizer.step()
        return loss.detach()

    def loss(self, step: int) -> Tensor:
        """Return the weighted mean over the queries of a step of both losses: cross-entropy of the right document."""
        batch, device = self._sampler.batch(step), self._network.device
        queries = self._network.encode([self._pairs.queries[position] for position in batch.pairs])
        pooled, late = self._scores(queries, [self._pairs.documents[position] for position in batch.documents])
        columns = torch.tensor(batch.columns, device=device)
        losses = functional.cross_entropy(pooled / _POOLED_TEMPERATURE, columns, reduction="none")
        losses = losses + functional.cross_entropy(late / _LATE_TEMPERATURE, columns, reduction="none")
        return (losses * torch.tensor(self._sampler.weights(batch), device=device)).mean()

    def _scores(self, queries: Encodings, documents: Sequence[Tokenized]) -> tuple[Tensor, Tensor]:
        """Return cosines and MaxSim of queries with documents, shape (queries, documents)."""
        order = _by_length(documents)
        pooled, late = [], []
        for positions in batches(order, -(-len(order) // _PARTS)):
            encoded = self._network.encode([documents[position] for position in positions])
            pooled.append(queries.pooled @ encoded.pooled.T)
            late.append(late_scores(queries, signs(encoded.words), encoded.shares > 0))
        columns = torch.tensor(order, device=self._network.device).argsort()
        return torch.cat(pooled, dim=1)[:, columns], torch.cat(late, dim=1)[:, columns]

    def _restore(self) -> int:
        """Restore the checkpoint of the same plan, if there is one, and return the step to go on with."""
        if not self._checkpoint.exists():
            return 0
        saved = torch.load(self._checkpoint, map_location=self._network.device)
        if saved["plan"] != asdict(self._plan):
            logger.info("%s is of another plan: starting anew", self._checkpoint)
            return 0
        for parameter, value in zip(self._parameters, saved["parameters"], strict=True):
            parameter.data.copy_(value)
        self._optimizer.load_state_dict(saved["optimizer"])
        return int(saved["step"])

    def _save(self, step: int) -> None:
        """Save the state completely or not at all: a training may be interrupted at any time."""
        part = self._checkpoint.with_name(f"{self._checkpoint.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "plan": asdict(self._plan),
            "parameters": self._parameters,
            "optimizer": self._optimizer.state_dict(),
            "step": step,
        }
        torch.save(state, part)
        part.replace(self._checkpoint)


def near_documents(network: RetrievalNetwork, pairs: TokenizedPairs) -> list[list[int]]:
    """Return for each pair about our own abstracts the other abstracts of these that are nearest to its query."""
    own = pairs.texts.select(OWN_WEIGHTS.__contains__)
    documents = sorted({pairs.texts.pairs[position].document for position in own})
    vectors = pooled_vectors(network, [pairs.documents[document] for document in documents])
    queries = pooled_vectors(network, [pairs.queries[position] for position in own])
    near = []
    for position, query in zip(own, queries, strict=True):
        best = (vectors @ query).topk(min(_NEAR, len(documents))).indices.tolist()
        ranked = [documents[row] for row in best]
        near.append([document for document in ranked if document != pairs.texts.pairs[position].document][_SKIPPED:])
    return near


def pooled_vectors(network: RetrievalNetwork, texts: Sequence[Tokenized]) -> Tensor:
    """Return the pooled vectors of texts, shape (texts, dimension)."""
    order = _by_length(texts)
    vectors = [encoded.pooled for _, encoded in encode_in_order(network, texts, order)]
    return torch.cat(vectors)[torch.tensor(order, device=network.device).argsort()]


def encode_in_order(
    network: RetrievalNetwork, texts: Sequence[Tokenized], order: Sequence[int]
) -> Iterator[tuple[list[int], Encodings]]:
    """Yield positions of texts, in this order, with their encodings, a batch at a time."""
    with torch.inference_mode():
        for positions in batches(order, _ENCODED):
            yield list(positions), network.encode([texts[position] for position in positions])


def _by_length(texts: Sequence[Tokenized]) -> list[int]:
    return sorted(range(len(texts)), key=lambda position: len(texts[position].ids))
