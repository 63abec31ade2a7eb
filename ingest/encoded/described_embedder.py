"""An embedder that is known by description: its model is loaded when a text is to be encoded, and perhaps never."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assistant.encodings import EncodedText
from assistant.errors import RecipeMismatch
from assistant.protocols import Embedder
from assistant.schema import Recipe


class DescribedEmbedder:
    """An Embedder of the name, revision and dimension that a recipe tells. Not safe to call from several threads.

    Raises RecipeMismatch where the model, once loaded, is another one.
    """

    def __init__(self, recipe: Recipe, max_tokens: int, load: Callable[[], Embedder]) -> None:
        self.name, self.revision, self.engine = recipe.embedder, recipe.revision, recipe.engine
        self.dimension, self.max_tokens = recipe.dimension, max_tokens
        self._load = load
        self._loaded: Embedder | None = None

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, special tokens included, also beyond `max_tokens`."""
        return self._model().count_tokens(texts) if texts else []

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode texts that will be searched."""
        return self._model().encode_documents(texts) if texts else []

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode texts to search with."""
        return self._model().encode_queries(texts) if texts else []

    def _model(self) -> Embedder:
        if self._loaded is None:
            model = self._load()
            for name in ("name", "revision", "dimension", "max_tokens"):
                if getattr(model, name) != getattr(self, name):
                    raise RecipeMismatch(
                        f"the embedder of these settings has {name} {getattr(model, name)!r}, the one that the papers "
                        f"were encoded by has {getattr(self, name)!r}: restore the settings, or run paperchat embed "
                        "again into another directory"
                    )
            self._loaded = model
        return self._loaded
