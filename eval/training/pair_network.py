"""The network of the pair reader: the packaged encoder, fine-tuned, with heads over its token vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from assistant.embedding.pair_input import MAX_QUERY
from eval.training.examples import Example

UNKNOWN = -100
# How much the scores of sentences count beside the decisions on the whole text.
_SENTENCE_WEIGHT = 2.5

Batch = dict[str, Tensor]
# Logits of support (texts, 3), of an answer (texts,), and of the sentences (texts, sentences, 2).
Outputs = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A tokenized example: word pieces, the length of the first part, and for each piece its sentence or -1.

    `evidence` is 1, 0 or UNKNOWN for each sentence; `prior` are the log-odds of an answer by wording alone.
    """

    ids: NDArray[np.int32]
    first: int
    sentence: NDArray[np.int16]
    support: int
    answers: int
    evidence: NDArray[np.int16]
    weight: float
    prior: float


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


def load_network(location: str, dropout: float = 0.0) -> PairNetwork:
    """Return the network over the encoder of a folder, new heads, word embeddings frozen."""
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(location)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout
    encoder = AutoModel.from_pretrained(location, config=config, attn_implementation="eager", add_pooling_layer=False)
    encoder.embeddings.word_embeddings.requires_grad_(False)
    encoder.embeddings.position_embeddings.requires_grad_(False)
    return PairNetwork(encoder, config.hidden_size)


def encode(tokenizer: Any, examples: Sequence[Example], max_length: int) -> list[Encoded]:
    """Tokenize examples as `[CLS] query [SEP] sentences [SEP]`, cut behind `max_length` pieces."""

    def pieces(texts: list[str]) -> list[list[int]]:
        tokenized = tokenizer(texts, add_special_tokens=False, truncation=True, max_length=max_length, verbose=False)
        ids: list[list[int]] = tokenized["input_ids"]
        return ids

    queries = pieces([example.query for example in examples])
    sentences = iter(pieces([sentence for example in examples for sentence in example.sentences]))
    special = (tokenizer.cls_token_id, tokenizer.sep_token_id)
    return [
        _encoded(example, query[:MAX_QUERY], [next(sentences) for _ in example.sentences], special, max_length)
        for example, query in zip(examples, queries, strict=True)
    ]


def _encoded(
    example: Example, query: list[int], sentences: list[list[int]], special: tuple[int, int], max_length: int
) -> Encoded:
    cls, sep = special
    ids = [cls, *query, sep]
    first, owners = len(ids), [-1] * len(ids)
    for number, pieces in enumerate(sentences):
        ids += pieces
        owners += [number] * len(pieces)
    ids, owners = [*ids[: max_length - 1], sep], [*owners[: max_length - 1], -1]
    return Encoded(
        np.array(ids, dtype=np.int32),
        first,
        np.array(owners, dtype=np.int16),
        UNKNOWN if example.support is None else example.support,
        UNKNOWN if example.answers is None else int(example.answers),
        _evidence(example, set(owners)),
        example.weight,
        example.prior,
    )


def _evidence(example: Example, read: set[int]) -> NDArray[np.int16]:
    """Return the label of each sentence; that of one that was cut off is unknown."""
    count = len(example.sentences)
    evidence = np.full(count, UNKNOWN, dtype=np.int16)
    if example.evidence is not None:
        evidence[:] = 0
        evidence[[position for position in example.evidence if position < count]] = 1
    evidence[[position for position in range(count) if position not in read]] = UNKNOWN
    return evidence


def collate(batch: Sequence[Encoded], device: torch.device | str = "cpu") -> Batch:
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
    members /= members.sum(dim=2, keepdim=True).clamp(min=1.0)
    tensors = {"ids": ids, "mask": mask, "types": types, "members": members, "evidence": evidence} | _labels(batch)
    return {name: tensor.to(device) for name, tensor in tensors.items()}


def _labels(batch: Sequence[Encoded]) -> Batch:
    return {
        "support": torch.tensor([item.support for item in batch]),
        "answers": torch.tensor([item.answers for item in batch]),
        "weight": torch.tensor([item.weight for item in batch]),
        "prior": torch.tensor([item.prior for item in batch]),
    }


def loss(outputs: Outputs, batch: Batch, smoothing: float = 0.05) -> Tensor:
    """Return the loss of a batch: the sum over its known labels, divided by its size."""
    support, answers, sentence = outputs
    count = len(batch["ids"])
    total = _support_loss(support, batch, smoothing) / count + _answers_loss(answers, batch, smoothing) / count
    # Column 0 scores the sentences that answer a question, column 1 those that decide a claim.
    for column, name in ((0, "answers"), (1, "support")):
        total = total + _sentence_loss(sentence[..., column], batch, batch[name] != UNKNOWN) / count
    return total


def _support_loss(logits: Tensor, batch: Batch, smoothing: float) -> Tensor:
    known = batch["support"] != UNKNOWN
    losses = functional.cross_entropy(
        logits[known], batch["support"][known], label_smoothing=smoothing, reduction="none"
    )
    return (losses * batch["weight"][known]).sum()


def _answers_loss(logits: Tensor, batch: Batch, smoothing: float) -> Tensor:
    """Return the loss of the answers; what the wording of a question gives away is not left to learn.

    The log-odds by wording are added in training only: a product of experts (Clark et al. 2019, "Don't Take the Easy
    Way Out").
    """
    known = batch["answers"] != UNKNOWN
    target = batch["answers"][known].float() * (1 - smoothing) + smoothing / 2
    scores = logits[known] + batch["prior"][known]
    losses = functional.binary_cross_entropy_with_logits(scores, target, reduction="none")
    return (losses * batch["weight"][known]).sum()


def _sentence_loss(logits: Tensor, batch: Batch, rows: Tensor) -> Tensor:
    """Return the loss of the sentences of these rows, each row as the mean of its sentences with a known label."""
    mask = (batch["evidence"] != UNKNOWN) & rows[:, None]
    losses = functional.binary_cross_entropy_with_logits(
        logits[mask], batch["evidence"][mask].float(), reduction="none"
    )
    shares = mask.float() / mask.float().sum(dim=1, keepdim=True).clamp(min=1.0)
    return (losses * shares[mask]).sum() * _SENTENCE_WEIGHT
