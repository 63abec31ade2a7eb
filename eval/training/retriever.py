"""Fit the question adapter: `python -m eval.training.retriever --data DIR`.

Only the question's side of the packaged encoder is changed, by low-rank matrices in its upper three layers; the papers
keep the vectors that they have. The loss is that of the right paper among all of the training part by the pooled
vector, and among near papers by late interaction. Prints how papers rank before and after on dev parts; `--test` adds
the test parts, to be looked at once.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Annotated

import torch
import typer
from torch import Tensor
from torch.nn import functional

from assistant import factory
from assistant.embedding.encoder_adapter import ADAPTER_FILE, EncoderAdapter, save_adapter
from assistant.embedding.packaged_model import PACKAGED, locate
from assistant.settings import Settings, load
from eval.training import command, retrieval_data, retrieval_measures
from eval.training.examples import read_annotated
from eval.training.retrieval_data import PaperVectors
from eval.training.retrieval_network import QuestionNetwork, Tokenized, collate, late_scores

logger = logging.getLogger(__name__)

# Texts that are learnt from, and their weight; easy questions have their paper first already.
WEIGHTS = {"hard": 1.0, "medium": 1.0, "claim": 0.5}
# Near papers: the best of the fused first stage, of which so many are drawn for each step.
_NEAR, _DRAWN = 50, 23
_POOLED_TEMPERATURE, _LATE_TEMPERATURE = 0.05, 0.03
_EPOCHS = 4
_WARMUP_STEPS, _MAX_NORM, _WEIGHT_DECAY = 20, 1.0, 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """How the adapter is fitted; `strength` is the share of the changes that is kept in the end."""

    rank: int = 8
    epochs: int = _EPOCHS
    batch: int = 48
    rate: float = 5e-4
    strength: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A text to learn from: its words, the row of its paper, rows of near papers, and its weight."""

    tokenized: Tokenized
    paper: int
    near: tuple[int, ...]
    weight: float


class Trainer:
    """Fits a network to lessons over a collection; `papers` are the rows of its training part."""

    def __init__(self, network: QuestionNetwork, collection: PaperVectors, papers: Sequence[int], plan: Plan) -> None:
        self._network, self._collection, self._plan = network, collection, plan
        self._column = {paper: column for column, paper in enumerate(papers)}
        self._vectors = torch.from_numpy(collection.vectors[list(papers)])
        self._random = Random(plan.seed)  # noqa: S311 - reproducible, not secret
        self._parameters = [tensor for tensor in network.parameters() if tensor.requires_grad]
        self._optimizer = torch.optim.AdamW(self._parameters, lr=plan.rate, weight_decay=_WEIGHT_DECAY)

    def fit(self, lessons: Sequence[Lesson]) -> None:
        """Fit the network in place, and log the mean loss of each epoch."""
        order, size = list(lessons), self._plan.batch
        steps = self._plan.epochs * math.ceil(len(order) / size)
        step = 0
        for epoch in range(self._plan.epochs):
            self._random.shuffle(order)
            losses = []
            for start in range(0, len(order), size):
                losses.append(self._step(order[start : start + size], step, steps))
                step += 1
            logger.info("epoch %d of %d, loss %.3f", epoch + 1, self._plan.epochs, sum(losses) / len(losses))

    def _step(self, lessons: Sequence[Lesson], step: int, steps: int) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.rate * min(1.0, step / _WARMUP_STEPS) * (1 - step / steps)
        loss = self._loss(lessons)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters, _MAX_NORM)
        self._optimizer.step()
        return float(loss.detach())

    def _loss(self, lessons: Sequence[Lesson]) -> Tensor:
        """Return the mean over texts of the pooled loss and the late-interaction loss, weighted."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            pooled, words = self._network(collate([lesson.tokenized for lesson in lessons]))
        columns = torch.tensor([self._column[lesson.paper] for lesson in lessons])
        scores = pooled.float() @ self._vectors.T / _POOLED_TEMPERATURE
        losses = functional.cross_entropy(scores, columns, reduction="none")
        late = torch.stack([self._late_loss(vectors, lesson) for vectors, lesson in zip(words, lessons, strict=True)])
        return ((losses + late) * torch.tensor([lesson.weight for lesson in lessons])).mean()

    def _late_loss(self, words: Tensor, lesson: Lesson) -> Tensor:
        papers = [lesson.paper, *self._random.sample(lesson.near, min(_DRAWN, len(lesson.near)))]
        scores = late_scores(words.float(), lesson.tokenized.weights, self._collection, papers)
        return functional.cross_entropy(scores[None] / _LATE_TEMPERATURE, torch.tensor([0]))


def lessons_of(network: QuestionNetwork, collection: PaperVectors, papers: Sequence[int]) -> list[Lesson]:
    """Return the texts of the training part with the papers of it that the first stage puts near them."""
    vectors = torch.from_numpy(collection.vectors[list(papers)])
    lessons = []
    for text in collection.texts:
        if text.source.part != "train" or text.source.group not in WEIGHTS:
            continue
        tokenized = network.tokenize(text)
        with torch.no_grad():
            pooled, _ = network(collate([tokenized]))
        scores = vectors @ pooled[0] + torch.from_numpy(text.lexical[list(papers)])
        best = [papers[column] for column in scores.argsort(descending=True)[: _NEAR + 1].tolist()]
        near = tuple(paper for paper in best if paper != text.relevant[0])[:_NEAR]
        lessons.append(Lesson(tokenized, text.relevant[0], near, WEIGHTS[text.source.group]))
    return lessons


def main(
    data: Annotated[Path, typer.Option(help="folder of the data")],
    out: Annotated[Path, typer.Option(help="file of the adapter")] = ADAPTER_FILE,
    epochs: Annotated[int, typer.Option(help="passes over the training part")] = _EPOCHS,
    test: Annotated[bool, typer.Option("--test", help="measure on the test parts too")] = False,
) -> None:
    """Fit the question adapter, print how papers rank before and after, and write it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = load(engine="float32")
    collections = read_collections(data, settings)
    location, _ = locate(PACKAGED, settings.shared / "embedder.verified")
    plan = Plan(epochs=epochs)
    network = QuestionNetwork(location, plan.rank, plan.seed)
    parts = (retrieval_measures.DEV, retrieval_measures.TEST) if test else (retrieval_measures.DEV,)
    for title in ("before", "after"):
        if title == "after":
            fit(network, collections["abstracts"], plan)
        for part in parts:
            print(retrieval_measures.table(title, network, collections, part), flush=True)
    save_adapter(adapter_of(network), out, {"made by": "eval.training.retriever"})


def read_collections(data: Path, settings: Settings) -> dict[str, PaperVectors]:
    """Return the collections by name; their libraries are built below the settings' home, once."""
    embedder = factory.open_embedder(settings)
    texts = retrieval_data.annotated_texts(read_annotated(data))
    return {
        "abstracts": retrieval_data.over_annotated(texts, settings, embedder),
        "seeds": retrieval_data.over_seeds(settings, embedder),
        "scifact": retrieval_data.over_scifact(data / "scifact", settings, embedder),
    }


def fit(network: QuestionNetwork, collection: PaperVectors, plan: Plan) -> None:
    """Fit the network to the training part of the annotated abstracts."""
    train = {text.source.papers[0] for text in collection.texts if text.source.part == "train"}
    papers = [row for row, paper_id in enumerate(collection.ids) if paper_id in train]
    Trainer(network, collection, papers, plan).fit(lessons_of(network, collection, papers))
    network.weaken(plan.strength)


def adapter_of(network: QuestionNetwork) -> EncoderAdapter:
    """Return the changes that a network has learnt, named by a digest of them."""
    down, up = network.factors()
    digest = sha256(b"".join(matrix.tobytes() for matrix in (*down.values(), *up.values())))
    return EncoderAdapter(down, up, f"question-{digest.hexdigest()[:16]}")


if __name__ == "__main__":
    command.run(main)
