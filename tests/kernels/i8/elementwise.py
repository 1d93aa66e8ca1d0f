"""Elementwise operators of codes, drawn at random; LiteRT's reference kernels are their oracle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from netgen.errors import GraphError
from netgen.ir.graph import ConstantArray, Graph, Node
from netgen.ir.operator import Const, Input, Operator, Signature
from netgen.ir.registry import REGISTRY
from netgen.ir.tensor_type import ELEMENTS, Array, ElementType, Quantisation, TensorType
from netgen.ops.dequantize import Dequantize
from netgen.ops.fixed_point import halved
from netgen.ops.quantize import Quantize
from netgen.ops.rescaled import scale_of
from netgen.ops.softmax_of_codes import powers_of_codes
from tests.litert import Operand, litert_of

# TensorFlow Lite's names of operators of one operand and of two.
UNARY = {
    "absolute": "ABS", "exp": "EXP", "gelu": "GELU", "gelu_tanh": "GELU", "log": "LOG",
    "hard_swish": "HARD_SWISH", "leaky_relu": "LEAKY_RELU", "quantize": "QUANTIZE", "relu": "RELU",
    "relu6": "RELU6", "relu_n1_to_1": "RELU_N1_TO_1", "rsqrt": "RSQRT", "sigmoid": "LOGISTIC",
    "tanh": "TANH",
}  # fmt: skip
BINARY = {
    "add": "ADD", "mul": "MUL", "prelu": "PRELU", "squared_difference": "SQUARED_DIFFERENCE",
    "sub": "SUB",
}  # fmt: skip
# Those of all codes of a pixel, whose results have one scale.
PIXELS = {"l2_normalize": "L2_NORMALIZATION", "log_softmax": "LOG_SOFTMAX", "softmax": "SOFTMAX"}
# Those of which TensorFlow Lite has int8 only.
_SIGNED = {"absolute", "exp", "log", "rsqrt", "squared_difference"}
# Those that TensorFlow Lite has no activation for.
_PLAIN = {"prelu", "squared_difference"}
ALL = (*UNARY, *BINARY, *PIXELS)
_ACTS = {"none": 0, "relu": 1, "relu_n1_to_1": 2, "relu6": 3}


@dataclass(frozen=True)
class Case:
    """An operator of codes, types and codes of its operands, which of them are constants."""

    op: Operator
    kinds: tuple[TensorType, ...]
    y: TensorType
    codes: tuple[Array, ...]
    constant: frozenset[int] = frozenset()
    options: Mapping[str, object] = field(default_factory=dict)

    def expected(self) -> Array:
        """The codes of TensorFlow Lite's reference kernel."""
        name = self.op.operator_name
        operands = [
            Operand(kind, array, constant=at in self.constant)
            for at, (kind, array) in enumerate(zip(self.kinds, self.codes, strict=True))
        ]
        table = {"leaky_relu": "LeakyRelu", "gelu_tanh": "Gelu"}.get(name, name.title()) + "Options"
        options = (table, self.options) if self.options else None
        known = {**UNARY, **BINARY, **PIXELS}
        return litert_of(known[name], operands, self.y, options)

    def reference(self) -> Array:
        """The codes of the operator's own meaning."""
        signature = Signature(self.kinds, self.y)
        return self.op.reference([codes.astype(np.int64) for codes in self.codes], signature)


class Draw:
    """Draws cases of one generator of numbers."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def cases(self, name: str, count: int) -> Iterator[Case]:
        """So many cases of an operator, none of which is refused."""
        while count:
            try:
                case = self._case(name)
            except GraphError:
                continue
            if _is_defined(case):
                yield case
                count -= 1

    def _case(self, name: str) -> Case:
        element = ELEMENTS["i8" if name in _SIGNED else str(self._random.choice(["i8", "u8"]))]
        if name in PIXELS:
            return self._of_pixels(name, element)
        return self._unary(name, element) if name in UNARY else self._binary(name, element)

    def _scale(self, low: float, high: float) -> float:
        return float(np.float32(2.0 ** self._random.uniform(low, high)))

    def _ratio(self) -> float:
        """Mostly near to 1, sometimes a power of 2, where ties are, or far away."""
        near, far = self._random.uniform(-2, 2), self._random.uniform(-20, 8)
        return float(2.0 ** self._random.choice([near, near, np.round(near * 3), far]))

    def _zero(self, element: ElementType) -> int:
        middle, any_zero = (element.low + element.high + 1) // 2, self._random.integers(256)
        which = [element.low, element.high, middle, element.low + int(any_zero)]
        return which[int(self._random.integers(4))]

    def _unary(self, name: str, element: ElementType) -> Case:
        codes = np.arange(element.low, element.high + 1).reshape(1, 4, 8, 8)
        near_one = name in ("sigmoid", "tanh", "exp", "gelu", "gelu_tanh")
        scale = self._scale(-12, 1) if near_one else self._scale(-12, 6)
        behind = float(np.float32(scale * self._ratio()))
        values: dict[str, Any] = {"scale": behind, "zero": self._zero(element)}
        options: dict[str, object] = {}
        if name.startswith(("quantize", "relu")) and self._random.random() < 0.3:
            values["scale"] = scale  # shifted at most
        if name == "sigmoid":
            values["scale"] = 1 / 256
        if name == "tanh":
            values["scale"] = float(self._random.choice([1 / 128, self._scale(-9, -5)]))
        if name.startswith("gelu"):
            options["approximate"] = name == "gelu_tanh"
        if name == "quantize":
            values["dtype"] = str(self._random.choice(["i8", "u8"]))
            values["zero"] = self._zero(ELEMENTS[values["dtype"]])
        if name == "leaky_relu":
            alpha = self._random.choice([0.0, 0.01, 0.25, -0.5, self._random.uniform(-2, 3)])
            options["alpha"] = values["alpha"] = float(np.float32(alpha))
        x = self._type(element, codes.shape, scale)
        if name == "rsqrt":  # of codes below the zero point TensorFlow Lite gives none
            root = 16.0 * np.sqrt(scale)
            values["scale"] = float(np.float32(self._ratio() / root))
            codes = np.maximum(codes, x.zero)
        return _made(name, values, (x,), (codes,), options=options)

    def _binary(self, name: str, element: ElementType) -> Case:
        shape = (1, *self._random.integers(1, 9, 2).tolist(), int(self._random.integers(1, 40)))
        narrow = (1, 1, 1, shape[3])
        shapes = [shape, shape if self._random.random() < 0.5 else narrow]
        if name == "sub" and self._random.random() < 0.3:
            shapes.reverse()
        scales = [self._scale(-10, 4)]
        scales.append(float(np.float32(scales[0] * self._ratio())))
        product = scales[0] * scales[1] * 2.0**5 if name == "mul" else scales[0]
        if name == "squared_difference":
            product = max(scales) ** 2 * 2.0**6
        act = "none" if name in _PLAIN else str(self._random.choice([*_ACTS]))
        scale = float(np.float32(product * self._ratio()))
        values = {"scale": scale, "zero": self._zero(element), "act": act}
        kinds = tuple(
            self._type(element, each, scale) for each, scale in zip(shapes, scales, strict=True)
        )
        codes = tuple(self._random.integers(element.low, element.high + 1, k.shape) for k in kinds)
        # A first operand that is a constant is put second, unless the second one is spread.
        first = name == "sub" or (name != "prelu" and shapes[1] == shape)
        which: list[frozenset[int]] = [frozenset(), frozenset({1}), frozenset({0 if first else 1})]
        constant = which[int(self._random.integers(3))]
        fused = {"fusedActivationFunction": _ACTS[act]}
        options: dict[str, object] = {} if name in _PLAIN else {**fused}
        return _made(name, values, kinds, codes, constant, options)

    def _of_pixels(self, name: str, element: ElementType) -> Case:
        channels = int(self._random.choice([1, 2, 3, 10, 100, 1000]))
        codes = self._random.integers(element.low, element.high + 1, (1, 3, 2, channels))
        if self._random.random() < 0.5:  # near to each other
            centre = self._random.integers(element.low, element.high + 1, (1, 3, 2, 1))
            near = centre + self._random.integers(-9, 10, codes.shape)
            codes = np.clip(near, element.low, element.high)
        x = self._type(element, codes.shape, self._scale(-16, 5))
        if name == "l2_normalize":
            middle = (element.low + element.high + 1) // 2
            return _made(name, {"scale": 1 / 128, "zero": middle}, (x,), (codes,))
        if name == "log_softmax":
            return _made(name, {"scale": 1 / 16, "zero": element.high}, (x,), (codes,))
        beta = float(
            np.float32(self._random.choice([1.0, 1.0, 0.5, self._random.uniform(0.01, 9)]))
        )
        values = {"beta": beta, "scale": 1 / 256, "zero": element.low}
        return _made("softmax", values, (x,), (codes,), options={"beta": beta})

    def _type(self, element: ElementType, shape: tuple[int, ...], scale: float) -> TensorType:
        return TensorType(element.name, shape, Quantisation(scale, self._zero(element)))


def _made(
    name: str,
    values: Mapping[str, Any],
    kinds: tuple[TensorType, ...],
    codes: tuple[Array, ...],
    constant: frozenset[int] = frozenset(),
    options: Mapping[str, object] | None = None,
) -> Case:
    """The case, with codes as they are stored."""
    op = REGISTRY.find(name)(**values)
    stored = tuple(
        array.astype(kind.element.storage) for array, kind in zip(codes, kinds, strict=True)
    )
    return Case(op, kinds, op.result_type(kinds), stored, constant, options or {})


def _is_defined(case: Case) -> bool:
    """Whether LiteRT computes it.

    Codes of 6 do not fit int32 where scales are very small. Softmax aborts where powers add up to
    512 and more.
    """
    x, kind = case.codes[0], case.kinds[0]
    if case.op.operator_name != "softmax":
        return scale_of(case.y) > 2.0**-28
    beta = case.options["beta"]
    assert isinstance(beta, float)
    below = x.max(axis=-1, keepdims=True).astype(np.int64) - x
    sums = halved(powers_of_codes(beta, scale_of(kind))[below], 12).sum(axis=-1)
    return bool((sums >> 19).max() < 512)


def graph_of(cases: list[Case]) -> Graph:
    """A network of an output for each case; operands that are no constants are inputs."""
    nodes: list[Node] = []
    outputs: list[Node] = []
    constants: dict[str, ConstantArray] = {}
    for n, case in enumerate(cases):
        names = [f"x{n}.{at}" for at in range(len(case.kinds))]
        for at, (name, kind) in enumerate(zip(names, case.kinds, strict=True)):
            if at in case.constant:
                constants[name] = case.codes[at]
            nodes.append(Node(name, Const(name) if at in case.constant else Input(), (), kind))
        outputs.append(Node(f"y{n}", case.op, tuple(names), case.y))
    return Graph("cases", [*nodes, *outputs], [node.name for node in outputs], constants)


def inputs_of(cases: list[Case]) -> dict[str, Array]:
    """The codes of operands that are no constants, by name."""
    return {
        f"x{n}.{at}": codes
        for n, case in enumerate(cases)
        for at, codes in enumerate(case.codes)
        if at not in case.constant
    }


def between_floats(cases: list[Case]) -> tuple[Graph, dict[str, Array]]:
    """The network with floats as inputs and outputs, and inputs that become the same codes."""
    graph, inputs = graph_of(cases), {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if isinstance(node.op, Input):
            kind = node.type
            floats, scale = TensorType("f32", kind.shape), scale_of(kind)
            nodes.append(Node(f"{node.name}.real", Input(), (), floats))
            quantize = Quantize(scale, kind.zero, kind.dtype)
            nodes.append(replace(node, op=quantize, operands=(f"{node.name}.real",)))
            real = scale * (inputs_of(cases)[node.name].astype(np.float64) - kind.zero)
            inputs[f"{node.name}.real"] = real.astype(np.float32)
        else:
            nodes.append(node)
    for name in graph.outputs:
        kind = TensorType("f32", graph[name].type.shape)
        nodes.append(Node(f"{name}.real", Dequantize(), (name,), kind))
    outputs = [f"{name}.real" for name in graph.outputs]
    return Graph("cases", nodes, outputs, dict(graph.constants)), inputs
