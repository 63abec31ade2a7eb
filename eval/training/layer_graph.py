"""Make the graph by which onnxruntime computes a layer of the packaged encoder: `python -m eval.training.layer_graph`.

It uses onnxruntime's own operators of BERT, which compute what the standard ones do in fewer passes over memory. All
weights are inputs, in the layout that PyTorch stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onnx import NodeProto, TensorProto, helper

from assistant.embedding.onnx_layers import GRAPH, PARTS, PROJECTION_BIAS, PROJECTIONS
from assistant.embedding.packaged_weights import EPSILON, HEADS
from eval.training import command

_RUNTIME = "com.microsoft"
# The oldest versions that have every operator.
_IR_VERSION, _OPSET = 8, 17
_OUT, _NORM, _UP, _DOWN, _LAST_NORM = PARTS


def main(file: Path = GRAPH) -> None:
    """Write the graph."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(graph())


def graph() -> bytes:
    """Return the graph of a layer, in ONNX: vectors, mask and weights to vectors."""
    made = helper.make_graph(_nodes(), "layer", _inputs(), [_vectors("output")])
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_RUNTIME, 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=_IR_VERSION)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _nodes() -> list[NodeProto]:
    projections = [_product("input", name) for name in PROJECTIONS]
    attention = [*PROJECTIONS, PROJECTION_BIAS, "mask"]
    return [
        *projections,
        _node("MultiHeadAttention", attention, "mixed", num_heads=HEADS),
        _product("mixed", _OUT),
        _residual(_NORM, _OUT, "input", "attended"),
        _product("attended", _UP),
        _node("BiasGelu", [_UP, f"{_UP}.bias"], "inner"),
        _product("inner", _DOWN),
        _residual(_LAST_NORM, _DOWN, "attended", "output"),
    ]


def _product(vectors: str, name: str) -> NodeProto:
    return _node("FusedMatMul", [vectors, f"{name}.weight"], name, transB=1)


def _residual(norm: str, product: str, vectors: str, output: str) -> NodeProto:
    """Return the norm of a product, its bias and the vectors that went into it."""
    inputs = [product, vectors, f"{norm}.weight", f"{norm}.bias", f"{product}.bias"]
    return _node("SkipLayerNormalization", inputs, output, epsilon=EPSILON)


def _node(operator: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(operator, inputs, [output], domain=_RUNTIME, **attributes)


def _inputs() -> list[Any]:
    matrices = [f"{name}.weight" for name in (*PROJECTIONS, _OUT, _UP, _DOWN)]
    vectors = [
        PROJECTION_BIAS,
        *(f"{name}.bias" for name in PARTS),
        *(f"{name}.weight" for name in (_NORM, _LAST_NORM)),
    ]
    return [
        _vectors("input"),
        helper.make_tensor_value_info("mask", TensorProto.INT32, ["sequences", "pieces"]),
        *(_tensor(name, [None, None]) for name in matrices),
        *(_tensor(name, [None]) for name in vectors),
    ]


def _vectors(name: str) -> Any:
    return _tensor(name, ["sequences", "pieces", "dimension"])


def _tensor(name: str, shape: Sequence[str | None]) -> Any:
    """Return the description of a tensor; every size is left open."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


if __name__ == "__main__":
    command.run(main)
