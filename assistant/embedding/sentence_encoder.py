"""The embedder, loaded by name: the packaged one without PyTorch, any other by sentence-transformers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.batches import batches
from assistant.embedding import engines, torch_model
from assistant.embedding.encoder_adapter import EncoderAdapter, load_adapter
from assistant.embedding.engine_choice import EXACT, EngineCache
from assistant.embedding.packaged_encoder import load_packaged
from assistant.embedding.packaged_model import (
    PACKAGED,
    PACKAGED_REVISION,
    WEIGHTS,
    locate_model,
    revision_of,
    sha256,
)
from assistant.encodings import EncodedText

if TYPE_CHECKING:
    from assistant.embedding.pieces import SentenceModel
    from assistant.encodings import Vectors


class SentenceEncoder:
    """An Embedder over a SentenceModel. Safe to call from several threads.

    Where a prompt is None, the model's own applies.
    """

    def __init__(
        self,
        name: str,
        model: SentenceModel,
        revision: str,
        query_prompt: str | None = None,
        document_prompt: str | None = None,
        engine: str = EXACT,
    ) -> None:
        self.name, self.engine = name, engine
        self.revision = _prompted(revision, document_prompt)
        self._model = model
        prompts = {"query": query_prompt, "document": document_prompt}
        self._prompts = model.prompts | {kind: prompt for kind, prompt in prompts.items() if prompt is not None}
        self._lock = threading.Lock()  # neither fast tokenizers nor OpenVINO's requests are thread-safe
        self.dimension = model.dimension
        prompt = self._prompt("document")
        # The two special tokens are not counted: the prompt shares them with the text after it.
        prompt_tokens = self.count_tokens([prompt])[0] - 2 if prompt else 0
        self.max_tokens: int = model.max_pieces - prompt_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the word pieces of each text by the model's own tokenizer, special tokens included."""
        if not texts:
            return []
        with self._lock:
            return [len(text.ids) for text in self._model.tokenize(texts)]

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode texts that will be searched."""
        return self._encode("document", texts)

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode texts to search with."""
        return self._encode("query", texts)

    def _encode(self, kind: str, texts: Sequence[str]) -> list[EncodedText]:
        if not texts:
            return []
        prompt = self._prompt(kind)
        with self._lock:
            tokenized = self._model.tokenize([prompt + text for text in texts], self._model.max_pieces)
            spans = [text.spans for text in tokenized]
            encoded: dict[int, EncodedText] = {}
            for batch in _batches_by_length([len(text_spans) for text_spans in spans], self._model.batch_size):
                vectors, tokens = self._model.embed([texts[i] for i in batch], prompt, kind)
                for row, i in enumerate(batch):
                    encoded[i] = _encoded_text(vectors[row], tokens[row], spans[i], len(prompt))
        return [encoded[i] for i in range(len(texts))]

    def _prompt(self, kind: str) -> str:
        """Return the prompt before a text: from the settings, or the model's own."""
        return self._prompts.get(kind) or ""


def known_revision(name: str, document_prompt: str | None = None) -> str | None:
    """Return the revision that a loaded embedder would have, without loading it; None for a model of the hub.

    Raises ModelError where the folder of the model, or the adapter of the packaged one, is missing or damaged.
    """
    if name == PACKAGED:
        return _prompted(_packaged_revision(load_adapter()), document_prompt)
    weights = Path(locate_model("embedder", name)[0]) / WEIGHTS
    return _prompted(sha256(weights)[:16], document_prompt) if weights.is_file() else None


def load_embedder(
    name: str,
    cache: Path,
    revision: str | None = None,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    engine: str = EXACT,
) -> SentenceEncoder:
    """Load an embedder: the packaged one, one in a folder, or a model of the hub.

    The directory `cache` records the verified weights and the fastest engine. Raises ModelError where the model is not
    available, the packaged weights are not the published ones, the adapter is damaged, or the engine is missing.
    """
    from threadpoolctl import threadpool_limits

    # Two thread pools compete on few cores: with numpy's own a search took more than twice as long.
    threadpool_limits(limits=1, user_api="blas")
    if name != PACKAGED:
        engine, weights, model = _load_torch(name, cache, revision, engine)
        return SentenceEncoder(name, model, weights, query_prompt, document_prompt, engine)
    adapter = load_adapter()
    weights = _packaged_revision(adapter)
    engine, packaged = load_packaged(engine, EngineCache(cache, weights), adapter.apply)
    return SentenceEncoder(name, packaged, weights, query_prompt, document_prompt, engine)


def _packaged_revision(adapter: EncoderAdapter) -> str:
    return f"{PACKAGED_REVISION}-{adapter.revision}"


def _prompted(revision: str, document_prompt: str | None) -> str:
    """Return the revision with the prompt, which changes the vectors of documents as other weights would."""
    return f"{revision} {document_prompt!r}" if document_prompt is not None else revision


def _load_torch(name: str, cache: Path, revision: str | None, engine: str) -> tuple[str, str, SentenceModel]:
    """Return the engine, the revision of the weights and the model of sentence-transformers. Raises ModelError."""
    location, local = locate_model("embedder", name)
    load = partial(torch_model.load_model, name, location, revision, local)
    model = load()
    weights = revision_of(model, location, revision)
    engine, model = engines.start(engine, model, load, EngineCache(cache, weights))
    return engine, weights, torch_model.TorchModel(model)


def _batches_by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Yield batches of indexes of texts of similar length, longest first, to keep padding short."""
    return batches(sorted(range(len(lengths)), key=lambda i: -lengths[i]), size)


def _encoded_text(
    vector: Vectors, tokens: Vectors, spans: Sequence[tuple[int, int]], prompt_length: int
) -> EncodedText:
    """Return the model's output for one text; its spans begin after the characters of the prompt."""
    import numpy as np

    rows = [row for row, (start, end) in enumerate(spans) if end > start >= prompt_length]  # special tokens are empty
    return EncodedText(
        vector=vector / np.linalg.norm(vector),
        spans=tuple((spans[row][0] - prompt_length, spans[row][1] - prompt_length) for row in rows),
        tokens=tokens[rows],
    )
