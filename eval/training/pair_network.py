"""The network of the pair reader: layers of the packaged encoder, fine-tuned, with heads over its token vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.training import fine_tuning
from eval.training.pair_encoding import UNKNOWN, Encoded

# How much the scores of sentences count beside the decisions on the whole text.
_SENTENCE_WEIGHT = 2.5
_SMOOTHING = 0.05
# How much the judgement of the teachers counts beside the labels.
_TAUGHT = 0.7

Batch = dict[str, Tensor]
# Logits of support (texts, 3), of an answer (texts,), and of the sentences (texts, sentences, 2).
Outputs = tuple[Tensor, Tensor, Tensor]


class PairNetwork(nn.Module):
    """An encoder with three heads: support of a claim, answer to a question, and evidence by sentence."""

    def __init__(self, encoder: nn.Module, dimension: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.support = nn.Linear(3 * dimension, 3)
        self.answers = nn.Linear(3 * dimension, 1)
        self.sentence = nn.Linear(2 * dimension, 2)

    def forward(self, batch: Batch) -> Outputs:
        """Return the logits of a batch."""
        hidden = self.encoder(
            input_ids=batch["ids"], attention_mask=batch["mask"], token_type_ids=batch["types"]
        ).last_hidden_state.float()
        start = hidden[:, 0]
        first = pooled(hidden, batch["mask"] * (1 - batch["types"]))
        second = pooled(hidden, batch["mask"] * batch["types"])
        features = torch.cat([start, first, second], dim=1)
        # One row of means for each sentence: (batch, sentences, pieces) @ (batch, pieces, dimension).
        sentences = batch["members"] @ hidden
        of_sentence = torch.cat([start[:, None].expand(-1, sentences.shape[1], -1), sentences], dim=2)
        return self.support(features), self.answers(features)[:, 0], self.sentence(of_sentence)


def pooled(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the token vectors that the mask selects, shape (texts, dimension); 0 where it selects none."""
    weights = mask[:, :, None].float()
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)


def load_network(location: str, layers: Sequence[int] | None = None, dropout: float = 0.0) -> PairNetwork:
    """Return the network over these layers of the encoder of a folder, or all; new heads, word embeddings frozen."""
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(location)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout
    encoder = AutoModel.from_pretrained(location, config=config, add_pooling_layer=False).float()
    fine_tuning.freeze_embeddings(encoder)
    if layers is not None:
        fine_tuning.keep_layers(encoder, layers)
    return PairNetwork(encoder, config.hidden_size)


def collate(batch: Sequence[Encoded]) -> Batch:
    """Return a batch as padded tensors; `members`, shape (texts, sentences, pieces), has a row of means a sentence."""
    length, count = max(len(item.ids) for item in batch), max(len(item.evidence) for item in batch)
    ids = torch.zeros(len(batch), length, dtype=torch.long)
    mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
    members = torch.zeros(len(batch), count, length)
    evidence = torch.full((len(batch), count), UNKNOWN, dtype=torch.long)

    for row, item in enumerate(batch):
        pieces = len(item.ids)
        ids[row, :pieces] = torch.from_numpy(item.ids.astype(np.int64))
        mask[row, :pieces] = 1
        types[row, item.first : pieces] = 1
        evidence[row, : len(item.evidence)] = torch.from_numpy(item.evidence.astype(np.int64))
        positions = np.flatnonzero(item.sentence >= 0)
        members[row, item.sentence[positions].astype(np.int64), positions] = 1.0
    read = members.amax(dim=2)
    members /= members.sum(dim=2, keepdim=True).clamp(min=1.0)
    shown = {"ids": ids, "mask": mask, "types": types, "members": members, "read": read}
    return shown | {"evidence": evidence} | _labels(batch)


def _labels(batch: Sequence[Encoded]) -> Batch:
    return {
        "support": torch.tensor([item.support for item in batch]),
        "answers": torch.tensor([item.answers for item in batch]),
        "weight": torch.tensor([item.weight for item in batch], dtype=torch.float32),
        "prior": torch.tensor([item.prior for item in batch], dtype=torch.float32),
    }


def loss(outputs: Outputs, batch: Batch) -> Tensor:
    """Return the loss of a batch: the sum over its known labels, divided by its size."""
    support, answers, sentence = outputs
    total = _support_loss(support, batch) + _answers_loss(answers, batch)
    # Column 0 scores the sentences that answer a question, column 1 those that decide a claim.
    for column, name in ((0, "answers"), (1, "support")):
        known = (batch["evidence"] != UNKNOWN) & (batch[name] != UNKNOWN)[:, None]
        total = total + _sentence_loss(sentence[..., column], batch["evidence"].clamp(min=0).float(), known.float())
    return total / len(batch["ids"])


def taught_loss(outputs: Outputs, taught: Outputs, batch: Batch) -> Tensor:
    """Return the loss of a batch where teachers have judged it: mostly the distance from their probabilities.

    `taught` are probabilities, of the shapes of the outputs. Hinton et al. 2015, "Distilling the Knowledge in a Neural
    Network".
    """
    claims, questions = ((batch[name] != UNKNOWN).float() for name in ("support", "answers"))
    support, answers, sentence = outputs
    total = (functional.cross_entropy(support, taught[0], reduction="none") * claims).sum()
    total = total + (_binary(answers, taught[1]) * questions).sum()
    for column, rows in ((0, questions), (1, claims)):
        known = batch["read"] * rows[:, None]
        total = total + _sentence_loss(sentence[..., column], taught[2][..., column], known)
    return _TAUGHT * total / len(batch["ids"]) + (1 - _TAUGHT) * loss(outputs, batch)


def judge(teachers: Sequence[PairNetwork], batch: Batch) -> Outputs:
    """Return the mean of the probabilities that the teachers give."""
    with torch.no_grad():
        outputs = [teacher(batch) for teacher in teachers]
    support = torch.stack([logits.float().softmax(dim=1) for logits, _, _ in outputs]).mean(dim=0)
    answers = torch.stack([logits.float().sigmoid() for _, logits, _ in outputs]).mean(dim=0)
    return support, answers, torch.stack([logits.float().sigmoid() for _, _, logits in outputs]).mean(dim=0)


def _support_loss(logits: Tensor, batch: Batch) -> Tensor:
    losses = functional.cross_entropy(
        logits, batch["support"], ignore_index=UNKNOWN, label_smoothing=_SMOOTHING, reduction="none"
    )
    return (losses * batch["weight"]).sum()


def _answers_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Return the loss of the answers; what the wording of a question gives away is not left to learn.

    The log-odds by wording are added in training only: a product of experts (Clark et al. 2019, "Don't Take the Easy
    Way Out").
    """
    known = (batch["answers"] != UNKNOWN).float()
    target = batch["answers"].clamp(min=0).float() * (1 - _SMOOTHING) + _SMOOTHING / 2
    return (_binary(logits + batch["prior"], target) * known * batch["weight"]).sum()


def _sentence_loss(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Return the loss of the sentences that are known, each text as the mean of its sentences."""
    shares = known / known.sum(dim=1, keepdim=True).clamp(min=1.0)
    return (_binary(logits, target) * shares).sum() * _SENTENCE_WEIGHT


def _binary(logits: Tensor, target: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
