"""Elementwise kernels of operands of any shapes that are broadcast: y = act(a op b)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer, Packed
from netgen.kernels.nests import Nest, nest_of, strides_of
from netgen.kernels.targets import Target
from netgen.ops.broadcast import Broadcast
from netgen.ops.where import Where

# How templates combine operands.
_OPERATIONS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "prelu": "leaky",
    "minimum": "smaller",
    "maximum": "larger",
    "less": "<",
    "less_or_equal": "<=",
    "equal": "==",
}


class BroadcastF32(Kernel):
    """Any shapes; loops over axes, as few as there can be."""

    name: ClassVar[str] = "broadcast_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Broadcast,)
    numeric_form: ClassVar[str] = "elementwise"

    def accepts(self, layer: Layer) -> bool:
        """Constants where they are packed, activations elsewhere."""
        return isinstance(layer.op, self.operators) and layer.constant == set(self.constants)

    def title(self, layer: Layer) -> str:
        """Operator, constant, shapes of the operands, activation."""
        shapes = ["x".join(map(str, kind.shape)) for kind in layer.operands.values()]
        constant = "".join(f"_{letter}" for letter in self.constants)
        act = layer.op.activation or "none"
        end = "" if act == "none" else f"_{act}"
        return f"{layer.op.operator_name}{constant}_{'_'.join(shapes)}{end}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """The loops, and the element of each value that the innermost one is at."""
        del target
        nest = _nest(layer)
        read = {a: "w" if a in self.constants else a for a in layer.operands}
        return {
            "loops": nest.loops(),
            "read_from": {**read},
            "index": {letter: nest.index(letter) for letter in (*layer.operands, "y")},
            "act": cast("Broadcast", layer.op).act,
            "operation": _OPERATIONS[layer.op.operator_name],
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """Somewhat more than kernels for one shape or one number per channel."""
        del target
        return 3.0 * layer.result.elements

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """The constant operand as it stands."""
        del layer, target
        (letter,) = self.constants
        return constants[letter].reshape(-1)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All of the constant operand."""
        del target
        return sum(layer.operands[letter].bytes for letter in self.constants)


class BroadcastConstantF32(BroadcastF32):
    """The second operand is a constant."""

    name: ClassVar[str] = "broadcast_constant_f32"
    constants: ClassVar[tuple[str, ...]] = ("b",)

    @property
    def template(self) -> str:
        """The template of two activations."""
        return "f32/broadcast"


class ConstantBroadcastF32(BroadcastConstantF32):
    """The first operand is a constant."""

    name: ClassVar[str] = "constant_broadcast_f32"
    constants: ClassVar[tuple[str, ...]] = ("a",)


class WhereF32(Kernel):
    """Elements of a or b, as c says."""

    name: ClassVar[str] = "where_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Where,)
    numeric_form: ClassVar[str] = "elementwise"

    def accepts(self, layer: Layer) -> bool:
        """Activations only."""
        return isinstance(layer.op, Where) and not layer.constant

    def title(self, layer: Layer) -> str:
        """Shapes of the operands."""
        shapes = ["x".join(map(str, kind.shape)) for kind in layer.operands.values()]
        return f"where_{'_'.join(shapes)}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """The loops, and the element of each value that the innermost one is at."""
        del target
        nest = _nest(layer)
        index: dict[str, Json] = {a: nest.index(a) for a in (*layer.operands, "y")}
        return {"loops": nest.loops(), "index": index}


def _nest(layer: Layer) -> Nest:
    strides = {letter: strides_of(kind.shape) for letter, kind in layer.operands.items()}
    return nest_of(layer.result.shape, {**strides, "y": strides_of(layer.result.shape)})
