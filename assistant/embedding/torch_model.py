"""A model of sentence-transformers, and the packaged one where an engine of PyTorch is named for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.embedding.packaged_model import PACKAGED, first_line
from assistant.embedding.packaged_transformer import PACKAGED_TOKENS
from assistant.embedding.packaged_weights import layer_count
from assistant.embedding.pieces import PaddedBatch, TokenizedText
from assistant.errors import ModelError

if TYPE_CHECKING:
    from assistant.embedding.packaged_weights import Tensors
    from assistant.encodings import Vectors

# Texts in a forward pass. Larger batches exceed a processor's caches: in batches of 32 a text takes 1.5 times as long.
_BATCH_SIZE, _GPU_BATCH_SIZE = 8, 64
_DEFAULT_MAX_TOKENS = 512


class TorchModel:
    """A SentenceModel and a Transformer over a model of sentence-transformers, run by an engine."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()
        self.dimension: int = model.get_embedding_dimension()
        self.max_pieces: int = model.get_max_seq_length() or _DEFAULT_MAX_TOKENS
        self.batch_size = _BATCH_SIZE if model.device.type == "cpu" else _GPU_BATCH_SIZE
        self.prompts = {kind: str(prompt or "") for kind, prompt in model.prompts.items()}

    @property
    def cls_id(self) -> int:
        """Return the id of the piece that begins a sequence."""
        return int(self._model.tokenizer.cls_token_id)

    @property
    def sep_id(self) -> int:
        """Return the id of the piece that ends a text."""
        return int(self._model.tokenizer.sep_token_id)

    def tokenize(
        self, texts: Sequence[str], max_pieces: int | None = None, special_tokens: bool = True
    ) -> list[TokenizedText]:
        """Return the word pieces of each text, cut to `max_pieces`, special tokens included."""
        encoded = self._model.tokenizer(
            list(texts),
            add_special_tokens=special_tokens,
            truncation=max_pieces is not None,
            max_length=max_pieces,
            return_offsets_mapping=True,
            verbose=False,
        )
        return list(map(TokenizedText, encoded["input_ids"], encoded["offset_mapping"]))

    def token_vectors(self, batch: PaddedBatch) -> Vectors:
        """Return the vectors of a batch in single precision, shape (sequences, pieces, dimension)."""
        import torch

        arrays = {"input_ids": batch.ids, "attention_mask": batch.mask, "token_type_ids": batch.segments}
        features = {name: torch.from_numpy(array).to(self._model.device) for name, array in arrays.items()}
        with torch.inference_mode():
            outputs = self._model[0].model(**features)
        vectors: Vectors = outputs["last_hidden_state"].float().cpu().numpy()
        return vectors

    def embed(self, texts: Sequence[str], prompt: str, kind: str) -> tuple[Vectors, Vectors]:
        """Return the pooled vectors and the padded token vectors of texts behind a prompt, in single precision.

        The model's own `encode` does the same, and walks all its modules for every call: a third of a short question's
        time.
        """
        import torch
        from sentence_transformers.util import batch_to_device

        with torch.inference_mode():
            features = batch_to_device(
                self._model.preprocess(list(texts), prompt=prompt, task=kind), self._model.device
            )
            outputs = self._model(batch_to_device(features, self._model.device), task=kind)
        vectors, tokens = (outputs[name].float().cpu().numpy() for name in ("sentence_embedding", "token_embeddings"))
        return vectors[:, : self.dimension], tokens


def load_model(name: str, location: str, revision: str | None, local: bool) -> Any:
    """Return a sentence-transformers model, not yet run by an engine. Raises ModelError."""
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(location, device=None, revision=revision, local_files_only=local)
    except Exception as error:  # its loaders raise anything
        raise ModelError(f"embedder {name!r} cannot be loaded: {first_line(error)}") from error
    if name == PACKAGED:
        model.max_seq_length = PACKAGED_TOKENS
    return model


def load_changed(folder: str, tensors: Tensors) -> Any:
    """Return the packaged model in a folder with these tensors, and as many layers, not yet run by an engine."""
    import torch

    model = load_model(PACKAGED, folder, None, True).eval()
    body = model[0].model
    body.config.num_hidden_layers = layer_count(tensors)
    body.encoder.layer = body.encoder.layer[: layer_count(tensors)]
    body.load_state_dict({name: torch.tensor(value) for name, value in tensors.items()}, strict=False)
    return model
