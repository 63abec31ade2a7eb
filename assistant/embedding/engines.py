"""Engines that run a sentence-transformers model: PyTorch in several precisions, or OpenVINO.

Which one is fastest depends on the processor: the kernels of `medium` are half as fast again on one processor and
slower on another; bfloat16 is three times as fast where the processor has it, and much slower where it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from assistant.embedding.engine_choice import AUTO, EXACT, EngineCache, fastest
from assistant.embedding.processor import describe, installed
from assistant.errors import ModelError

if TYPE_CHECKING:
    from assistant.encodings import Vectors

MEDIUM = "medium"

LoadModel = Callable[[], Any]


def start(engine: str, model: Any, load_model: LoadModel, cache: EngineCache) -> tuple[str, Any]:
    """Return the name of the engine, the fastest for `auto`, and the model run by it.

    `load_model` loads another instance of the model. Raises ModelError where the engine is not available.
    """
    if engine == AUTO:
        loads = {name: partial(_sample_encoder, name, load_model, cache) for name in _ENGINES}
        engine = fastest(loads, cache, _machine())
    return engine, _prepare(engine, model, cache)


def _sample_encoder(name: str, load_model: LoadModel, cache: EngineCache) -> Callable[[list[str]], Vectors]:
    model = _prepare(name, load_model(), cache)
    return partial(model.encode, normalize_embeddings=True, show_progress_bar=False)


def _prepare(name: str, model: Any, cache: EngineCache) -> Any:
    import torch

    if name not in _ENGINES:
        raise ModelError(f"there is no engine {name!r}: name one of {', '.join([AUTO, *_ENGINES])}")
    # On processors without matrix units `medium` only selects other kernels; with them its products are less exact.
    torch.set_float32_matmul_precision("medium" if name == MEDIUM else "highest")
    return _ENGINES[name](model, cache)


def _unchanged(model: Any, _: EngineCache) -> Any:
    return model


def _bfloat16(model: Any, _: EngineCache) -> Any:
    return model.bfloat16()


def _float16(model: Any, _: EngineCache) -> Any:
    if model.device.type == "cpu":
        raise ModelError("float16 needs a graphics processor: name another engine")
    return model.half()


def _openvino(model: Any, cache: EngineCache) -> Any:
    return _run_by_openvino(model, cache)


def _openvino_int8(model: Any, cache: EngineCache) -> Any:
    return _run_by_openvino(model, cache, eight_bits=True)


def _run_by_openvino(model: Any, cache: EngineCache, eight_bits: bool = False) -> Any:
    from assistant.embedding import openvino_body

    folder = cache.folder / "openvino" / f"{cache.revision} {installed('openvino')}{' int8' if eight_bits else ''}"
    if model.device.type != "cpu":
        raise ModelError(f"openvino does not compute on {model.device.type}: name another engine")
    openvino_body.replace_body(model, folder, eight_bits)
    return model


_ENGINES: dict[str, Callable[[Any, EngineCache], Any]] = {
    EXACT: _unchanged,
    MEDIUM: _unchanged,
    "bfloat16": _bfloat16,
    "float16": _float16,
    "openvino": _openvino,
    "openvino-int8": _openvino_int8,
}


def _machine() -> str:
    """Return what the result of the benchmark depends on, besides the model."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no gpu"
    return f"{describe()}, {gpu}, torch {installed('torch')}, openvino {installed('openvino')}"
