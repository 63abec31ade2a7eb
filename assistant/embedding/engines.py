"""What computes the embedder: PyTorch at one of its precisions, or OpenVINO. The fastest is found by a short race.

Which is fastest depends on the processor: the kernels behind `medium` are half as fast again on one and slower on
another, bfloat16 three times as fast where the processor has it and much slower where it has not.
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
# The vectors of another engine may not lie further from the exact ones than this cosine: the ranking stays, as
# eval/README.md shows of eight bits, whose worst of 200 titles and abstracts lies at 0.9985.
_AGREES = 0.998
_RUNS = 4
_HOPELESS = 3
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

# Gives the model anew, to be changed at will.
Make = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the choice is remembered, and a converted model kept; `revision` tells these weights from others."""

    folder: Path
    revision: str


def start(engine: str, model: Any, make: Make, place: Place) -> tuple[str, Any]:
    """The model, computed from now on by the engine of this name, or for `auto` by the fastest; and the engine's name.

    Raises ModelError where the engine cannot be had.
    """
    name = _chosen(make, place) if engine == AUTO else engine
    return name, _started(name, model, place)


def _chosen(make: Make, place: Place) -> str:
    """The engine that won the last race on this machine; it is run again once the machine or a library has changed."""
    file, machine = place.folder / "embedder.engine", _machine(place)
    with suppress(OSError, ValueError, TypeError, KeyError):
        held = json.loads(file.read_text(encoding="utf-8"))
        if held["machine"] == machine and held["engine"] in _ENGINES:
            logger.debug("engine %s, by an earlier race", held["engine"])
            return str(held["engine"])
    times = _race(make, place)
    name = min(times, key=lambda each: times[each])
    logger.debug("engine %s, the fastest of %s (seconds)", name, times)
    with suppress(OSError):  # what cannot be remembered is found out again next time
        place.folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"machine": machine, "engine": name, "seconds": times}), encoding="utf-8")
    return name


def _race(make: Make, place: Place) -> dict[str, float]:
    """Seconds that each engine takes for the same texts, of those that can be had here and agree with the exact one."""
    wanted, best = _timed(_started(EXACT, make(), place))
    times = {EXACT: best}
    for name in _ENGINES:
        with suppress(ModelError):
            found, seconds = _timed(_started(name, make(), place), min(times.values()))
            if _agrees(found, wanted):
                times[name] = min(seconds, times.get(name, seconds))
    return times


def _timed(model: Any, best: float = float("inf")) -> tuple[Vectors, float]:
    """What the model makes of the sample, and the least time of several: whatever else runs here only adds to it.

    One that takes much longer than the best so far is not asked again.
    """
    least = float("inf")
    for _ in range(_RUNS):
        started = time.perf_counter()
        found = _vectors(model)
        least = min(least, time.perf_counter() - started)
        if least > _HOPELESS * best:
            break
    return found, least


def _vectors(model: Any) -> Vectors:
    import numpy as np

    read = model.encode([_SAMPLE, _SAMPLE[: len(_SAMPLE) // 2]], normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(read, dtype=np.float32)


def _agrees(found: Vectors, wanted: Vectors) -> bool:
    return bool(((found * wanted).sum(axis=1) >= _AGREES).all())


def _started(name: str, model: Any, place: Place) -> Any:
    import torch

    if name not in _ENGINES:
        raise ModelError(f"there is no engine {name!r}: name one of {', '.join([AUTO, *_ENGINES])}")
    # Without matrix units `medium` only takes other kernels, with them its products are less exact.
    torch.set_float32_matmul_precision("medium" if name == MEDIUM else "highest")
    return _ENGINES[name](model, place)


def _as_it_is(model: Any, _: Place) -> Any:
    return model


def _bfloat16(model: Any, _: Place) -> Any:
    return model.bfloat16()


def _float16(model: Any, _: Place) -> Any:
    if model.device.type == "cpu":
        raise ModelError("float16 needs a graphics processor: name another engine")
    return model.half()


def _openvino(model: Any, place: Place) -> Any:
    return _by_openvino(model, place.folder / "openvino" / f"{place.revision} {_version('openvino')}")


def _openvino_int8(model: Any, place: Place) -> Any:
    kept = place.folder / "openvino" / f"{place.revision} {_version('openvino')} int8"
    return _by_openvino(model, kept, eight_bits=True)


def _by_openvino(model: Any, kept: Path, eight_bits: bool = False) -> Any:
    from assistant.embedding import openvino_body

    if model.device.type != "cpu":
        raise ModelError(f"openvino does not compute on {model.device.type}: name another engine")
    openvino_body.put_into(model, kept, eight_bits)
    return model


_ENGINES: dict[str, Callable[[Any, Place], Any]] = {
    EXACT: _as_it_is,
    MEDIUM: _as_it_is,
    "bfloat16": _bfloat16,
    "float16": _float16,
    "openvino": _openvino,
    "openvino-int8": _openvino_int8,
}


def _machine(place: Place) -> str:
    """What the winner of a race depends on."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no gpu"
    processor = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()} {torch.get_num_threads()} threads"
    made = f"torch {_version('torch')}, openvino {_version('openvino')}"
    return f"{place.revision}, {processor}, {gpu}, {made}, {' '.join(_ENGINES)}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
