"""The packaged transformer without PyTorch: tokenizers, numpy and a runtime. Imported in a fraction of a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.embedding.embedding_layer import EmbeddingLayer
from assistant.embedding.packaged_model import first_line
from assistant.embedding.pieces import PaddedBatch, TokenizedText, padded
from assistant.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

    from assistant.embedding.packaged_weights import Tensors
    from assistant.encodings import Vectors

    # Computes the layers of attention: embeddings and mask to token vectors, shape (sequences, pieces, dimension).
    Layers = Callable[[Vectors, Vectors], Vectors]

# The packaged model comes with a limit of 256 word pieces, which would truncate 46 % of abstracts; its positions reach
# 512, and whole abstracts are retrieved better than abstracts in two halves (see docs/experiments.md).
PACKAGED_TOKENS = 512
# Texts in a forward pass. Larger batches exceed a processor's caches: in batches of 32 a text takes 1.5 times as long.
_BATCH_SIZE = 8
_CLS, _SEP = "[CLS]", "[SEP]"


class PackagedTransformer:
    """A Transformer and a SentenceModel with the mean of a text's token vectors as its vector."""

    max_pieces = PACKAGED_TOKENS
    batch_size = _BATCH_SIZE

    def __init__(self, tokenizer: Tokenizer, tensors: Tensors, layers: Layers) -> None:
        self.prompts: dict[str, str] = {}
        self._tokenizer, self._layers = tokenizer, layers
        self._embedding = EmbeddingLayer(tensors)
        self.dimension = self._embedding.dimension
        self.cls_id, self.sep_id = _id(tokenizer, _CLS), _id(tokenizer, _SEP)

    def tokenize(
        self, texts: Sequence[str], max_pieces: int | None = None, special_tokens: bool = True
    ) -> list[TokenizedText]:
        """Return the word pieces of each text, cut to `max_pieces`, special tokens included."""
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=special_tokens)
        return [_tokenized(encoding, max_pieces, special_tokens) for encoding in encoded]

    def token_vectors(self, batch: PaddedBatch) -> Vectors:
        """Return the vectors of a batch in single precision, shape (sequences, pieces, dimension)."""
        import numpy as np

        return self._layers(self._embedding(batch), batch.mask.astype(np.float32))

    def embed(self, texts: Sequence[str], prompt: str, kind: str) -> tuple[Vectors, Vectors]:
        """Return the pooled vectors and the padded token vectors of texts behind a prompt, in single precision."""
        tokenized = self.tokenize([prompt + text for text in texts], self.max_pieces)
        batch = padded([text.ids for text in tokenized])
        tokens = self.token_vectors(batch)
        mask = batch.mask[:, :, None].astype(tokens.dtype)
        return (tokens * mask).sum(axis=1) / mask.sum(axis=1), tokens


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer of the model in a folder, which neither cuts nor pads. Raises ModelError."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # it raises Exception itself
        raise ModelError(f"the tokenizer in {folder} cannot be loaded: {first_line(error)}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _id(tokenizer: Tokenizer, token: str) -> int:
    number = tokenizer.token_to_id(token)
    if number is None:
        raise ModelError(f"the tokenizer of the packaged embedder does not know {token}")
    return number


def _tokenized(encoding: Encoding, max_pieces: int | None, special_tokens: bool) -> TokenizedText:
    """Return the pieces, cut before the last special token where they are too many."""
    ids, spans = encoding.ids, encoding.offsets
    if max_pieces is None or len(ids) <= max_pieces:
        return TokenizedText(ids, spans)
    if not special_tokens:
        return TokenizedText(ids[:max_pieces], spans[:max_pieces])
    return TokenizedText([*ids[: max_pieces - 1], ids[-1]], [*spans[: max_pieces - 1], spans[-1]])
