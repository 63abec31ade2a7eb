"""The embedder over sentence-transformers, loaded by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from assistant.batches import batches
from assistant.embedding import engines
from assistant.embedding.packaged_model import PACKAGED, first_line, locate, revision_of
from assistant.embedding.question_adapter import QuestionAdapter, load_adapter
from assistant.encodings import EncodedText
from assistant.errors import ModelError

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# The packaged model comes with a limit of 256 word pieces, which would truncate 46 % of abstracts; its positions reach
# 512, and whole abstracts are retrieved better than abstracts in two halves (see docs/experiments.md).
PACKAGED_TOKENS = 512
# Texts in a forward pass. Larger batches exceed a processor's caches: in batches of 32 a text takes 1.5 times as long.
_BATCH_SIZE = 8
_GPU_BATCH_SIZE = 64
_DEFAULT_MAX_TOKENS = 512

LoadEncoder: TypeAlias = "Callable[[], SentenceEncoder]"


class SentenceEncoder:
    """An Embedder over a sentence-transformers model. Safe to call from several threads.

    Where a prompt is None, the model's own applies.
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
        # A prompt changes the vectors of documents, as other weights would.
        self.revision = f"{revision} {document_prompt!r}" if document_prompt is not None else revision
        self._model = model.eval()
        self._prompts = {"query": query_prompt, "document": document_prompt}
        self._lock = threading.Lock()  # fast tokenizers are not thread-safe
        self._batch_size = _BATCH_SIZE if model.device.type == "cpu" else _GPU_BATCH_SIZE
        self.dimension: int = model.get_embedding_dimension()
        prompt = self._prompt("document")
        # The two special tokens are not counted: the prompt shares them with the text after it.
        prompt_tokens = self.count_tokens([prompt])[0] - 2 if prompt else 0
        self.max_tokens: int = (model.get_max_seq_length() or _DEFAULT_MAX_TOKENS) - prompt_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the word pieces of each text by the model's own tokenizer, special tokens included."""
        if not texts:
            return []
        with self._lock:
            encoded = self._model.tokenizer(list(texts), truncation=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

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
            spans = self._spans([prompt + text for text in texts])
            encoded: dict[int, EncodedText] = {}
            for batch in _batches_by_length([len(text_spans) for text_spans in spans], self._batch_size):
                vectors, tokens = self._forward([texts[i] for i in batch], prompt, kind)
                for row, i in enumerate(batch):
                    encoded[i] = _encoded_text(vectors[row], tokens[row], spans[i], len(prompt))
        return [encoded[i] for i in range(len(texts))]

    def _forward(self, texts: list[str], prompt: str, kind: str) -> tuple[Vectors, Vectors]:
        """Return the pooled vectors and the padded token vectors of one batch, in single precision.

        The model's own `encode` does the same, and walks all its modules for every call: a third of a short question's
        time.
        """
        import torch
        from sentence_transformers.util import batch_to_device

        with torch.inference_mode():
            features = batch_to_device(self._model.preprocess(texts, prompt=prompt, task=kind), self._model.device)
            outputs = self._model(features, task=kind)
        vectors, tokens = (outputs[name].float().cpu().numpy() for name in ("sentence_embedding", "token_embeddings"))
        return vectors[:, : self.dimension], tokens

    def _spans(self, texts: list[str]) -> list[list[tuple[int, int]]]:
        """Return the character offsets of the tokens of each text, up to the model's limit."""
        limit = self._model.get_max_seq_length() or _DEFAULT_MAX_TOKENS
        encoded = self._model.tokenizer(texts, truncation=True, max_length=limit, return_offsets_mapping=True)
        spans: list[list[tuple[int, int]]] = encoded["offset_mapping"]
        return spans

    def _prompt(self, kind: str) -> str:
        """Return the prompt before a text: from the settings, or the model's own."""
        prompt = self._prompts[kind]
        return str(self._model.prompts.get(kind) or "") if prompt is None else prompt


class AdaptedEncoder(SentenceEncoder):
    """A SentenceEncoder whose questions are searched for by an encoder of their own, loaded when it is first needed."""

    def __init__(self, name: str, model: Any, revision: str, engine: str, load_search: LoadEncoder) -> None:
        super().__init__(name, model, revision, engine=engine)
        self._load_search, self._loading = load_search, threading.Lock()
        self._search: SentenceEncoder | None = None

    def encode_search(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode questions to search papers for. Raises ModelError where the question adapter is not usable."""
        with self._loading:
            self._search = self._search or self._load_search()
        return self._search.encode_queries(texts)


def load_embedder(
    name: str,
    cache: Path,
    revision: str | None = None,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    engine: str = engines.EXACT,
) -> SentenceEncoder:
    """Load an embedder: the packaged one, one in a folder, or a model of the hub.

    The directory `cache` records the verified weights and the fastest engine. Raises ModelError where the model is not
    available, the packaged weights are not the published ones, or the engine is missing.
    """
    location, local = locate(name, cache / "embedder.verified")
    from threadpoolctl import threadpool_limits

    # Two thread pools compete on few cores: with numpy's own a search took more than twice as long.
    threadpool_limits(limits=1, user_api="blas")
    load = partial(load_model, name, location, revision, local)
    model = load()
    weights = revision_of(model, name if name == PACKAGED else location, revision)
    engine, model = engines.start(engine, model, load, engines.EngineCache(cache, weights))
    if name == PACKAGED and query_prompt is None and document_prompt is None:
        return AdaptedEncoder(name, model, weights, engine, partial(_load_search, load, cache, engine))
    return SentenceEncoder(name, model, weights, query_prompt, document_prompt, engine)


def _load_search(load: engines.LoadModel, cache: Path, engine: str) -> SentenceEncoder:
    """Load the packaged encoder with the question adapter. Raises ModelError."""
    adapter = load_adapter()
    model = partial(_adapted, load, adapter)
    _, running = engines.start(engine, model(), model, engines.EngineCache(cache, adapter.revision))
    return SentenceEncoder(PACKAGED, running, adapter.revision, engine=engine)


def _adapted(load: engines.LoadModel, adapter: QuestionAdapter) -> Any:
    import torch

    model = load()
    matrices = dict(model[0].model.named_parameters())
    with torch.no_grad():
        for name, change in adapter.changes().items():
            matrices[name] += torch.from_numpy(change).to(matrices[name].device)
    return model


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
