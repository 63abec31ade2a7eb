"""Try an installed paperchat as a new user would: python .ci/smoke.py PATH/TO/paperchat VERSION.

The sample library is ingested and asked in the terminal; then the page and the API are served, asked and stopped.
Needs the standard library alone, reaches no other machine, and leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

QUESTION = "What do papers here say about learning rate warmup?"
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


def main(command: str, version: str) -> None:
    """Run every step; a step that fails ends the program with a message."""
    with tempfile.TemporaryDirectory() as folder:
        paperchat = Installed(command, Path(folder))
        check(paperchat.run("--version") == f"paperchat {version}\n", "the version is another one")
        check("no paper yet" in paperchat.run("ask", QUESTION), "a new library is not empty")
        check("278 papers added" in paperchat.run("ingest", "--sample"), "the sample library was not added")
        answer = json.loads(paperchat.run("ask", "--json", QUESTION))
        check(answer["answered"] and answer["citations"], "the question was not answered with a citation")
        paperchat.serve()
    print(f"paperchat {version} installs, ingests, answers, serves and stops")


def check(condition: object, complaint: str) -> None:
    """End the program with the complaint unless the condition holds."""
    if not condition:
        sys.exit(f"smoke test: {complaint}")


class Installed:
    """An installed command with a home of its own, run away from any checkout."""

    def __init__(self, command: str, folder: Path) -> None:
        """Take the path of the command, and a folder that is empty."""
        self._command, self._folder = str(Path(command).absolute()), folder
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PAPERCHAT_", "PYTHON"))}
        self._environment = inherited | {"PAPERCHAT_HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1"}

    def run(self, *arguments: str) -> str:
        """Return what the command prints; end the program where it fails."""
        done = subprocess.run(
            [self._command, *arguments], cwd=self._folder, env=self._environment, capture_output=True, text=True
        )
        check(done.returncode == 0, f"paperchat {' '.join(arguments)} failed: {done.stderr}")
        return done.stdout

    def serve(self) -> None:
        """Serve at a free port, fetch the page, ask the API, and stop the server as Ctrl+C does."""
        process = subprocess.Popen(
            [self._command, "serve", "--port", "0"],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            # A shell may start programs in the background with the interrupt ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            address = served_address(process)
            check("paperchat" in fetch(address), "the page does not come")
            answer = json.loads(fetch(f"{address}/api/v1/ask", {"question": QUESTION}))
            check(answer["answered"] and answer["citations"], "the API did not answer with a citation")
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
        finally:
            process.kill()


def served_address(process: subprocess.Popen[str]) -> str:
    """Return the address that the server prints; end the program where it ends without one."""
    for line in process.stdout or ():
        if match := _ADDRESS.search(line):
            return match[0]
    sys.exit("smoke test: the server ended without an address")


def fetch(address: str, body: object = None) -> str:
    """Return the reply of the server to a GET, or to a POST of JSON."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(address, data, {"Content-Type": "application/json"}), timeout=300) as reply:
        return str(reply.read().decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
