"""No command reaches another machine, by the system calls of all its threads and child processes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.test_offline import PAPERS, ROOT, clean

# The calls by which a process reaches another machine, and the addresses that are this machine's.
TRACE = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o"]
ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
LOOPBACK = re.compile(r"127\.|::1$")
COMMANDS = (
    ("ingest", str(PAPERS)),
    ("ask", "How well does Goedel-Prover prove theorems?"),
    ("verify", "Goedel-Prover proves theorems in Lean."),
    ("check", "draft.txt"),
    ("sides", "Does Goedel-Prover outperform earlier provers?"),
    ("table", "dataset", "year"),
    ("topics",),
    ("doctor",),
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not shutil.which("strace"), reason="needs strace"),
]


def connections(arguments: list[str], folder: Path) -> list[str]:
    """Run Python under strace, and return the addresses of other machines that it sent anything to."""
    log = folder / "calls"
    environment = clean() | {"HOME": str(folder), "PAPERCHAT_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    traced = [*TRACE, str(log), sys.executable, *arguments]
    done = subprocess.run(traced, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    addresses = ["".join(match) for match in ADDRESS.findall(log.read_text(encoding="utf-8"))]
    return [address for address in addresses if not LOOPBACK.match(address)]


def test_no_command_reaches_another_machine(tmp_path: Path) -> None:
    (tmp_path / "draft.txt").write_text("Goedel-Prover proves theorems in Lean.", encoding="utf-8")
    for command in COMMANDS:
        assert connections(["-m", "ui.cli", *command], tmp_path) == [], command


def test_a_connection_to_another_machine_is_noticed(tmp_path: Path) -> None:
    ask = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 53))"
    assert connections(["-c", ask], tmp_path) == ["192.0.2.1"]
