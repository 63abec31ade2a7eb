"""Load the packaged encoder, as it is or changed: without PyTorch unless one of PyTorch's engines is named."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from assistant.embedding import engines, runtimes
from assistant.embedding.engine_choice import EngineCache
from assistant.embedding.packaged_model import PACKAGED, WEIGHTS, locate
from assistant.embedding.packaged_transformer import PackagedTransformer, load_tokenizer
from assistant.embedding.packaged_weights import read_tensors
from assistant.embedding.torch_model import TorchModel, load_changed

if TYPE_CHECKING:
    from assistant.embedding.packaged_weights import Tensors

PackagedEncoder: TypeAlias = PackagedTransformer | TorchModel


def load_packaged(
    engine: str, cache: EngineCache, change: Callable[[Tensors], Tensors] = lambda tensors: tensors
) -> tuple[str, PackagedEncoder]:
    """Return the name of the engine, the fastest for `auto`, and the encoder with its tensors changed, run by it.

    Raises ModelError where the weights are not the published ones or the engine is not available.
    """
    folder = Path(locate(PACKAGED, cache.folder / "embedder.verified")[0])
    tensors = change(read_tensors(folder / WEIGHTS))
    if runtimes.is_runtime(engine):
        transformer = partial(_transformer, folder, tensors)
        engine = runtimes.choose(engine, transformer, cache)
        return engine, transformer(engine)
    load = partial(load_changed, str(folder), tensors)
    engine, model = engines.start(engine, load(), load, cache)
    return engine, TorchModel(model)


def _transformer(folder: Path, tensors: Tensors, engine: str) -> PackagedTransformer:
    return PackagedTransformer(load_tokenizer(folder), tensors, runtimes.load_layers(engine, tensors))
