"""A transformer that OpenVINO computes, in the place of PyTorch's: the only home of openvino.

It comes with `paperchat[fast]`. In float32, or in bfloat16 where the processor multiplies it: OpenVINO sees to that.
Or in eight bits: the weights are rounded once, each row by its own scale, and what is multiplied with them when it is
computed, in groups with a scale each. Unlike fixed scales it needs no texts to learn from: every library is read alike.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from assistant.embedding.packaged_model import first_line
from assistant.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BODY = "body.xml"
# So many activations share a scale: with 32 it is no more exact by much and slower, with 384 no faster and less exact.
_GROUP = 64


class _Body(nn.Module):
    """What sentence-transformers asks of a transformer: token vectors, shape (texts, tokens, dimension)."""

    def __init__(self, config: Any, compiled: Any) -> None:
        super().__init__()
        self.config = config
        self._inputs = [each.get_any_name() for each in compiled.inputs]
        self._request = compiled.create_infer_request()

    def forward(self, **features: Any) -> Mapping[str, Tensor]:
        found = self._request.infer({name: features[name].numpy() for name in self._inputs}, share_inputs=True)
        return {"last_hidden_state": torch.from_numpy(found[0])}


class _TokenVectors(nn.Module):
    """A transformer that gives nothing but its token vectors, to be converted."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self._body = body

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        found: Tensor = self._body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return found


def put_into(model: Any, kept: Path, eight_bits: bool = False) -> None:
    """Have OpenVINO compute the model's transformer; converted once, it is kept in a directory of this name.

    Raises ModelError where OpenVINO is not installed, or cannot compute this model.
    """
    openvino = _openvino()
    try:
        network = _kept(openvino, kept) or _converted(openvino, model[0].model, kept, eight_bits)
        options = {"INFERENCE_NUM_THREADS": torch.get_num_threads()}
        if eight_bits:
            options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = _GROUP
        compiled = openvino.compile_model(network, "CPU", options)
    except Exception as error:  # its own errors are plain RuntimeErrors, those of the tracer anything
        raise ModelError(f"openvino cannot compute this embedder: {first_line(error)}") from error
    model[0].model = _Body(model[0].model.config, compiled)


def _openvino() -> Any:
    # It would report its use to its makers; without the module that does so it does not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise ModelError("openvino is not installed: pip install 'paperchat[fast]'") from error
    return openvino


def _kept(openvino: Any, folder: Path) -> Any:
    """What was converted before; None where there is nothing that can be read."""
    with suppress(RuntimeError):
        return openvino.Core().read_model(folder / _BODY)
    return None


def _converted(openvino: Any, body: Any, kept: Path, eight_bits: bool) -> Any:
    example = {"input_ids": torch.ones(2, 8, dtype=torch.long), "attention_mask": torch.ones(2, 8, dtype=torch.long)}
    example["attention_mask"][1, 4:] = 0  # or the tracer takes it that there is never a mask
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of branches that it does not follow
        network = openvino.convert_model(_TokenVectors(body), example_input=example)
    if eight_bits:
        _round_weights(openvino, network)
    with suppress(OSError, RuntimeError):  # what cannot be kept is converted anew next time
        _keep(openvino, network, kept)
    return network


def _round_weights(openvino: Any, network: Any) -> None:
    """Hold the weights of every product as bytes: a row's smallest is 0 and its largest 255.

    OpenVINO's own tool for it, NNCF, brings six packages, writes to the terminal and changes Python's logging.
    """
    for product in network.get_ordered_ops():
        if product.get_type_name() == "MatMul" and _is_weights(weights := product.input_value(1).get_node()):
            product.input(1).replace_source_output(_as_bytes(openvino, weights.data).output(0))


def _is_weights(node: Any) -> bool:
    return bool(node.get_type_name() == "Constant" and node.data.ndim == 2)


def _as_bytes(openvino: Any, weights: NDArray[np.float32]) -> Any:
    """What OpenVINO takes for compressed weights: (bytes - what stands for zero) * scale."""
    make, wide = openvino.opset16, openvino.Type.f32
    lowest = np.minimum(weights.min(axis=1, keepdims=True), 0)
    scale = (np.maximum(weights.max(axis=1, keepdims=True), 0) - lowest) / 255
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    zero = np.round(-lowest / scale)
    rounded = np.clip(np.round(weights / scale) + zero, 0, 255)
    centred = make.subtract(
        make.convert(make.constant(rounded.astype(np.uint8)), wide),
        make.convert(make.constant(zero.astype(np.uint8)), wide),
    )
    return make.multiply(centred, make.constant(scale))


def _keep(openvino: Any, network: Any, folder: Path) -> None:
    """Written whole beside its place, then moved there: another process may be doing the same."""
    shutil.rmtree(folder, ignore_errors=True)  # what lies there could not be read
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        openvino.save_model(network, Path(beside) / "new" / _BODY, compress_to_fp16=False)
        (Path(beside) / "new").rename(folder)
