"""The command `embed`, and `ingest` of what it has written."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from assistant import factory
from tests.conftest import Paperchat
from tests.fakes import open_word_hash

pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'paperchat[parquet]'")


@pytest.fixture
def embed(paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch) -> Paperchat:
    """Return the command, whose worker processes open the word-hash embedder too."""
    monkeypatch.setattr(factory, "open_embedder", open_word_hash)
    return lambda *arguments, **options: paperchat("--embedder", "word-hash", *arguments, **options)


def test_papers_are_encoded_by_processes_and_taken_in(embed: Paperchat, papers_file: Path, tmp_path: Path) -> None:
    run = embed("embed", papers_file, "--to", tmp_path / "encoded", "--workers", 1)
    assert (run.code, run.err) == (0, "")
    assert run.out == (
        "3 records read, 0 skipped: 3 papers with an abstract, 3 of them encoded now. "
        f"Take them in by: paperchat ingest {tmp_path / 'encoded'}\n"
    )
    run = embed("ingest", tmp_path / "encoded")
    assert (run.code, run.err) == (0, "")
    assert "3 papers added" in run.out
    assert "dance" in embed("search", "the dance of bees").out


def test_an_input_that_is_missing_is_named_and_ends_the_command_with_1(embed: Paperchat, tmp_path: Path) -> None:
    run = embed("embed", tmp_path / "missing.bib", "--to", tmp_path / "encoded", "--workers", 1)
    assert (run.code, run.out) == (1, "")
    assert "missing.bib: there is no such file" in run.err


def test_a_cluster_that_cannot_be_reached_is_named_soon(embed: Paperchat, papers_file: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:  # bound, but nobody listens
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
        run = embed("embed", papers_file, "--to", tmp_path / "encoded", "--ray", address)
    assert (run.code, run.err) == (1, f"paperchat: no Ray cluster can be reached at {address}: Connection refused\n")


@pytest.mark.parametrize("address", ["lab", "ray://", "host:port"])
def test_an_address_of_no_cluster_is_named(embed: Paperchat, papers_file: Path, tmp_path: Path, address: str) -> None:
    run = embed("embed", papers_file, "--to", tmp_path / "encoded", "--ray", address)
    assert (run.code, run.out) == (1, "")
    assert f"'{address}' is not the address of a Ray cluster: --ray takes host:port, auto or local" in run.err


def test_encoded_papers_of_another_embedder_are_named(embed: Paperchat, papers_file: Path, tmp_path: Path) -> None:
    embed("embed", papers_file, "--to", tmp_path / "encoded", "--workers", 1)
    run = embed("--embedder", "all-MiniLM-L6-v2", "ingest", tmp_path / "encoded")
    assert (run.code, run.out) == (1, "")
    assert "was encoded by another recipe (embedder 'word-hash', not 'all-MiniLM-L6-v2')" in run.err
