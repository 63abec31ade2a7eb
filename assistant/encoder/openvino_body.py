"""A transformer that OpenVINO computes, in the place of PyTorch's: the only home of openvino.

It comes with `paperchat[fast]`. In float32, or in bfloat16 where the processor multiplies it: OpenVINO sees to that.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from assistant.encoder.packaged import first_line
from assistant.errors import ModelError

_BODY = "body.xml"


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


def put_into(model: Any, kept: Path) -> None:
    """Have OpenVINO compute the model's transformer; converted once, it is kept in a directory of this name.

    Raises ModelError where OpenVINO is not installed, or cannot compute this model.
    """
    openvino = _openvino()
    try:
        network = _kept(openvino, kept) or _converted(openvino, model[0].model, kept)
        threads = {"INFERENCE_NUM_THREADS": torch.get_num_threads()}
        compiled = openvino.compile_model(network, "CPU", threads)
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


def _converted(openvino: Any, body: Any, kept: Path) -> Any:
    example = {"input_ids": torch.ones(2, 8, dtype=torch.long), "attention_mask": torch.ones(2, 8, dtype=torch.long)}
    example["attention_mask"][1, 4:] = 0  # or the tracer takes it that there is never a mask
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of branches that it does not follow
        network = openvino.convert_model(_TokenVectors(body), example_input=example)
    with suppress(OSError, RuntimeError):  # what cannot be kept is converted anew next time
        _keep(openvino, network, kept)
    return network


def _keep(openvino: Any, network: Any, folder: Path) -> None:
    """Written whole beside its place, then moved there: another process may be doing the same."""
    shutil.rmtree(folder, ignore_errors=True)  # what lies there could not be read
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        openvino.save_model(network, Path(beside) / "new" / _BODY, compress_to_fp16=False)
        (Path(beside) / "new").rename(folder)
