"""Run the embedder's transformer by OpenVINO instead of PyTorch. The only home of openvino.

OpenVINO comes with `paperchat[fast]`. It computes in float32, or in bfloat16 where the processor supports it; or in
eight bits: the weights are rounded once, with a scale for each row, and the activations in each run, with a scale for
each group. Unlike fixed scales these need no calibration texts, so every library is encoded alike.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.embedding.packaged_model import first_line
from assistant.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BODY = "body.xml"
# Lengths are padded to a multiple of this: for every length that it has not met, OpenVINO prepares its kernels anew,
# which takes longer than a short question itself.
_LENGTH_STEP = 16
# Activations that share a scale: with 32 it is slower and hardly more exact, with 384 not faster and less exact.
_GROUP = 64


class _Body(nn.Module):
    """A compiled transformer, as sentence-transformers calls it: token vectors, shape (texts, tokens, dimension)."""

    def __init__(self, config: Any, compiled: Any) -> None:
        super().__init__()
        self.config = config
        self._inputs = [port.get_any_name() for port in compiled.inputs]
        self._request = compiled.create_infer_request()

    def forward(self, **features: Any) -> Mapping[str, Tensor]:
        length = features["input_ids"].shape[1]
        padding = (0, self._padded(length) - length)
        padded = {name: functional.pad(features[name], padding).numpy() for name in self._inputs}
        outputs = self._request.infer(padded, share_inputs=True)
        return {"last_hidden_state": torch.from_numpy(outputs[0])[:, :length]}

    def _padded(self, length: int) -> int:
        """Return the next multiple of the step, but not more positions than the transformer has."""
        limit = getattr(self.config, "max_position_embeddings", length)
        return max(length, min(length + -length % _LENGTH_STEP, limit))


class _TokenVectors(nn.Module):
    """A transformer whose only output are token vectors, for the conversion."""

    def __init__(self, body: Any, inputs: Sequence[str]) -> None:
        super().__init__()
        self._body, self._inputs = body, inputs

    def forward(self, *tensors: Tensor) -> Tensor:
        vectors: Tensor = self._body(**dict(zip(self._inputs, tensors, strict=True))).last_hidden_state
        return vectors


def replace_body(model: Any, folder: Path, inputs: Sequence[str], eight_bits: bool = False) -> None:
    """Replace the model's transformer by one that OpenVINO runs, converted once and saved in the folder.

    `inputs` are the names of what the transformer reads.

    Raises ModelError where OpenVINO is not installed or does not support the model.
    """
    openvino = _openvino()
    try:
        network = _read(openvino, folder) or _convert(openvino, model[0].model, folder, inputs, eight_bits)
        options = {"INFERENCE_NUM_THREADS": torch.get_num_threads()}
        if eight_bits:
            options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = _GROUP
        compiled = openvino.compile_model(network, "CPU", options)
    except Exception as error:  # OpenVINO raises plain RuntimeErrors, the tracer raises anything
        raise ModelError(f"openvino cannot compute this embedder: {first_line(error)}") from error
    model[0].model = _Body(model[0].model.config, compiled)


def _openvino() -> Any:
    # OpenVINO reports its use over the network unless this module is missing.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise ModelError("openvino is not installed: pip install 'paperchat[fast]'") from error
    return openvino


def _read(openvino: Any, folder: Path) -> Any:
    """Read the network that was converted before; None where it is missing or damaged."""
    with suppress(RuntimeError):
        return openvino.Core().read_model(folder / _BODY)
    return None


def _convert(openvino: Any, body: Any, folder: Path, inputs: Sequence[str], eight_bits: bool) -> Any:
    example = {name: torch.ones(2, 8, dtype=torch.long) for name in inputs}
    example["attention_mask"][1, 4:] = 0  # otherwise the tracer assumes that nothing is masked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns about branches that it does not follow
        network = openvino.convert_model(_TokenVectors(body, inputs), example_input=tuple(example.values()))
    for port, name in zip(network.inputs, inputs, strict=True):
        port.get_tensor().set_names({name})
    if eight_bits:
        _round_weights(openvino, network)
    with suppress(OSError, RuntimeError):  # without a saved network it is converted again next time
        _save(openvino, network, folder)
    return network


def _round_weights(openvino: Any, network: Any) -> None:
    """Round the weights of every matrix product to bytes: the smallest of a row is 0, the largest 255.

    OpenVINO's own tool for this, NNCF, has six dependencies, writes to the terminal and changes Python's logging.
    """
    for product in network.get_ordered_ops():
        if product.get_type_name() == "MatMul" and _is_weights(weights := product.input_value(1).get_node()):
            product.input(1).replace_source_output(_compress(openvino, weights.data).output(0))


def _is_weights(node: Any) -> bool:
    return bool(node.get_type_name() == "Constant" and node.data.ndim == 2)


def _compress(openvino: Any, weights: NDArray[np.float32]) -> Any:
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


def _save(openvino: Any, network: Any, folder: Path) -> None:
    """Save the network beside the folder and move it there: another process may be doing the same."""
    shutil.rmtree(folder, ignore_errors=True)  # its content could not be read
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        openvino.save_model(network, Path(temporary) / "new" / _BODY, compress_to_fp16=False)
        (Path(temporary) / "new").rename(folder)
