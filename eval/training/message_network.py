"""The network of the message reader: the lower layers of the packaged encoder, fine-tuned, and a head over labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.embedding.fine_tuned import FineTuned
from assistant.embedding.message_reader import MAX_PIECES, MEAN_LENGTH
from eval.training import fine_tuning
from eval.training.shipped_weights import weights_of
from eval.training.softmax import Figures

LAYERS = 3
_BATCH, _EVALUATED = 32, 128
_ENCODER_RATE, _HEAD_RATE, _WARMUP = 1e-4, 2e-3, 0.06
_SMOOTHING = 0.1


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, 1 for each label that it may have and 0 for the others, and how much it counts."""

    text: str
    possible: tuple[float, ...]
    importance: float


class MessageNetwork(nn.Module):
    """The encoder's lower layers, and the logits of labels from the mean and the first of the token vectors."""

    def __init__(self, location: str, labels: int, seed: int) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        torch.manual_seed(seed)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(location)
        self.encoder: Any = AutoModel.from_pretrained(location, add_pooling_layer=False)
        fine_tuning.freeze_embeddings(self.encoder)
        fine_tuning.keep_layers(self.encoder, range(LAYERS))
        self.head = nn.Linear(2 * self.encoder.config.hidden_size, labels)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return the logits, shape (texts, labels)."""
        pieces = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=MAX_PIECES, return_tensors="pt"
        ).to(self.head.weight.device)
        inputs = {name: pieces[name] for name in ("input_ids", "attention_mask")}
        with torch.autocast(self.head.weight.device.type, torch.bfloat16):
            hidden = self.encoder(**inputs).last_hidden_state.float()
        mask = inputs["attention_mask"][:, :, None].float()
        mean = functional.normalize((hidden * mask).sum(dim=1), dim=1)
        logits: Tensor = self.head(torch.cat([MEAN_LENGTH * mean, hidden[:, 0]], dim=1))
        return logits


def train(network: MessageNetwork, examples: Sequence[LabelledText], epochs: int, seed: int) -> None:
    """Train the network in place."""
    optimizer = fine_tuning.optimizer(network)
    random = Random(seed)  # noqa: S311 - reproducible, not secret
    batches = [
        order[start : start + _BATCH]
        for order in (random.sample(list(examples), len(examples)) for _ in range(epochs))
        for start in range(0, len(order), _BATCH)
    ]
    network.train()
    for step, batch in enumerate(batches):
        fine_tuning.set_rates(optimizer, _ENCODER_RATE, _HEAD_RATE, step / len(batches), _WARMUP)
        _loss(network([example.text for example in batch]), batch).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
    network.eval()


def logits(network: MessageNetwork, texts: Sequence[str]) -> Figures:
    """Return the logits of texts, shape (texts, labels)."""
    with torch.inference_mode():
        rows = [network(texts[start : start + _EVALUATED]) for start in range(0, len(texts), _EVALUATED)]
    figures: Figures = torch.cat(rows).float().cpu().numpy()
    return figures


def tuned(network: MessageNetwork, labels: Sequence[str], temperature: float) -> FineTuned:
    """Return the weights that the package ships."""
    weights = weights_of(network, {"labels": temperature})
    heads = {name.removeprefix("head."): value for name, value in weights.heads.items()}
    return replace(weights, heads=heads, revision=f"messages-{weights.revision}", labels=tuple(labels))


def _loss(outputs: Tensor, batch: Sequence[LabelledText]) -> Tensor:
    """Return the mean weighted loss; the likelihood of an example is the sum over the labels that it may have."""
    possible = torch.tensor([example.possible for example in batch], device=outputs.device)
    importance = torch.tensor([example.importance for example in batch], device=outputs.device)
    logs = outputs.log_softmax(dim=1)
    right = (logs + possible.clamp(min=1e-30).log()).logsumexp(dim=1)
    return -(((1 - _SMOOTHING) * right + _SMOOTHING * logs.mean(dim=1)) * importance).mean()
