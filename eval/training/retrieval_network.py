"""The packaged encoder with low-rank changes, and the scores of papers for what it encodes."""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from eval.training.retrieval_data import PaperVectors, Prepared

# Layers that are changed: the lower ones stay, so that their output for a text is computed once.
FIRST = 3
MAX_PIECES = 160
_WORD = re.compile(r"\w+")


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
    """Tokenized texts: output of the frozen layers, mask, membership of pieces in words, and weights of the words.

    Shapes: (texts, pieces, dimension), (texts, pieces), (texts, words, pieces), (texts, words).
    """

    hidden: Tensor
    mask: Tensor
    members: Tensor
    weights: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Tokenized:
    """A text as its word pieces, the content word of each piece or -1, and the output of the frozen layers."""

    ids: Tensor
    owners: Tensor
    weights: Tensor
    hidden: Tensor


class QuestionNetwork(nn.Module):
    """The packaged encoder, frozen, with low-rank changes of every matrix of its upper layers."""

    def __init__(self, location: str, rank: int, seed: int) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        torch.manual_seed(seed)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(location)
        self.encoder: Any = AutoModel.from_pretrained(location, add_pooling_layer=False).eval()
        self.encoder.requires_grad_(False)
        for layer in self.encoder.encoder.layer[FIRST:]:
            attention = layer.attention
            for module, name in (
                *((attention.self, name) for name in ("query", "key", "value")),
                *((module, "dense") for module in (attention.output, layer.intermediate, layer.output)),
            ):
                setattr(module, name, LowRank(getattr(module, name), rank))

    def tokenize(self, text: Prepared) -> Tokenized:
        """Return a text with the output of the frozen layers for it."""
        encoded = self.tokenizer(text.source.text, truncation=True, max_length=MAX_PIECES, return_offsets_mapping=True)
        owners = _owners(text, encoded["offset_mapping"])
        ids = torch.tensor(encoded["input_ids"])
        with torch.no_grad():
            hidden = self.encoder.embeddings(input_ids=ids[None])
            for layer in self.encoder.encoder.layer[:FIRST]:
                hidden = _output(layer(hidden))
        return Tokenized(ids, torch.from_numpy(owners), torch.from_numpy(text.weights), hidden[0])

    def forward(self, batch: TokenBatch) -> tuple[Tensor, Tensor]:
        """Return pooled vectors, shape (texts, dimension), and word vectors, (texts, words, dimension), of length 1."""
        hidden, hide = batch.hidden, (1 - batch.mask)[:, None, None, :] * -1e9
        for layer in self.encoder.encoder.layer[FIRST:]:
            hidden = _output(layer(hidden, hide))
        pooled = functional.normalize((hidden * batch.mask[:, :, None]).sum(dim=1), dim=1)
        words = functional.normalize(batch.members @ functional.normalize(hidden, dim=2), dim=2)
        return pooled, words

    def weaken(self, strength: float) -> None:
        """Keep that share of the changes: between both, a network loses less of what it could before.

        Wortsman et al. 2022, "Robust Fine-Tuning of Zero-Shot Models".
        """
        with torch.no_grad():
            for module in self.encoder.modules():
                if isinstance(module, LowRank):
                    module.up.mul_(strength)

    def factors(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the thin matrices by the name of the matrix that they change: down and up."""
        changed = [(name, module) for name, module in self.encoder.named_modules() if isinstance(module, LowRank)]
        down = {f"{name}.weight": module.down.detach().numpy() for name, module in changed}
        return down, {f"{name}.weight": module.up.detach().numpy() for name, module in changed}


def collate(texts: Sequence[Tokenized]) -> TokenBatch:
    """Return tokenized texts as one padded batch."""
    pieces, words = max(len(text.ids) for text in texts), max(1, *(len(text.weights) for text in texts))
    hidden = torch.zeros(len(texts), pieces, texts[0].hidden.shape[1])
    mask, members = torch.zeros(len(texts), pieces), torch.zeros(len(texts), words, pieces)
    weights = torch.zeros(len(texts), words)
    for row, text in enumerate(texts):
        length = len(text.ids)
        hidden[row, :length], mask[row, :length] = text.hidden, 1
        weights[row, : len(text.weights)] = text.weights
        owned = torch.nonzero(text.owners >= 0)[:, 0]
        members[row, text.owners[owned], owned] = 1
    return TokenBatch(hidden, mask, members, weights)


def late_scores(words: Tensor, weights: Tensor, collection: PaperVectors, papers: Sequence[int]) -> Tensor:
    """Return MaxSim of the words of a text, shape (words, dimension), with each of the papers, shape (papers,).

    Which stored word is most similar is decided without a gradient.
    """
    words = words[: len(weights)]
    best = []
    with torch.no_grad():
        for paper in papers:
            signs = torch.from_numpy(collection.signs[paper]).float()
            nearest = (signs @ words.T).argmax(dim=0) if len(signs) else None
            best.append(torch.zeros_like(words) if nearest is None else signs[nearest])
    similarity = (torch.stack(best) * words).sum(dim=2) / math.sqrt(words.shape[1])
    return similarity @ weights


def _owners(text: Prepared, spans: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Return the content word of each piece; -1 for special tokens, punctuation and stop words."""
    owners = np.full(len(spans), -1, dtype=np.int64)
    matches = (_WORD.match(text.source.text, start) for start in text.starts)
    bounds = [match.span() for match in matches if match]
    for piece, (start, end) in enumerate(spans):
        word = bisect.bisect_right(text.starts, start) - 1
        if word >= 0 and start < end <= bounds[word][1]:
            owners[piece] = word
    return owners


def _output(result: Any) -> Tensor:
    """Return the tensor of a layer: some versions of the library wrap it in a tuple."""
    tensor: Tensor = result[0] if isinstance(result, tuple) else result
    return tensor
