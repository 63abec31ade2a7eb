"""Run the layers of the packaged encoder by onnxruntime, in single precision. The only home of onnxruntime.

The package has the graph of one layer, whose weights are inputs. So one session serves every layer of every encoder,
nothing is converted or stored on a person's machine, and weights that are mapped from a file are not copied.
`eval/training/layer_graph.py` makes the graph.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.embedding.packaged_model import first_line
from assistant.embedding.packaged_weights import layer_count
from assistant.embedding.processor import thread_count
from assistant.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.embedding.packaged_transformer import Layers
    from assistant.embedding.packaged_weights import Tensors
    from assistant.encodings import Vectors

GRAPH = Path(__file__).parent / "weights" / "layer.onnx"
# The projections of attention, whose biases the graph takes as one, and the other parts of a layer, which have a weight
# and a bias each; the names are those of the weights.
PROJECTIONS = tuple(f"attention.self.{name}" for name in ("query", "key", "value"))
PROJECTION_BIAS = "attention.self.bias"
PARTS = (
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)
_FLOAT = 1  # the number of the element type in ONNX


def load(tensors: Tensors) -> Layers:
    """Return the layers with these weights. Raises ModelError where onnxruntime cannot compute them."""
    session = _session(thread_count())
    runtime = _import_onnxruntime()
    weights = [
        {name: runtime.OrtValue.ortvalue_from_numpy_with_onnx_type(value, _FLOAT) for name, value in layer.items()}
        for layer in layer_weights(tensors)
    ]

    def layers(embeddings: Vectors, mask: Vectors) -> Vectors:
        vectors = runtime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(embeddings, dtype=np.float32))
        masked = runtime.OrtValue.ortvalue_from_numpy(mask.astype(np.int32))
        for layer in weights:
            (vectors,) = session.run_with_ort_values(None, {**layer, "input": vectors, "mask": masked})
        output: Vectors = vectors.numpy()
        return output

    return layers


def layer_weights(tensors: Tensors) -> list[Mapping[str, NDArray[np.float32]]]:
    """Return the weights of each layer by the names that they have in the graph."""
    names = [f"{name}.weight" for name in PROJECTIONS] + [
        f"{name}.{kind}" for name in PARTS for kind in ("weight", "bias")
    ]
    layers: list[Mapping[str, NDArray[np.float32]]] = []
    for number in range(layer_count(tensors)):
        prefix = f"encoder.layer.{number}."
        bias = np.concatenate([tensors[f"{prefix}{name}.bias"] for name in PROJECTIONS])
        weights = {name: np.ascontiguousarray(tensors[prefix + name]) for name in names}
        layers.append({**weights, PROJECTION_BIAS: bias})
    return layers


@cache
def _session(threads: int) -> Any:
    """Return the session of the graph, one for all encoders. Raises ModelError."""
    runtime = _import_onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Otherwise its threads would compete after every call with whatever is computed next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return runtime.InferenceSession(str(GRAPH), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class
        raise ModelError(f"onnxruntime cannot read {GRAPH}: {first_line(error)}") from error


def _import_onnxruntime() -> Any:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it is read on import
    import onnxruntime

    return onnxruntime
