"""Fit the temperatures of a trained pair reader on the dev part, and write the weights that the package ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from assistant.embedding.fine_tuned import save_weights
from eval.training import pair_encoding, pair_network, shipped_weights
from eval.training.examples import Example, claims_of, questions_of, read_annotated
from eval.training.mixture import with_title
from eval.training.pair_network import PairNetwork
from eval.training.shipped_weights import likeliest_temperature

_BATCH = 16


def dev_examples(data: Path) -> list[Example]:
    """Return the claims, questions and near misses of the annotated dev part, beside title and abstract."""
    return [
        with_title(example, paper.title) if paper.title else example
        for paper in read_annotated(data)
        if paper.part == "dev"
        for example in (*claims_of(paper), *questions_of(paper))
    ]


def fit_temperatures(network: PairNetwork, tokenizer: Any, examples: Sequence[Example]) -> dict[str, float]:
    """Return the temperature of each decision that makes the labels likeliest."""
    network.eval()
    encoded = pair_encoding.encode(tokenizer, examples, max_length=512)
    support, answers = [], []
    with torch.no_grad():
        for start in range(0, len(encoded), _BATCH):
            outputs = network(pair_network.collate(encoded[start : start + _BATCH]))
            support.append(outputs[0].float())
            answers.append(outputs[1].float())
    labels = torch.tensor([item.support for item in encoded]), torch.tensor([item.answers for item in encoded])
    claims, questions = labels[0] != pair_encoding.UNKNOWN, labels[1] != pair_encoding.UNKNOWN
    claim_logits, claim_labels = torch.cat(support)[claims], labels[0][claims]
    question_logits, question_labels = torch.cat(answers)[questions], labels[1][questions].float()
    return {
        "support": likeliest_temperature(lambda scale: functional.cross_entropy(claim_logits / scale, claim_labels)),
        "answers": likeliest_temperature(
            lambda scale: functional.binary_cross_entropy_with_logits(question_logits / scale, question_labels)
        ),
    }


def export(network: PairNetwork, temperatures: dict[str, float], file: Path) -> None:
    """Write what was trained."""
    save_weights(shipped_weights.weights_of(network, temperatures), file, {})
