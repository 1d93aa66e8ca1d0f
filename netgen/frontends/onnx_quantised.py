"""Operators of quantised tensors, written out: as the operator of floats between the two of codes.

    y = QLinearConv(x, x_scale, x_zero, w, ..., b)

becomes, under the names of the file,

    y/y = Conv(DequantizeLinear(x), DequantizeLinear(w), DequantizeLinear(b))
    y   = QuantizeLinear(y/y)

So files of both of ONNX Runtime's forms, QOperator and QDQ, are read in one way, and
`onnx_take_codes.py` finds the layers of codes in both. Sources: ONNX operators, QLinearConv and
QLinearMatMul; ONNX Runtime, contributed operators, QGemm and QLinearAdd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Writer: TypeAlias = "Callable[[_Writing], None]"

# The domain of ONNX Runtime's own operators.
_MICROSOFT = "com.microsoft"


def quantised_written_out(model: ModelProto) -> ModelProto:
    """The model without operators of quantised tensors but QuantizeLinear and DequantizeLinear."""
    from onnx import ModelProto

    if not any(_writer(node) or node.domain == _MICROSOFT for node in model.graph.node):
        return model
    found, taken = ModelProto(), _names(model)
    found.CopyFrom(model)
    del found.graph.node[:]
    for node in model.graph.node:
        writer = _writer(node)
        if writer is None:
            found.graph.node.append(node)
            continue
        writing = _Writing(node, taken)
        writer(writing)
        found.graph.node.extend(writing.nodes)
    return found


def _names(model: ModelProto) -> set[str]:
    """The names of all values of the file, which no part may have."""
    graph = model.graph
    given = {value.name for value in (*graph.input, *graph.initializer)}
    sparse = {value.values.name for value in graph.sparse_initializer}
    return given | sparse | {name for node in graph.node for name in node.output}


def _writer(node: NodeProto) -> Writer | None:
    writers = _OF_DOMAIN.get(node.domain, {})
    return None if _flattens(node) else writers.get(node.op_type)


def _flattens(node: NodeProto) -> bool:
    """Whether it is a softmax over all axes from one on, as before opset 13, and not the last."""
    numbers = {each.name: each.i for each in node.attribute}
    old = numbers.get("opset", 13) < 13 and numbers.get("axis", -1) != -1
    return node.op_type == "QLinearSoftmax" and old


class _Writing:
    """The nodes that take the place of one."""

    def __init__(self, node: NodeProto, taken: set[str]) -> None:
        self.node = node
        self._taken = taken
        self.nodes: list[NodeProto] = []

    def given(self, index: int) -> str:
        """The name of an input, empty where it is left out."""
        return self.node.input[index] if index < len(self.node.input) else ""

    def make(
        self, operator: str, inputs: Sequence[str], result: str, **attributes: int | list[int]
    ) -> str:
        """Add a node, named after its result."""
        from onnx.helper import make_attribute, make_node

        node = make_node(operator, inputs, [result], name=result)
        node.attribute.extend(make_attribute(*each) for each in attributes.items())
        self.nodes.append(node)
        return result

    def part(self, name: str) -> str:
        """A name of a value that the file does not have."""
        own = f"{self.node.output[0]}/{name}"
        while own in self._taken:
            own += "_"
        self._taken.add(own)
        return own

    def real(self, first: int, name: str, **attributes: int | list[int]) -> str:
        """The real numbers of codes, their scale and zero point, which are inputs from `first`."""
        inputs = [self.given(first + k) for k in range(3)]
        while len(inputs) > 1 and not inputs[-1]:
            inputs.pop()
        return self.make("DequantizeLinear", inputs, self.part(name), **attributes)

    def like(self, operator: str, inputs: Sequence[str], result: str, *without: str) -> str:
        """Add an operator with the attributes of the node, but for some."""
        self.make(operator, inputs, result)
        kept = [each for each in self.node.attribute if each.name not in without]
        self.nodes[-1].attribute.extend(kept)
        return result

    def codes(self, value: str, scale: int) -> None:
        """The codes of the result, whose scale and zero point are inputs from `scale`."""
        inputs = [value, self.given(scale), self.given(scale + 1)]
        self.make("QuantizeLinear", inputs if inputs[-1] else inputs[:2], self.node.output[0])

    def bias(self, index: int, scales: tuple[int, int]) -> list[str]:
        """The real numbers of a bias, if there is one: in units of the product of two scales."""
        if not self.given(index):
            return []
        factors = [self.given(scale) for scale in scales]
        unit = self.make("Mul", factors, self.part("unit"))
        return [self.make("DequantizeLinear", [self.given(index), unit], self.part("bias"), axis=0)]


def _conv(write: _Writing) -> None:
    operands = [write.real(0, "x"), write.real(3, "w", axis=0), *write.bias(8, (1, 4))]
    write.codes(write.like("Conv", operands, write.part("y")), 6)


def _mat_mul(write: _Writing) -> None:
    operands = [write.real(0, "a"), write.real(3, "b", axis=-1)]
    write.codes(write.make("MatMul", operands, write.part("y")), 6)


def _gemm(write: _Writing) -> None:
    """QGemm, whose result are floats where it has no scale."""
    turned = any(each.name == "transB" and each.i for each in write.node.attribute)
    operands = [write.real(0, "a"), write.real(3, "b", axis=0 if turned else 1)]
    operands += write.bias(6, (1, 4))
    coded = bool(write.given(7))
    y = write.like("Gemm", operands, write.part("y") if coded else write.node.output[0])
    if coded:
        write.codes(y, 7)


def _of_two(operator: str) -> Writer:
    def writer(write: _Writing) -> None:
        operands = [write.real(0, "a"), write.real(3, "b")]
        write.codes(write.make(operator, operands, write.part("y")), 6)

    return writer


def _of_one(operator: str, *without: str) -> Writer:
    def writer(write: _Writing) -> None:
        write.codes(write.like(operator, [write.real(0, "x")], write.part("y"), *without), 3)

    return writer


def _pool(operator: str) -> Writer:
    """Make the writer of a pooling, whose pixels may lie before their channels."""

    def writer(write: _Writing) -> None:
        last = any(each.name == "channels_last" and each.i for each in write.node.attribute)
        x = write.real(0, "x")
        if last:
            x = write.make("Transpose", [x], write.part("first"), perm=[0, 3, 1, 2])
        y = write.like(operator, [x], write.part("pooled"), "channels_last")
        if last:
            y = write.make("Transpose", [y], write.part("y"), perm=[0, 2, 3, 1])
        write.codes(y, 3)

    return writer


def _concat(write: _Writing) -> None:
    count = (len(write.node.input) - 2) // 3
    parts = [write.real(2 + 3 * k, f"x{k}") for k in range(count)]
    write.codes(write.like("Concat", parts, write.part("y")), 0)


def _itself(write: _Writing) -> None:
    """An operator of ONNX itself by another domain."""
    write.like(write.node.op_type, list(write.node.input), write.node.output[0])


_OF_DOMAIN: Mapping[str, Mapping[str, Writer]] = {
    "": {"QLinearConv": _conv, "QLinearMatMul": _mat_mul},
    "ai.onnx": {"QLinearConv": _conv, "QLinearMatMul": _mat_mul},
    _MICROSOFT: {
        "DequantizeLinear": _itself,
        "QGemm": _gemm,
        "QLinearAdd": _of_two("Add"),
        "QLinearAveragePool": _pool("AveragePool"),
        "QLinearConcat": _concat,
        "QLinearGlobalAveragePool": _pool("GlobalAveragePool"),
        "QLinearLeakyRelu": _of_one("LeakyRelu"),
        "QLinearMul": _of_two("Mul"),
        "QLinearSigmoid": _of_one("Sigmoid"),
        "QLinearSoftmax": _of_one("Softmax", "opset"),
        "QuantizeLinear": _itself,
    },
}
# Those of ONNX itself.
QUANTISED = frozenset(_OF_DOMAIN[""])
