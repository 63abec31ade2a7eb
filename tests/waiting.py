"""Wait for what another thread or process brings about."""

from __future__ import annotations

import time
from collections.abc import Callable

_PATIENCE = 60.0
_PAUSE = 0.02


def wait_until(condition: Callable[[], object], patience: float = _PATIENCE) -> None:
    """Return once the condition holds; fail after `patience` seconds."""
    ends = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < ends, "it has not come about"
        time.sleep(_PAUSE)
