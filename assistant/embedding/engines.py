"""Engines that run the embedder: PyTorch in several precisions, or OpenVINO. The fastest is chosen by a benchmark.

Which one is fastest depends on the processor: the kernels of `medium` are half as fast again on one processor and
slower on another; bfloat16 is three times as fast where the processor has it, and much slower where it does not.
"""

from __future__ import annotations

import json
import logging
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import ModelError

if TYPE_CHECKING:
    from assistant.encodings import Vectors

logger = logging.getLogger(__name__)

AUTO, EXACT, MEDIUM = "auto", "float32", "medium"
# An engine is accepted where the cosine of its vectors with the exact ones is at least this: the ranking then stays
# the same, as docs/experiments.md shows for eight bits, where the lowest cosine of 200 titles and abstracts is 0.9985.
_MIN_COSINE = 0.998
_RUNS = 4
# An engine this many times slower than the best is not run again.
_MAX_SLOWDOWN = 3
# About as long as an abstract.
_SAMPLE = (
    "A long abstract says what was known before, what was missing, and why that mattered to those who work on it. It "
    "then tells what the authors have built, in two or three sentences that name the method and its parts, and how it "
    "differs from what others did. We collected 14,210 measurements of eleven kinds on three continents, and compared "
    "four models of growing size with the usual baseline. The largest of them lowers the error by 23 % on the tests, "
    "while the smallest needs only a tenth of the time and still does better than what was published last year. An "
    "ablation shows that most of the gain comes from the second stage; without it the figures fall back to those of "
    "the baseline, whatever the size. Finally, we discuss where the approach fails: rare cases, short texts, noisy "
    "labels, and languages that the data do not cover. Code, data and all the trained weights are open to everybody."
)

LoadModel = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class EngineCache:
    """The folder that holds the chosen engine and converted models.

    `revision` identifies the model's weights, `inputs` are the names of what its transformer reads.
    """

    folder: Path
    revision: str
    inputs: tuple[str, ...] = ("input_ids", "attention_mask")


def start(engine: str, model: Any, load_model: LoadModel, cache: EngineCache) -> tuple[str, Any]:
    """Return the name of the engine, the fastest for `auto`, and the model run by it.

    `load_model` loads another instance of the model. Raises ModelError where the engine is not available.
    """
    name = _fastest(load_model, cache) if engine == AUTO else engine
    return name, _prepare(name, model, cache)


def _fastest(load_model: LoadModel, cache: EngineCache) -> str:
    """Return the fastest engine, from the cache unless the machine, the model or a library has changed."""
    file, machine = cache.folder / "embedder.engine", _machine(cache)
    with suppress(OSError, ValueError, TypeError, KeyError):
        cached = json.loads(file.read_text(encoding="utf-8"))
        if cached["machine"] == machine and cached["engine"] in _ENGINES:
            logger.debug("engine %s, from the cache", cached["engine"])
            return str(cached["engine"])
    seconds = _benchmark(load_model, cache)
    name = min(seconds, key=seconds.__getitem__)
    logger.debug("engine %s, the fastest of %s (seconds)", name, seconds)
    with suppress(OSError):  # without a cache the benchmark runs again next time
        cache.folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"machine": machine, "engine": name, "seconds": seconds}), encoding="utf-8")
    return name


def _benchmark(load_model: LoadModel, cache: EngineCache) -> dict[str, float]:
    """Return the seconds that each available engine takes for the same texts, if its vectors are close to exact."""
    exact, best = _time_encoding(_prepare(EXACT, load_model(), cache))
    times = {EXACT: best}
    for name in _ENGINES:
        with suppress(ModelError):
            vectors, seconds = _time_encoding(_prepare(name, load_model(), cache), min(times.values()))
            if _is_close(vectors, exact):
                times[name] = min(seconds, times.get(name, seconds))
    return times


def _time_encoding(model: Any, best: float = float("inf")) -> tuple[Vectors, float]:
    """Return the vectors of the sample texts and the shortest time of several runs: other load only adds to it.

    `best` is the time of the fastest engine so far; a much slower one runs only once.
    """
    shortest = float("inf")
    for _ in range(_RUNS):
        started = time.perf_counter()
        vectors = _encode_sample(model)
        shortest = min(shortest, time.perf_counter() - started)
        if shortest > _MAX_SLOWDOWN * best:
            break
    return vectors, shortest


def _encode_sample(model: Any) -> Vectors:
    import numpy as np

    texts = [_SAMPLE, _SAMPLE[: len(_SAMPLE) // 2]]
    return np.asarray(model.encode(texts, normalize_embeddings=True, show_progress_bar=False), dtype=np.float32)


def _is_close(vectors: Vectors, exact: Vectors) -> bool:
    return bool(((vectors * exact).sum(axis=1) >= _MIN_COSINE).all())


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

    folder = cache.folder / "openvino" / f"{cache.revision} {_version('openvino')}{' int8' if eight_bits else ''}"
    if model.device.type != "cpu":
        raise ModelError(f"openvino does not compute on {model.device.type}: name another engine")
    openvino_body.replace_body(model, folder, cache.inputs, eight_bits)
    return model


_ENGINES: dict[str, Callable[[Any, EngineCache], Any]] = {
    EXACT: _unchanged,
    MEDIUM: _unchanged,
    "bfloat16": _bfloat16,
    "float16": _float16,
    "openvino": _openvino,
    "openvino-int8": _openvino_int8,
}


def _machine(cache: EngineCache) -> str:
    """Return what the result of the benchmark depends on."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no gpu"
    processor = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()} {torch.get_num_threads()} threads"
    libraries = f"torch {_version('torch')}, openvino {_version('openvino')}"
    return f"{cache.revision}, {processor}, {gpu}, {libraries}, {' '.join(_ENGINES)}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
