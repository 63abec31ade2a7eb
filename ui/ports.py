"""The port that a server listens on."""

from __future__ import annotations

import socket

from assistant.errors import SettingsError

_PORTS_TRIED = 50


def free_port(host: str, first: int) -> int:
    """Return the first free port from this one on; 0 stands for any. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, min(first + _PORTS_TRIED, 65536)):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SettingsError(f"no port from {first} on is free; choose another with --port")
