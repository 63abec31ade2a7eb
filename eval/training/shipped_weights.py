"""Turn a fine-tuned network into the weights that the package ships, and fit the temperatures of its decisions.

Temperature scaling: Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from scipy.optimize import minimize_scalar

from assistant.embedding.fine_tuned import FineTuned

# What a network shares with the packaged encoder, and is not written.
_SHARED = ("word_embeddings", "position_embeddings", "position_ids")


def weights_of(network: Any, temperatures: Mapping[str, float]) -> FineTuned:
    """Return what was trained of a network with an `encoder`; the revision is a hash of the values."""
    tensors = {name: value.detach().float().cpu().numpy() for name, value in network.state_dict().items()}
    encoder = {
        name.removeprefix("encoder."): value
        for name, value in tensors.items()
        if name.startswith("encoder.") and not any(part in name for part in _SHARED)
    }
    heads = {name: value for name, value in tensors.items() if not name.startswith("encoder.")}
    digest = hashlib.sha256(b"".join(tensors[name].tobytes() for name in sorted(tensors)))
    return FineTuned(encoder, heads, temperatures, digest.hexdigest()[:16])


def likeliest_temperature(loss: Callable[[float], Any]) -> float:
    """Return the temperature with the least loss."""
    found = minimize_scalar(lambda scale: float(loss(scale)), bounds=(0.2, 5.0), method="bounded")
    return round(float(found.x), 3)
