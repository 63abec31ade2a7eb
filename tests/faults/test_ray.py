"""Papers encoded on a real Ray cluster of this machine: the same encodings, and workers that are killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from assistant.errors import ModelError
from assistant.schema import Paper
from assistant.settings import Settings
from ingest.encoded.parquet import read_text_digests
from ingest.encoded.ray_cluster import RayWorkers, connected
from ingest.encoded.texts import text_digest
from ingest.encoded.workers import Batch, BatchEncoder, EncodingJob
from tests.encoding import open_killed_once, open_missing, word_hash
from tests.fakes import open_word_hash

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    # Not imported before the command does: Ray reads environment variables then.
    pytest.mark.skipif(not find_spec("ray"), reason="needs Ray: pip install 'paperchat[ray]'"),
    # Ray leaves files and sockets to its processes when it ends, and warns of its own future.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
BATCHES = [Batch(number, (Paper(f"{number:016x}", f"We count {number} sheep."),)) for number in range(6)]


@pytest.fixture(scope="module")
def workers() -> Iterator[RayWorkers]:
    """Yield two workers on a cluster of this machine that all tests share."""
    with pytest.MonkeyPatch.context() as patched:
        # Ray's processes import the tests by name.
        patched.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        with connected("local", 2) as running:
            yield running


def encode(workers: RayWorkers, job: EncodingJob) -> dict[int, bytes]:
    return {batch.number: batch.data for batch in workers.encode(job, BATCHES, len(BATCHES))}


def test_a_cluster_encodes_as_this_process_does(workers: RayWorkers, settings: Settings) -> None:
    job = EncodingJob(word_hash(settings), open_word_hash)
    described = workers.describe(job)
    encoder = BatchEncoder(job)
    assert described == encoder.description
    assert encode(workers, job) == {batch.number: encoder.encode(batch).data for batch in BATCHES}


def test_the_papers_of_a_worker_that_is_killed_are_encoded_by_another(workers: RayWorkers, settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    encoded = encode(workers, EncodingJob(word_hash(settings), open_killed_once))
    assert (settings.home / "killed").exists()
    assert {number: read_text_digests(data, "batch", 64) for number, data in encoded.items()} == {
        batch.number: [text_digest(paper) for paper in batch.papers] for batch in BATCHES
    }


def test_what_a_worker_lacks_is_named(workers: RayWorkers, settings: Settings) -> None:
    with pytest.raises(ModelError, match="there is no such model"):
        workers.describe(EncodingJob(settings, open_missing))


def test_a_cluster_of_this_machine_listens_on_the_loopback_address_only(workers: RayWorkers) -> None:
    processes = psutil.Process(os.getpid()).children(recursive=True)
    listening: set[str] = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # Ray's own helpers come and go
            connections = process.net_connections("inet")
            listening |= {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    assert listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert listening
