"""The BERT sentence encoder as an ONNX graph, built from its weights without torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17  # the first with LayerNormalization
EPSILON = 1e-12

Weights = Mapping[str, npt.NDArray[Any]]


@dataclass
class _Graph:
    """Nodes and constants gathered while the layers are written down."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output, whose name is returned."""
        out = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [out], name=out, **attributes))
        return out

    def constant(self, name: str, value: npt.ArrayLike, dtype: Any = np.float32) -> str:
        if name not in self.constants:
            array = np.array(value, dtype=dtype, order="C")
            self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def dense(self, x: str, name: str, weight: npt.NDArray[Any], bias: npt.NDArray[Any]) -> str:
        product = self.add("MatMul", x, self.constant(f"{name}.weight", weight.T))
        return self.add("Add", product, self.constant(f"{name}.bias", bias))

    def norm(self, x: str, name: str, weights: Weights) -> str:
        scale = self.constant(f"{name}.scale", weights[f"{name}.weight"])
        shift = self.constant(f"{name}.shift", weights[f"{name}.bias"])
        return self.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=EPSILON)

    def gelu(self, x: str) -> str:
        erf = self.add("Erf", self.add("Div", x, self.constant("sqrt2", np.sqrt(2.0))))
        raised = self.add("Add", erf, self.constant("one", 1.0))
        return self.add("Mul", self.add("Mul", x, raised), self.constant("half", 0.5))


def sentence_encoder(weights: Weights, *, layers: int = 6, heads: int = 12) -> onnx.ModelProto:
    """A model from `input_ids` and `attention_mask` (batch, tokens) to `vectors`, unit rows (batch, hidden)."""
    hidden = int(weights["embeddings.word_embeddings.weight"].shape[1])
    graph = _Graph()
    mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    x = _embed(graph, weights)
    blocked = _blocked(graph, mask)
    for layer in range(layers):
        x = _layer(graph, weights, x, blocked, layer=layer, shape=(heads, hidden // heads))
    _pool(graph, x, mask)
    return _model(graph, hidden)


def _embed(graph: _Graph, weights: Weights) -> str:
    """Words + positions + the first segment, normalised."""
    words = graph.add("Gather", graph.constant("words", weights["embeddings.word_embeddings.weight"]), "input_ids")
    table = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    shape = graph.add("Shape", "input_ids", start=1, end=2)
    zero = graph.constant("zero", [0], np.int64)
    axis = graph.constant("axis0", [0], np.int64)
    positions = graph.add("Slice", graph.constant("positions", table), zero, shape, axis)
    return graph.norm(graph.add("Add", words, positions), "embeddings.LayerNorm", weights)


def _blocked(graph: _Graph, mask: str) -> str:
    """0 where a token may be looked at, very negative where it is padding; (batch, 1, 1, tokens)."""
    wide = graph.add("Unsqueeze", mask, graph.constant("axes12", [1, 2], np.int64))
    return graph.add("Mul", graph.add("Sub", graph.constant("one", 1.0), wide), graph.constant("far", -10000.0))


def _layer(graph: _Graph, weights: Weights, x: str, blocked: str, *, layer: int, shape: tuple[int, int]) -> str:
    name = f"encoder.layer.{layer}"
    seen = _attention(graph, weights, x, blocked, name=name, shape=shape)
    out = graph.dense(seen, f"{name}.attention.output", *_pair(weights, f"{name}.attention.output.dense"))
    x = graph.norm(graph.add("Add", out, x), f"{name}.attention.output.LayerNorm", weights)
    wide = graph.gelu(graph.dense(x, f"{name}.intermediate", *_pair(weights, f"{name}.intermediate.dense")))
    out = graph.dense(wide, f"{name}.output", *_pair(weights, f"{name}.output.dense"))
    return graph.norm(graph.add("Add", out, x), f"{name}.output.LayerNorm", weights)


def _pair(weights: Weights, name: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _attention(graph: _Graph, weights: Weights, x: str, blocked: str, *, name: str, shape: tuple[int, int]) -> str:
    """Query, key and value as one product: one quantisation of the input instead of three."""
    heads, width = shape
    pairs = [_pair(weights, f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
    scale = 1.0 / np.sqrt(width)
    weight = np.concatenate([pairs[0][0] * scale, pairs[1][0], pairs[2][0]])
    bias = np.concatenate([pairs[0][1] * scale, pairs[1][1], pairs[2][1]])
    joined = graph.dense(x, f"{name}.attention.self", weight, bias)
    split = graph.add("Reshape", joined, graph.constant("to_heads", [0, 0, 3, heads, width], np.int64))
    turned = graph.add("Transpose", split, perm=[2, 0, 3, 1, 4])
    q, k, v = (graph.add("Gather", turned, graph.constant(f"i{n}", n, np.int64), axis=0) for n in range(3))
    scores = graph.add("MatMul", q, graph.add("Transpose", k, perm=[0, 1, 3, 2]))
    shares = graph.add("Softmax", graph.add("Add", scores, blocked), axis=-1)
    mixed = graph.add("Transpose", graph.add("MatMul", shares, v), perm=[0, 2, 1, 3])
    return graph.add("Reshape", mixed, graph.constant("from_heads", [0, 0, heads * width], np.int64))


def _pool(graph: _Graph, x: str, mask: str) -> None:
    """Mean of the tokens that are not padding, as a unit vector."""
    axis = graph.constant("axis1", [1], np.int64)
    kept = graph.add("Mul", x, graph.add("Unsqueeze", mask, graph.constant("axis2", [2], np.int64)))
    total = graph.add("ReduceSum", kept, axis, keepdims=0)
    length = graph.add("ReduceL2", total, axes=[1], keepdims=1)
    safe = graph.add("Max", length, graph.constant("tiny", 1e-9))
    graph.nodes.append(helper.make_node("Div", [total, safe], ["vectors"], name="vectors"))


def _model(graph: _Graph, hidden: int) -> onnx.ModelProto:
    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    out = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", hidden])
    body = helper.make_graph(graph.nodes, "sentence_encoder", ids, [out], list(graph.constants.values()))
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="holdfast")
    model.ir_version = 8
    return model
