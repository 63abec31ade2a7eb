"""The packaged encoder with low-rank changes, for questions and papers alike, and how it scores papers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.training.retrieval_tokens import Tokenized

# Below every similarity: of words that only fill up a batch.
_NO_SIMILARITY = -9.0


class LowRank(nn.Module):
    """A linear layer to whose matrix the product of two thin ones is added: zero at first (Hu et al. 2021)."""

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.linear = linear
        self.down = nn.Parameter(torch.randn(rank, linear.in_features) / math.sqrt(linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the output of the changed layer."""
        changed: Tensor = self.linear(inputs) + functional.linear(functional.linear(inputs, self.down), self.up)
        return changed


@dataclass(frozen=True, slots=True, eq=False)
class TokenBatch:
    """Padded texts: pieces, their mask and words, shape (texts, pieces), and the words' shares, (texts, words).

    A piece that belongs to no content word has the number of words as its owner; a share is 0 where there is no word.
    """

    ids: Tensor
    mask: Tensor
    owners: Tensor
    shares: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Encodings:
    """Pooled vectors, shape (texts, dimension), word vectors, (texts, words, dimension), of length 1, and shares."""

    pooled: Tensor
    words: Tensor
    shares: Tensor


class RetrievalNetwork(nn.Module):
    """The packaged encoder, frozen, with low-rank changes of every matrix of its layers."""

    def __init__(self, location: str, rank: int, seed: int) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        torch.manual_seed(seed)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(location)
        self.encoder: Any = AutoModel.from_pretrained(location, add_pooling_layer=False).float().eval()
        self.encoder.requires_grad_(False)
        for layer in self.encoder.encoder.layer:
            attention = layer.attention
            for module, name in (
                *((attention.self, name) for name in ("query", "key", "value")),
                *((module, "dense") for module in (attention.output, layer.intermediate, layer.output)),
            ):
                setattr(module, name, LowRank(getattr(module, name), rank))

    @property
    def device(self) -> torch.device:
        """Return where the tensors of the network live."""
        device: torch.device = self.encoder.device
        return device

    def forward(self, batch: TokenBatch) -> Encodings:
        """Return the vectors of a batch; on a GPU the layers compute in bfloat16."""
        with mixed_precision(self.device):
            output = self.encoder(input_ids=batch.ids, attention_mask=batch.mask)
        hidden = output.last_hidden_state.float()
        pooled = functional.normalize((hidden * batch.mask[:, :, None]).sum(dim=1), dim=1)
        texts, count = batch.shares.shape
        # One row more takes up the pieces without a word.
        sums = hidden.new_zeros(texts, count + 1, hidden.shape[2])
        owners = batch.owners[:, :, None].expand(-1, -1, hidden.shape[2])
        words = sums.scatter_add(1, owners, functional.normalize(hidden, dim=2))[:, :count]
        return Encodings(pooled, functional.normalize(words, dim=2), batch.shares)

    def encode(self, texts: Sequence[Tokenized]) -> Encodings:
        """Return the vectors of some texts."""
        encodings: Encodings = self(collate(texts, self.device))
        return encodings

    def weaken(self, strength: float) -> None:
        """Keep that share of the changes: between both, a network loses less of what it could before.

        Wortsman et al. 2022, "Robust Fine-Tuning of Zero-Shot Models".
        """
        with torch.no_grad():
            for _, module in self.changed():
                module.up.mul_(strength)

    def changed(self) -> list[tuple[str, LowRank]]:
        """Return the changed layers by their names in the encoder."""
        return [(name, module) for name, module in self.encoder.named_modules() if isinstance(module, LowRank)]

    def factors(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the thin matrices by the name of the matrix that they change: down and up."""
        down = {f"{name}.weight": module.down.detach().cpu().numpy() for name, module in self.changed()}
        return down, {f"{name}.weight": module.up.detach().cpu().numpy() for name, module in self.changed()}


def mixed_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Return a context in which a GPU computes in bfloat16; a processor keeps to float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def collate(texts: Sequence[Tokenized], device: torch.device) -> TokenBatch:
    """Return tokenized texts as one padded batch."""
    pieces, count = max(len(text.ids) for text in texts), max(1, *(len(text.idf) for text in texts))
    pieces += -pieces % 8  # lengths that a GPU multiplies fast
    ids, mask = np.zeros((len(texts), pieces), np.int64), np.zeros((len(texts), pieces), np.float32)
    owners, shares = np.full((len(texts), pieces), count, np.int64), np.zeros((len(texts), count), np.float32)
    for row, text in enumerate(texts):
        length = len(text.ids)
        ids[row, :length], mask[row, :length] = text.ids, 1
        owners[row, :length] = np.where(text.owners >= 0, text.owners, count)
        shares[row, : len(text.idf)] = text.idf / max(float(text.idf.sum()), 1e-9)
    return TokenBatch(*(torch.from_numpy(array).to(device) for array in (ids, mask, owners, shares)))


def signs(words: Tensor) -> Tensor:
    """Return word vectors as an index stores them, one bit a coordinate; gradients pass as if they were not rounded.

    The straight-through estimator of Bengio et al. 2013, "Estimating or Propagating Gradients Through Stochastic
    Neurons".
    """
    rounded = torch.sign(words) / math.sqrt(words.shape[-1])
    return words + (rounded - words).detach()


def late_scores(queries: Encodings, words: Tensor, is_word: Tensor) -> Tensor:
    """Return MaxSim of queries with documents, shape (queries, documents).

    `words`, shape (documents, words, dimension), are the documents' words, `is_word` their mask.
    """
    count, width, dimension = queries.words.shape
    with mixed_precision(words.device):
        similarity = queries.words.reshape(-1, dimension) @ words.reshape(-1, dimension).T
        similarity = similarity.view(count * width, *is_word.shape)
        best = similarity.masked_fill(~is_word[None], _NO_SIMILARITY).amax(dim=2).view(count, width, len(words))
    return (best.float() * queries.shares[:, :, None]).sum(dim=1)
