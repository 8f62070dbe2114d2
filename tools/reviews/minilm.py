"""Lay out all-MiniLM-L6-v2 as an ONNX graph that multiplies in 8-bit integers.

A matrix of weights has one scale a column, an activation one scale a token: `x W = s (q Q) S` with
integers q and Q (dynamic quantisation per token, as in Yao et al., ZeroQuant, NeurIPS 2022). Sums
of integers are exact, and no scale is shared by two tokens, so that a text's numbers do not depend
on what else is computed with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

LAYERS, HEADS, DIM = 6, 12, 384
INPUT, OUTPUT = "embedded", "hidden"
SLOWER = ("SkipLayerNormFusion",)
"""The optimisers of onnxruntime to leave out: this one makes the sums of a layer 4 times slower."""

_EPSILON = 1e-12  # of the layer normalisation
_TOP = 127  # the largest integer on either side of zero
_OFFSET = 128  # activations are stored as unsigned integers, for which processors have a product
_OPSET, _IR = 17, 8
_FUSED = {"MatMulIntegerToFloat", "MultiHeadAttention", "BiasGelu"}

Weights = Mapping[str, NDArray[np.float32]]


def layout(weights: Weights) -> bytes:
    """Return the serialised graph from embedded tokens to hidden states, both (texts, tokens, 384).

    weights: by the names of Hugging Face's `BertModel`. The texts of a call have as many tokens
    each: there is no mask.
    """
    return _Graph(weights).serialised()


class _Graph:
    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._flat = self._constant(np.array([-1, DIM]))
        self._column = self._constant(np.array([1]))
        self._one = self._constant(np.float32(1))
        self._offset = self._constant(np.uint8(_OFFSET))
        self._step = self._constant(np.float32(1 / _TOP))
        self._least = self._constant(np.float32(1e-12))

    def serialised(self) -> bytes:
        from onnx import TensorProto, helper

        shape = self._add("Shape", INPUT)
        rows = self._add("Reshape", INPUT, self._flat)  # a row a token
        x = self._normalised(rows, "embeddings.LayerNorm")
        offset = helper.make_tensor("offset", TensorProto.UINT8, [1], [_OFFSET])
        tokens = self._add("Shape", x, start=0, end=1)
        self._offsets = self._add("ConstantOfShape", tokens, value=offset)
        for number in range(LAYERS):
            x = self._layer(x, f"encoder.layer.{number}.", shape)
        self._nodes.append(helper.make_node("Reshape", [x, shape], [OUTPUT]))
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["texts", "tokens", DIM])
            for name in (INPUT, OUTPUT)
        ]
        graph = helper.make_graph(self._nodes, "minilm", ends[:1], ends[1:], self._constants)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR)
        return bytes(model.SerializeToString())

    def _layer(self, x: str, layer: str, shape: str) -> str:
        """Add self-attention and the two dense layers, each with what it skips."""
        attention = [f"{layer}attention.self.{name}" for name in ("query", "key", "value")]
        quantised = self._quantised(x)
        heads = [self._add("Reshape", self._dense(quantised, name), shape) for name in attention]
        bias = self._constant(np.concatenate([self._weights[f"{n}.bias"] for n in attention]))
        mixed = self._add("MultiHeadAttention", *heads, bias, num_heads=HEADS)
        mixed = self._add("Reshape", mixed, self._flat)
        x = self._skip(x, mixed, f"{layer}attention.output.")
        wide = self._dense(self._quantised(x), f"{layer}intermediate.dense")
        wide = self._add("BiasGelu", wide, *self._named(f"{layer}intermediate.dense", "bias"))
        return self._skip(x, wide, f"{layer}output.")

    def _skip(self, x: str, inner: str, name: str) -> str:
        added = self._dense(self._quantised(inner), f"{name}dense")
        added = self._add("Add", added, *self._named(f"{name}dense", "bias"))
        return self._normalised(self._add("Add", x, added), f"{name}LayerNorm")

    def _normalised(self, x: str, name: str) -> str:
        norm = self._named(name, "weight", "bias")
        return self._add("LayerNormalization", x, *norm, epsilon=_EPSILON)

    def _quantised(self, x: str) -> tuple[str, str]:
        """Return the integers of (tokens, n), and the scales, (tokens, 1)."""
        largest = self._add("ReduceMax", self._add("Abs", x), axes=[1], keepdims=0)
        scales = self._add("Max", self._add("Mul", largest, self._step), self._least)
        integers = self._add("QuantizeLinear", x, scales, self._offsets, axis=0)
        return integers, self._add("Unsqueeze", scales, self._column)

    def _dense(self, quantised: tuple[str, str], name: str) -> str:
        """Return the product with a matrix of weights, without the bias."""
        integers, scales = quantised
        matrix = self._weights[f"{name}.weight"].T
        columns = np.abs(matrix).max(axis=0) / np.float32(_TOP)
        rounded = self._constant(np.rint(matrix / columns).astype(np.int8))
        product = self._add(
            "MatMulIntegerToFloat",
            integers,
            rounded,
            self._one,
            self._constant(columns),
            self._offset,
        )
        return self._add("Mul", product, scales)

    def _named(self, name: str, *parts: str) -> list[str]:
        return [self._constant(self._weights[f"{name}.{part}"]) for part in parts]

    def _constant(self, value: object) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def _add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        name = f"value_{len(self._nodes)}"
        domain = "com.microsoft" if kind in _FUSED else ""
        self._nodes.append(helper.make_node(kind, inputs, [name], domain=domain, **attributes))
        return name
