"""Run the layers of the packaged encoder by OpenVINO: built from the weights in memory, by its own operations.

OpenVINO comes with `paperchat[fast]`. It computes in float32, or in bfloat16 where the processor supports it; or in
eight bits: the weights are rounded once, with a scale for each row, and the activations in each run, with a scale for
each group. Unlike fixed scales these need no calibration texts, so every library is encoded alike.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.embedding.packaged_model import first_line
from assistant.embedding.packaged_weights import EPSILON, HEADS, layer_count
from assistant.embedding.processor import thread_count
from assistant.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.embedding.packaged_transformer import Layers
    from assistant.embedding.packaged_weights import Tensors
    from assistant.encodings import Vectors

# Lengths are padded to a multiple of this: for every length that it has not met, OpenVINO prepares its kernels anew,
# which takes longer than a short question itself.
LENGTH_STEP = 16
# Activations that share a scale: with 32 it is slower and hardly more exact, with 384 not faster and less exact.
GROUP = 64
# Added to the scores of attention at padding.
_MASKED = -1e9


def load(tensors: Tensors, eight_bits: bool = False) -> Layers:
    """Return the layers with these weights. Raises ModelError where OpenVINO is not installed or fails."""
    openvino = import_openvino()
    options = {"INFERENCE_NUM_THREADS": thread_count()}
    if eight_bits:
        options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = GROUP
    try:
        network = _Builder(openvino, tensors).network()
        if eight_bits:
            round_weights(openvino, network)
        compiled = openvino.compile_model(network, "CPU", options)
    except Exception as error:  # OpenVINO raises plain RuntimeErrors
        raise ModelError(f"openvino cannot compute this embedder: {first_line(error)}") from error
    mapped = [value for value in tensors.values() if isinstance(value, np.memmap)]
    return _layers_of(compiled.create_infer_request(), mapped)


def import_openvino() -> Any:
    """Return the module. Raises ModelError where it is not installed."""
    # OpenVINO reports its use over the network unless this module is missing.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise ModelError("openvino is not installed: pip install 'paperchat[fast]'") from error
    return openvino


def round_weights(openvino: Any, network: Any) -> None:
    """Round the weights of every matrix product to bytes: the smallest of a row is 0, the largest 255.

    OpenVINO's own tool for this, NNCF, has six dependencies, writes to the terminal and changes Python's logging.
    """
    for product in network.get_ordered_ops():
        if product.get_type_name() == "MatMul" and _is_weights(weights := product.input_value(1).get_node()):
            product.input(1).replace_source_output(compressed(openvino, weights.data).output(0))


def compressed(openvino: Any, weights: NDArray[np.float32]) -> Any:
    """Return the weights as OpenVINO expects compressed ones: (bytes - zero point) * scale."""
    make, wide = openvino.opset16, openvino.Type.f32
    lowest = np.minimum(weights.min(axis=1, keepdims=True), 0)
    scale = (np.maximum(weights.max(axis=1, keepdims=True), 0) - lowest) / 255
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    zero_point = np.round(-lowest / scale)
    rounded = np.clip(np.round(weights / scale) + zero_point, 0, 255)
    centred = make.subtract(
        make.convert(make.constant(rounded.astype(np.uint8)), wide),
        make.convert(make.constant(zero_point.astype(np.uint8)), wide),
    )
    return make.multiply(centred, make.constant(scale))


class _Builder:
    """Builds the network of an encoder by OpenVINO's operations."""

    def __init__(self, openvino: Any, tensors: Tensors) -> None:
        self._openvino, self._make, self._tensors = openvino, openvino.opset16, tensors
        width = tensors["encoder.layer.0.output.dense.bias"].shape[0]
        self._by_head = self._integers(0, 0, HEADS, width // HEADS)
        self._joined, self._swapped = self._integers(0, 0, width), self._integers(0, 2, 1, 3)
        self._width = width

    def network(self) -> Any:
        """Return the network of embeddings, shape (sequences, pieces, dimension), and mask to token vectors."""
        make, single = self._make, self._openvino.Type.f32
        embeddings, mask = make.parameter([-1, -1, self._width], single), make.parameter([-1, -1], single)
        # 0 at a piece and far below at padding, shape (sequences, 1, 1, pieces).
        hidden_pieces = make.multiply(make.subtract(self._number(1.0), mask), self._number(_MASKED))
        bias = make.unsqueeze(hidden_pieces, self._integers(1, 2))
        vectors = embeddings
        for number in range(layer_count(self._tensors)):
            vectors = self._layer(f"encoder.layer.{number}.", vectors, bias)
        return self._openvino.Model([vectors.output(0)], [embeddings, mask], "encoder")

    def _layer(self, name: str, vectors: Any, bias: Any) -> Any:
        make, attention = self._make, f"{name}attention."
        parts = [self._heads(f"{attention}self.{part}", vectors) for part in ("query", "key", "value")]
        mixed = make.transpose(make.scaled_dot_product_attention(*parts, bias), self._swapped)
        attended = self._linear(f"{attention}output.dense", make.reshape(mixed, self._joined, True))
        vectors = self._norm(f"{attention}output.LayerNorm", make.add(attended, vectors))
        inner = make.gelu(self._linear(f"{name}intermediate.dense", vectors), "erf")
        return self._norm(f"{name}output.LayerNorm", make.add(self._linear(f"{name}output.dense", inner), vectors))

    def _heads(self, name: str, vectors: Any) -> Any:
        """Return a projection by head, shape (sequences, heads, pieces, dimension of a head)."""
        return self._make.transpose(self._make.reshape(self._linear(name, vectors), self._by_head, True), self._swapped)

    def _linear(self, name: str, vectors: Any) -> Any:
        product = self._make.matmul(vectors, self._weight(f"{name}.weight"), False, True)
        return self._make.add(product, self._weight(f"{name}.bias"))

    def _norm(self, name: str, vectors: Any) -> Any:
        normalized = self._make.mvn(vectors, self._integers(-1), True, EPSILON, "inside_sqrt")
        return self._make.add(
            self._make.multiply(normalized, self._weight(f"{name}.weight")), self._weight(f"{name}.bias")
        )

    def _weight(self, name: str) -> Any:
        """Return a constant; what is mapped from a file is not copied."""
        value = self._tensors[name]
        return self._make.constant(value, shared_memory=isinstance(value, np.memmap))

    def _integers(self, *values: int) -> Any:
        return self._make.constant(np.array(values))

    def _number(self, value: float) -> Any:
        return self._make.constant(np.float32(value))


def _layers_of(request: Any, shared: Sequence[Vectors]) -> Layers:
    """Return a call of the request; it holds on to the arrays of which the network shares the memory."""

    def layers(embeddings: Vectors, mask: Vectors, _shared: Sequence[Vectors] = shared) -> Vectors:
        length = mask.shape[1]
        padding = (0, -length % LENGTH_STEP)
        inputs = [np.pad(embeddings, ((0, 0), padding, (0, 0))), np.pad(mask, ((0, 0), padding))]
        vectors: Vectors = request.infer(inputs, share_inputs=True)[0]
        return vectors[:, :length]

    return layers


def _is_weights(node: Any) -> bool:
    return bool(node.get_type_name() == "Constant" and node.data.ndim == 2)
