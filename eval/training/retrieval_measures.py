"""Measure how a question network ranks the papers of a collection, as a search fuses and reranks them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from assistant.settings import Settings
from eval.training.retrieval_data import CANDIDATES, PaperVectors, Prepared
from eval.training.retrieval_network import QuestionNetwork, collate, late_scores

if TYPE_CHECKING:
    from assistant.encodings import Vectors

_CUTS = (1, 5, 10)
_BATCH = 64
# The parts to choose by, and those to look at once; SciFact is never fitted to.
DEV = {"abstracts": "dev", "seeds": "dev", "scifact": "train"}
TEST = {"abstracts": "test", "seeds": "test", "scifact": "dev"}


def table(
    title: str, network: QuestionNetwork, collections: Mapping[str, PaperVectors], parts: Mapping[str, str]
) -> str:
    """Return the figures of the parts: a row for each collection and group of texts."""
    lines = [f"{title:<26}{'texts':>6}   R@1   R@5   R@10  nDCG@10"]
    for name, part in parts.items():
        collection = collections[name]
        texts = [text for text in collection.texts if text.source.part == part]
        figures = np.array(list(_figures(network, collection, texts)))
        groups = np.array([text.source.group for text in texts])
        lines += [_row(f"{name} {part}, {group}", figures[groups == group]) for group in sorted(set(groups))]
        single = groups != "multi"
        lines.append(_row(f"{name} {part}, all", figures[single]))
    return "\n".join(lines)


def _row(name: str, figures: Vectors) -> str:
    return f"{name:<26}{len(figures):>6}" + "".join(f"{value:>7.3f}" for value in figures.mean(axis=0))


def _figures(network: QuestionNetwork, collection: PaperVectors, texts: Sequence[Prepared]) -> Iterator[list[float]]:
    """Yield recall at the cuts and nDCG@10 of each text."""
    for start in range(0, len(texts), _BATCH):
        block = texts[start : start + _BATCH]
        tokenized = [network.tokenize(text) for text in block]
        with torch.inference_mode():
            pooled, words = network(collate(tokenized))
            for row, text in enumerate(block):
                weights = tokenized[row].weights
                order = rank(collection, text, pooled[row].numpy(), words[row], weights)
                yield [*(_recall(order[:cut], text.relevant) for cut in _CUTS), _gain(order, text.relevant)]


def rank(
    collection: PaperVectors, text: Prepared, vector: Vectors, words: torch.Tensor, weights: torch.Tensor
) -> list[int]:
    """Return the rows of the papers, best first, by the default weights of a search."""
    settings = Settings.model_fields
    share, pool_size = settings["dense_weight"].default, settings["rerank_top_k"].default
    late_share = settings["rerank_weight"].default
    cosines = collection.vectors @ vector
    nearest = np.argsort(-cosines, kind="stable")[:CANDIDATES]
    candidates = np.union1d(nearest, np.flatnonzero(text.lexical))
    fused = share * np.maximum(cosines, cosines[nearest[-1]]) + (1 - share) * text.lexical
    pool = candidates[np.argsort(-fused[candidates], kind="stable")[:pool_size]]
    late = late_scores(words, weights, collection, pool.tolist()).numpy()
    scores = (1 - late_share) * fused[pool] + late_share * late
    ranked: list[int] = pool[np.argsort(-scores, kind="stable")].tolist()
    return ranked


def _recall(order: Sequence[int], relevant: Collection[int]) -> float:
    return len(set(order) & set(relevant)) / len(relevant)


def _gain(order: Sequence[int], relevant: Collection[int]) -> float:
    gain = sum(1 / math.log2(rank + 2) for rank, paper in enumerate(order[:10]) if paper in relevant)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(10, len(relevant))))
