"""Run the transformer of a sentence-transformers model by OpenVINO instead of PyTorch: converted once, and saved."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.embedding.openvino_layers import GROUP, LENGTH_STEP, import_openvino, round_weights
from assistant.embedding.packaged_model import first_line
from assistant.errors import ModelError

_BODY = "body.xml"
# What a transformer reads.
_INPUTS = ("input_ids", "attention_mask")


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
        return max(length, min(length + -length % LENGTH_STEP, limit))


class _TokenVectors(nn.Module):
    """A transformer whose only output are token vectors, for the conversion."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self._body = body

    def forward(self, *tensors: Tensor) -> Tensor:
        vectors: Tensor = self._body(**dict(zip(_INPUTS, tensors, strict=True))).last_hidden_state
        return vectors


def replace_body(model: Any, folder: Path, eight_bits: bool = False) -> None:
    """Replace the model's transformer by one that OpenVINO runs, converted once and saved in the folder.

    Raises ModelError where OpenVINO is not installed or does not support the model.
    """
    openvino = import_openvino()
    try:
        network = _read(openvino, folder) or _convert(openvino, model[0].model, folder, eight_bits)
        options = {"INFERENCE_NUM_THREADS": torch.get_num_threads()}
        if eight_bits:
            options["DYNAMIC_QUANTIZATIONGROUP_SIZE"] = GROUP
        compiled = openvino.compile_model(network, "CPU", options)
    except Exception as error:  # OpenVINO raises plain RuntimeErrors, the tracer raises anything
        raise ModelError(f"openvino cannot compute this embedder: {first_line(error)}") from error
    model[0].model = _Body(model[0].model.config, compiled)


def _read(openvino: Any, folder: Path) -> Any:
    """Read the network that was converted before; None where it is missing or damaged."""
    with suppress(RuntimeError):
        return openvino.Core().read_model(folder / _BODY)
    return None


def _convert(openvino: Any, body: Any, folder: Path, eight_bits: bool) -> Any:
    example = {name: torch.ones(2, 8, dtype=torch.long) for name in _INPUTS}
    example["attention_mask"][1, 4:] = 0  # otherwise the tracer assumes that nothing is masked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns about branches that it does not follow
        network = openvino.convert_model(_TokenVectors(body), example_input=tuple(example.values()))
    for port, name in zip(network.inputs, _INPUTS, strict=True):
        port.get_tensor().set_names({name})
    if eight_bits:
        round_weights(openvino, network)
    with suppress(OSError, RuntimeError):  # without a saved network it is converted again next time
        _save(openvino, network, folder)
    return network


def _save(openvino: Any, network: Any, folder: Path) -> None:
    """Save the network beside the folder and move it there: another process may be doing the same."""
    shutil.rmtree(folder, ignore_errors=True)  # its content could not be read
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        openvino.save_model(network, Path(temporary) / "new" / _BODY, compress_to_fp16=False)
        (Path(temporary) / "new").rename(folder)
