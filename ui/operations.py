"""What all parts of one server share for those who run it: its lifecycle and its metrics."""

from __future__ import annotations

from dataclasses import dataclass, field

from ui.lifecycle import Lifecycle
from ui.metrics import ServerMetrics


@dataclass(frozen=True, slots=True)
class Operations:
    """The lifecycle and the metrics of a server."""

    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    metrics: ServerMetrics = field(default_factory=ServerMetrics)
