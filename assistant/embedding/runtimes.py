"""Runtimes that run the packaged transformer without PyTorch: onnxruntime, and OpenVINO where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from assistant.embedding.engine_choice import AUTO, EXACT, EngineCache, fastest
from assistant.embedding.processor import describe, has_graphics_processor, installed

if TYPE_CHECKING:
    from assistant.embedding.packaged_transformer import Layers, PackagedTransformer
    from assistant.embedding.packaged_weights import Tensors
    from assistant.encodings import Vectors


def is_runtime(engine: str) -> bool:
    """Return whether the packaged model is run without PyTorch by this engine.

    Where there is a graphics processor, `auto` is left to PyTorch, which computes on it.
    """
    return engine in _RUNTIMES or (engine == AUTO and not has_graphics_processor())


def choose(engine: str, transformer: Callable[[str], PackagedTransformer], cache: EngineCache) -> str:
    """Return the engine, for `auto` the fastest; `transformer` returns the packaged one run by a runtime."""
    if engine != AUTO:
        return engine
    loads = {name: partial(_sample_encoder, transformer, name) for name in _RUNTIMES}
    libraries = f"onnxruntime {installed('onnxruntime')}, openvino {installed('openvino')}"
    return fastest(loads, cache, f"{describe()}, {libraries}")


def load_layers(engine: str, tensors: Tensors) -> Layers:
    """Return the layers with these weights, run by a runtime. Raises ModelError."""
    return _RUNTIMES[engine](tensors)


def _sample_encoder(transformer: Callable[[str], PackagedTransformer], name: str) -> Callable[[list[str]], Vectors]:
    import numpy as np

    packaged = transformer(name)

    def encode(texts: list[str]) -> Vectors:
        vectors, _ = packaged.embed(texts, "", "document")
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    return encode


def _onnxruntime(tensors: Tensors) -> Layers:
    from assistant.embedding import onnx_layers

    return onnx_layers.load(tensors)


def _openvino(tensors: Tensors) -> Layers:
    from assistant.embedding import openvino_layers

    return openvino_layers.load(tensors)


def _openvino_int8(tensors: Tensors) -> Layers:
    from assistant.embedding import openvino_layers

    return openvino_layers.load(tensors, eight_bits=True)


_RUNTIMES: dict[str, Callable[[Tensors], Layers]] = {
    EXACT: _onnxruntime,
    "openvino": _openvino,
    "openvino-int8": _openvino_int8,
}
