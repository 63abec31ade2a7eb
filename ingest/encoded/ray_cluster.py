"""Workers on a Ray cluster, by Ray Data: on its graphics processors where it has some. The only home of Ray.

The papers travel to the workers and the encodings back through Ray, so that the machines need no common file system.
Each of them needs paperchat of the same version. Ray starts a worker that dies again, and gives its batch to another.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assistant.errors import ClusterError, ModelError, PaperchatError, causes
from assistant.schema import Paper
from assistant.settings import default_home
from ingest.encoded import parquet
from ingest.encoded.workers import Batch, BatchEncoder, EmbedderDescription, EncodedBatch, EncodingJob

LOCAL, AUTO = "local", "auto"
_CONNECT_SECONDS = 10
# A cluster of one machine starts in seconds; Ray gives up after 15, which a busy machine may need for its first import.
_ATTEMPTS = 3
_STORE_BYTES = 256 << 20
# Batches that wait at a worker while it encodes another.
_BATCHES_PER_WORKER = 2


class RayWorkers:
    """Workers on a cluster that is connected to. `count` is their number, by default as many as the cluster can run."""

    def __init__(self, count: int | None = None) -> None:
        resources = _ray().cluster_resources()
        self._gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
        self.count = count or self._gpus or max(1, cpus)

    def describe(self, job: EncodingJob) -> EmbedderDescription:
        """Open the embedder on one of the machines, and return its description. Raises ModelError, ClusterError."""
        with _translated_errors():
            task = _ray().remote(_describe).options(**self._resources())
            description: EmbedderDescription = _ray().get(task.remote(job))
        return description

    def encode(self, job: EncodingJob, batches: Iterable[Batch], total: int) -> Iterator[EncodedBatch]:
        """Yield the batches as they are encoded. Raises ModelError, ClusterError."""
        ray = _ray()
        with _translated_errors():
            references = [ray.put(_table(batch)) for batch in batches]
            actors = ray.data.ActorPoolStrategy(
                size=min(self.count, total), max_tasks_in_flight_per_actor=_BATCHES_PER_WORKER
            )
            encoded = ray.data.from_arrow_refs(references).map_batches(
                _RayEncoder, fn_constructor_args=(job,), batch_size=1, compute=actors, **self._resources()
            )
            for row in encoded.iter_rows():
                yield EncodedBatch(int(row["number"]), bytes(row["data"]))

    def _resources(self) -> dict[str, int]:
        return {"num_cpus": 1} | ({"num_gpus": 1} if self._gpus else {})


@contextmanager
def connected(address: str, count: int | None = None) -> Iterator[RayWorkers]:
    """Connect to a cluster and yield its workers; disconnect afterwards.

    `local` starts a cluster of this machine alone, which is reached from here only, and ends with it; `auto` is the
    cluster in RAY_ADDRESS, or such a one. Raises ClusterError where the cluster cannot be reached.
    """
    if address == AUTO:
        address = os.environ.get("RAY_ADDRESS") or LOCAL
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # these are read on import
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    with _private_cluster(count) if address == LOCAL else _cluster(address):
        yield RayWorkers(count)


class _RayEncoder:
    """A worker of Ray Data: the class is instantiated once in each, and called with one batch at a time."""

    def __init__(self, job: EncodingJob) -> None:
        self._encoder = BatchEncoder(_on_this_machine(job))

    def __call__(self, rows: dict[str, Any]) -> dict[str, list[Any]]:
        encoded = [
            self._encoder.encode(Batch(int(number), _papers(papers)))
            for number, papers in zip(rows["number"], rows["papers"], strict=True)
        ]
        return {"number": [batch.number for batch in encoded], "data": [batch.data for batch in encoded]}


def _describe(job: EncodingJob) -> EmbedderDescription:
    return BatchEncoder(_on_this_machine(job)).description


def _on_this_machine(job: EncodingJob) -> EncodingJob:
    """Return the job with a home directory that this machine has: it stores there which engine is the fastest."""
    home = job.settings.home if job.settings.home.is_dir() else default_home()
    changes = {"home": home, "library": None}
    return EncodingJob(job.settings.model_copy(update=changes), job.open_embedder, job.recipe)


def _table(batch: Batch) -> Any:
    papers = json.dumps([[paper.id, paper.title, paper.abstract] for paper in batch.papers])
    return parquet.arrow_table({"number": [batch.number], "papers": [papers]})


def _papers(text: str) -> tuple[Paper, ...]:
    return tuple(Paper(paper_id, abstract, title) for paper_id, title, abstract in json.loads(text))


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    _require_listener(address)
    with _initialized({"address": address}, address, attempts=1):
        yield


@contextmanager
def _private_cluster(count: int | None) -> Iterator[None]:
    """Start a cluster on the loopback address, whose files are deleted afterwards and whose token nobody else has."""
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # what makes Ray use the loopback address, on Linux too
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # otherwise Ray would store one in the user's directory
    folder = tempfile.mkdtemp(prefix="paperchat-ray-", dir=_short_folder())
    options = {
        "address": LOCAL,
        "num_cpus": max(count or 0, os.cpu_count() or 1),
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
        "_temp_dir": folder,
    }
    try:
        with _initialized(options, "a cluster of this machine", _ATTEMPTS):
            yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _initialized(options: dict[str, Any], name: str, attempts: int) -> Iterator[None]:
    ray = _ray()
    quiet = {"log_to_driver": False, "configure_logging": False, "logging_level": logging.ERROR}
    for attempt in range(attempts):
        try:
            ray.init(**options, **quiet)
            break
        except Exception as error:  # Ray's own errors have no common class
            ray.shutdown()
            if attempt + 1 == attempts:
                raise ClusterError(f"Ray cannot use {name}: {_first_line(error)}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _require_listener(address: str) -> None:
    """Raise ClusterError soon where nothing listens at an address: Ray would try for minutes."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise ClusterError(f"{address!r} is not the address of a Ray cluster: --ray takes host:port, auto or local")
    try:
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError as error:
        raise ClusterError(f"no Ray cluster can be reached at {address}: {error.strerror or error}") from error


def _short_folder() -> str | None:
    """Return a folder for Ray's sockets, whose paths may have about 100 characters."""
    return "/tmp" if Path("/tmp").is_dir() else None  # noqa: S108 - a folder of its own is made there


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Raise what failed in a worker as what it was, and Ray's other errors as ClusterError."""
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, RuntimeError, OSError) as error:
        for cause in _all_causes(error):
            if isinstance(cause, PaperchatError):
                raise ModelError(str(cause)) from error
        raise ClusterError(f"the Ray cluster has failed: {_first_line(error)}") from error


def _all_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it came from; an error of a task keeps the original one as its `cause`."""
    for cause in causes(error):
        yield cause
        if isinstance(inner := getattr(cause, "cause", None), BaseException):
            yield from causes(inner)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _ray() -> Any:
    """Return Ray with Ray Data, which write to no terminal. Raises ClusterError where they are not installed."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ClusterError("Ray is not installed: run pip install 'paperchat[ray]'") from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return ray
