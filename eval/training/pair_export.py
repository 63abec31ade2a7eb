"""Fit the temperatures of a trained pair reader on the dev part, and write the weights that the package ships.

Temperature scaling: Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch.nn import functional

from assistant.embedding.fine_tuned import FineTuned, save_weights
from eval.training import pair_encoding, pair_network
from eval.training.examples import Example, claims_of, questions_of, read_annotated
from eval.training.mixture import with_title
from eval.training.pair_network import PairNetwork

# What the network shares with the packaged encoder, and is not written.
_SHARED = ("word_embeddings", "position_embeddings", "position_ids")
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
        "support": _likeliest(lambda scale: functional.cross_entropy(claim_logits / scale, claim_labels)),
        "answers": _likeliest(
            lambda scale: functional.binary_cross_entropy_with_logits(question_logits / scale, question_labels)
        ),
    }


def export(network: PairNetwork, temperatures: dict[str, float], file: Path) -> None:
    """Write what was trained; the revision is a hash of the values."""
    tensors = {name: value.detach().float().cpu().numpy() for name, value in network.state_dict().items()}
    encoder = {
        name.removeprefix("encoder."): value
        for name, value in tensors.items()
        if name.startswith("encoder.") and not any(part in name for part in _SHARED)
    }
    heads = {name: value for name, value in tensors.items() if not name.startswith("encoder.")}
    save_weights(FineTuned(encoder, heads, temperatures, _revision(tensors)), file, {})


def _likeliest(loss: Any) -> float:
    found = minimize_scalar(lambda scale: float(loss(scale)), bounds=(0.2, 5.0), method="bounded")
    return round(float(found.x), 3)


def _revision(tensors: dict[str, NDArray[np.float32]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(tensors[name].tobytes())
    return digest.hexdigest()[:16]
