"""Worker processes that encode papers: killed, failing, and stopped with the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from assistant.errors import ClusterError, ModelError
from assistant.schema import Paper
from assistant.settings import Settings
from ingest.encoded.parquet import read_text_digests
from ingest.encoded.processes import ProcessWorkers
from ingest.encoded.texts import text_digest
from ingest.encoded.workers import Batch, EncodingJob
from tests.conftest import ROOT
from tests.encoding import open_always_killed, open_killed_once, open_missing, word_hash
from tests.fakes import open_word_hash

pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'paperchat[parquet]'")

BATCHES = [Batch(number, (Paper(f"{number:016x}", f"We count {number} sheep."),)) for number in range(5)]
# Encodes a folder of papers by the word-hash embedder and two processes; run as a script, as a person would.
SCRIPT = """
from pathlib import Path
import sys
from assistant import factory
from assistant.settings import load
from tests.fakes import open_word_hash

if __name__ == "__main__":
    factory.open_embedder = open_word_hash
    from ui.cli import main
    main()
"""


def encode(job: EncodingJob, count: int = 2) -> dict[int, list[bytes]]:
    """Encode the batches, and return the digests of the texts of each by its number."""
    workers = ProcessWorkers(count)
    encoded = list(workers.encode(job, BATCHES, len(BATCHES)))
    assert len(encoded) == len(BATCHES)
    return {batch.number: read_text_digests(batch.data, "batch", 64) for batch in encoded}


def test_the_batches_of_a_worker_that_is_killed_are_encoded_by_another(settings: Settings) -> None:
    expected = {batch.number: [text_digest(paper) for paper in batch.papers] for batch in BATCHES}
    assert encode(EncodingJob(word_hash(settings), open_killed_once)) == expected
    assert (settings.home / "killed").exists()


def test_workers_that_die_again_and_again_end_the_run(settings: Settings) -> None:
    with pytest.raises(ClusterError, match=r"3 worker processes ended one after the other \(exit code -9\)"):
        encode(EncodingJob(settings, open_always_killed), count=1)


def test_a_model_that_no_worker_can_open_is_named(settings: Settings) -> None:
    with pytest.raises(ModelError, match="there is no such model"):
        ProcessWorkers(1).describe(EncodingJob(settings, open_missing))


def test_a_worker_with_another_embedder_than_the_others_is_refused(settings: Settings) -> None:
    described = ProcessWorkers(1).describe(EncodingJob(word_hash(settings), open_word_hash))
    others = word_hash(settings).model_copy(update={"chunk_tokens": 64})
    with pytest.raises(ModelError, match="install the same version there"):
        encode(EncodingJob(others, open_word_hash, described.recipe), count=1)


def start(script: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERCHAT_")}
    return subprocess.Popen(
        [sys.executable, str(script), "--embedder", "word-hash", *arguments],
        env=environment | {"PYTHONPATH": str(ROOT), "PAPERCHAT_HOME": str(script.parent / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_parts(folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the run has encoded something."""
    ends = time.monotonic() + 200
    while not any(folder.glob("*.parquet")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.slow
def test_an_interrupt_is_for_the_command_and_never_for_its_workers_not_even_while_they_start(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "papers.jsonl").write_text('{"title": "T", "abstract": "We count sheep."}\n', encoding="utf-8")
    command = ["embed", str(tmp_path / "papers.jsonl"), "--to", str(tmp_path / "encoded"), "--workers", "2"]
    process = start(script, *command)
    interrupted = set()
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children():
                child.send_signal(signal.SIGINT)
                interrupted.add(child.pid)
        time.sleep(0.01)
    _, err = process.communicate(timeout=200)
    assert (process.returncode, err) == (0, "")
    assert len(interrupted) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl+C"])
def test_a_run_that_is_stopped_goes_on_where_it_was(tmp_path: Path, kill: signal.Signals) -> None:
    script, folder = tmp_path / "run.py", tmp_path / "encoded"
    script.write_text(SCRIPT, encoding="utf-8")
    papers = (f'{{"title": "T{n}", "abstract": "We count {n} sheep, {n + 1} goats."}}\n' for n in range(400))
    (tmp_path / "papers.jsonl").write_text("".join(papers), encoding="utf-8")
    command = ["embed", str(tmp_path / "papers.jsonl"), "--to", str(folder), "--workers", "2"]
    process = start(script, *command)
    wait_for_parts(folder / "encodings", process)
    os.killpg(process.pid, kill) if kill is signal.SIGINT else process.kill()
    _, err = process.communicate(timeout=200)
    if kill is signal.SIGINT:
        assert (process.returncode, err) == (
            130,
            f"Stopped. What was encoded is in {folder}; the same command goes on from there.\n",
        )
    before = {file.name for file in (folder / "encodings").glob("*.parquet")}
    process = start(script, *command)
    out, err = process.communicate(timeout=200)
    assert (process.returncode, err) == (0, "")
    assert before <= {file.name for file in (folder / "encodings").glob("*.parquet")}
    assert "400 records read, 0 skipped: 400 papers with an abstract," in out
    assert "400 of them encoded now" not in out
    process = start(script, "ingest", str(folder))
    out, err = process.communicate(timeout=200)
    assert "The library has 400 papers." in out, err
