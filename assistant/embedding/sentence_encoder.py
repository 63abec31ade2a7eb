"""The embedder by name."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.batches import batches
from assistant.embedding import engines
from assistant.embedding.packaged_model import PACKAGED, first_line, locate, revision_of
from assistant.encodings import EncodedText
from assistant.errors import ModelError

# It is shipped with a limit of 256 word-pieces, which would cut 46 % of abstracts; its positions reach 512, and
# abstracts read whole are found better than abstracts in two halves (see eval/README.md).
PACKAGED_TOKENS = 512
# Texts that a forward pass takes. More of them no longer fit a processor's caches: 32 take half as long again, each.
_TOGETHER = 8
_TOGETHER_ON_GPU = 64


class SentenceEncoder:
    """An Embedder over a sentence-transformers model. Safe to call from several threads.

    Prompts that are None leave the model's own query and document prompts in force.
    """

    def __init__(
        self,
        name: str,
        model: Any,
        revision: str,
        query_prompt: str | None = None,
        document_prompt: str | None = None,
        engine: str = engines.EXACT,
    ) -> None:
        self.name, self.engine = name, engine
        # A prompt of the settings changes the vectors as other weights would.
        self.revision = f"{revision} {document_prompt!r}" if document_prompt is not None else revision
        self._model = model
        self._prompts = {"query": query_prompt, "document": document_prompt}
        self._lock = threading.Lock()  # a fast tokenizer may not be borrowed twice
        self._together = _TOGETHER if model.device.type == "cpu" else _TOGETHER_ON_GPU
        self.dimension: int = model.get_embedding_dimension()
        before = self._prompt("document")
        # Two of a text's tokens are the special ones, which the prompt shares with the text behind it.
        prompt_tokens = self.count_tokens([before])[0] - 2 if before else 0
        self.max_tokens: int = (model.get_max_seq_length() or 512) - prompt_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word-pieces of each text, special tokens included, counted by the model's own tokenizer."""
        if not texts:
            return []
        with self._lock:
            encoded = self._model.tokenizer(list(texts), truncation=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode texts that will be searched."""
        return self._read(self._model.encode_document, "document", texts)

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode texts to search with."""
        return self._read(self._model.encode_query, "query", texts)

    def _read(self, encode: Any, kind: str, texts: Sequence[str]) -> list[EncodedText]:
        if not texts:
            return []
        prompt = self._prompt(kind)
        with self._lock:
            spans = self._spans([prompt + text for text in texts])
            readings: dict[int, EncodedText] = {}
            for group in _groups([len(each) for each in spans], self._together):
                read = encode([texts[at] for at in group], prompt=prompt, output_value=None, show_progress_bar=False)
                readings |= {at: _reading(each, spans[at], len(prompt)) for at, each in zip(group, read, strict=True)}
        return [readings[at] for at in range(len(texts))]

    def _spans(self, texts: list[str]) -> list[list[tuple[int, int]]]:
        """The character offsets of each text's tokens, as far as the model reads."""
        limit = self._model.get_max_seq_length() or 512
        encoded = self._model.tokenizer(texts, truncation=True, max_length=limit, return_offsets_mapping=True)
        spans: list[list[tuple[int, int]]] = encoded["offset_mapping"]
        return spans

    def _prompt(self, kind: str) -> str:
        """What goes before a text: the settings' prompt, or else the model's own."""
        own = self._prompts[kind]
        return str(self._model.prompts.get(kind) or "") if own is None else own


def load(
    name: str,
    kept: Path,
    revision: str | None = None,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    engine: str = engines.EXACT,
) -> SentenceEncoder:
    """The embedder of this name: the packaged one, a folder, or a model of the hub.

    In the directory `kept` it is remembered which packaged weights were found genuine and which engine is the fastest.
    Raises ModelError where the model cannot be had, its weights are not the published ones, or the engine is missing.
    """
    location, local = locate(name, kept / "embedder.verified")
    from sentence_transformers import SentenceTransformer
    from threadpoolctl import threadpool_limits

    # Two pools of threads spin against each other on few cores: a search took more than twice as long with numpy's.
    threadpool_limits(limits=1, user_api="blas")

    def make() -> Any:
        try:
            model = SentenceTransformer(location, device=None, revision=revision, local_files_only=local)
        except Exception as error:  # the library raises whatever its loaders raise
            raise ModelError(f"embedder {name!r} cannot be loaded: {first_line(error)}") from error
        if name == PACKAGED:
            model.max_seq_length = PACKAGED_TOKENS
        return model

    model = make()
    weights = revision_of(model, name if name == PACKAGED else location, revision)
    used, model = engines.start(engine, model, make, engines.Place(kept, weights))
    return SentenceEncoder(name, model, weights, query_prompt, document_prompt, used)


def _groups(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Places of texts of like lengths, the longest first: little of a forward pass is spent on padding."""
    return batches(sorted(range(len(lengths)), key=lambda at: -lengths[at]), size)


def _reading(read: Any, offsets: Sequence[tuple[int, int]], before: int) -> EncodedText:
    """What the model gave for one text; `before` characters of prompt stood in front of it."""
    import numpy as np

    vector = read["sentence_embedding"].float().cpu().numpy()
    own = [place for place, (start, end) in enumerate(offsets) if end > start >= before]  # special tokens are empty
    return EncodedText(
        vector=vector / np.linalg.norm(vector),
        spans=tuple((offsets[place][0] - before, offsets[place][1] - before) for place in own),
        tokens=read["token_embeddings"].float().cpu().numpy()[own],
    )
