"""Choose the engine that runs an embedder: the fastest on this machine whose vectors agree with the exact ones."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ModelError

if TYPE_CHECKING:
    from assistant.encodings import Vectors

    # Encodes texts: unit vectors, shape (texts, dimension).
    EncodeSample = Callable[[list[str]], Vectors]

logger = logging.getLogger(__name__)

AUTO, EXACT = "auto", "float32"
# An engine is accepted where the cosine of its vectors with the exact ones is at least this: the ranking then stays
# the same, as docs/experiments.md shows for eight bits, where the lowest cosine of 200 titles and abstracts is 0.9985.
MIN_COSINE = 0.998
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


@dataclass(frozen=True, slots=True)
class EngineCache:
    """The folder that holds the chosen engine and converted models; `revision` identifies the model's weights."""

    folder: Path
    revision: str


def fastest(loads: Mapping[str, Callable[[], EncodeSample]], cache: EngineCache, machine: str) -> str:
    """Return the fastest engine, from the cache unless the machine, the model or a library has changed.

    `loads` prepare the engines, that of `float32` among them; one that is not available raises ModelError. `machine`
    identifies the processor and the versions of the libraries.
    """
    file, key = cache.folder / "embedder.engine", f"{cache.revision}, {machine}, {' '.join(loads)}"
    with suppress(OSError, ValueError, TypeError, KeyError):
        cached = json.loads(file.read_text(encoding="utf-8"))
        if cached["machine"] == key and cached["engine"] in loads:
            logger.debug("engine %s, from the cache", cached["engine"])
            return str(cached["engine"])
    seconds = _benchmark(loads)
    name = min(seconds, key=seconds.__getitem__)
    logger.debug("engine %s, the fastest of %s (seconds)", name, seconds)
    with suppress(OSError):  # without a cache the benchmark runs again next time
        cache.folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"machine": key, "engine": name, "seconds": seconds}), encoding="utf-8")
    return name


def _benchmark(loads: Mapping[str, Callable[[], EncodeSample]]) -> dict[str, float]:
    """Return the seconds that each available engine takes for the same texts, if its vectors are close to exact."""
    exact, best = _time_encoding(loads[EXACT]())
    times = {EXACT: best}
    for name, load in loads.items():
        with suppress(ModelError):
            vectors, seconds = _time_encoding(load(), min(times.values()))
            if _is_close(vectors, exact):
                times[name] = min(seconds, times.get(name, seconds))
    return times


def _time_encoding(encode: EncodeSample, best: float = float("inf")) -> tuple[Vectors, float]:
    """Return the vectors of the sample texts and the shortest time of several runs: other load only adds to it.

    `best` is the time of the fastest engine so far; a much slower one runs only once.
    """
    import numpy as np

    shortest = float("inf")
    for _ in range(_RUNS):
        started = time.perf_counter()
        vectors = np.asarray(encode([_SAMPLE, _SAMPLE[: len(_SAMPLE) // 2]]), dtype=np.float32)
        shortest = min(shortest, time.perf_counter() - started)
        if shortest > _MAX_SLOWDOWN * best:
            break
    return vectors, shortest


def _is_close(vectors: Vectors, exact: Vectors) -> bool:
    return bool(((vectors * exact).sum(axis=1) >= MIN_COSINE).all())
