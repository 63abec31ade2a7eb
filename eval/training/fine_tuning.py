"""Fine-tune an encoder and the heads over it: the layers that are kept, two learning rates and their schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

_WEIGHT_DECAY = 0.01


def freeze_embeddings(encoder: Any) -> None:
    """Leave word and position embeddings as they are: they are shared with the packaged encoder."""
    for name in ("word_embeddings", "position_embeddings"):
        getattr(encoder.embeddings, name).requires_grad_(False)


def keep_layers(encoder: Any, layers: Sequence[int]) -> None:
    """Drop the other layers of the encoder, in place."""
    encoder.encoder.layer = nn.ModuleList([encoder.encoder.layer[number] for number in layers])
    encoder.config.num_hidden_layers = len(layers)


def optimizer(network: nn.Module) -> torch.optim.AdamW:
    """Return an optimizer of two groups: what is trained of the encoder, and the heads."""
    trained = [(name, tensor) for name, tensor in network.named_parameters() if tensor.requires_grad]
    encoder = [tensor for name, tensor in trained if name.startswith("encoder")]
    heads = [tensor for name, tensor in trained if not name.startswith("encoder")]
    groups = [{"params": encoder}, {"params": heads}]
    return torch.optim.AdamW(groups, weight_decay=_WEIGHT_DECAY, fused=True)


def set_rates(of: torch.optim.AdamW, encoder_rate: float, head_rate: float, done: float, warmup: float) -> None:
    """Set the rates for a step: they rise over `warmup` and fall to 0; `done` is the share of the training behind."""
    share = min(1.0, done / warmup) * (1.0 - done)
    for group, rate in zip(of.param_groups, (encoder_rate, head_rate), strict=True):
        group["lr"] = rate * share
