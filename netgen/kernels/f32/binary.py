"""Shared parts of the elementwise kernels of two operands: y = act(a op b).

One operand may be a constant, the second one unless the operator is a difference. One may have one
number per channel: the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from netgen.kernels.f32.elementwise import describe_activated, share_activated
from netgen.kernels.layer import ByRows, Json, Layer, Packed, Shared
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import in_place, order_of
from netgen.kernels.targets import Target
from netgen.ops.broadcast import Broadcast, per_channel

# How templates combine operands that do not commute; `subtracted` is a difference whose operands
# are exchanged.
_OPERATIONS = {"sub": "-", "prelu": "leaky"}


class BinaryKernel(ElementKernel):
    """Any shape; plain loops that every compiler vectorises, unless there is an activation."""

    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Constants where they are packed, activations elsewhere."""
        known = isinstance(layer.op, self.operators) and layer.constant == set(self.constants)
        wide, other = (layer.operands[letter].shape for letter in self._letters(layer))
        shape = layer.result.shape
        return known and wide == shape and other in {shape, per_channel(shape)}

    def title(self, layer: Layer) -> str:
        """Operator, number of elements or pixels and channels, activation."""
        op = cast("Broadcast", layer.op)
        elements, channels = layer.result.elements, layer.result.shape[-1]
        shape = f"{elements // channels}x{channels}" if self._is_spread(layer) else str(elements)
        constant = "_constant" if self.constants else ""
        end = "" if op.act == "none" else f"_{op.act}"
        return f"{op.operator_name}{constant}_{shape}{end}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches; activation; whether b has one number per channel."""
        op, (first, _) = cast("Broadcast", layer.op), self._letters(layer)
        placed, spread = self._placed(), self._is_spread(layer)
        operation = "subtracted" if first == "b" else _OPERATIONS.get(op.operator_name)
        act = "leaky_relu" if operation == "leaky" and op.act == "none" else op.act
        return {
            "elements": layer.result.elements,
            "channels": layer.layout("y").channels,
            **describe_activated(layer, target, placed, act, spread=spread),
            "spread": spread,
            "act": op.act,
            **({"operation": operation} if operation else {}),
        }

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All but the activation, and whether b has one number per channel."""
        return share_activated(layer, target, self._placed(), super().shared(layer, target))

    def _placed(self) -> list[str]:
        """The letters of the buffers with places."""
        return [letter for letter in ("a", "b", "y") if letter not in self.constants]

    def _letters(self, layer: Layer) -> tuple[str, str]:
        """The operand that templates read first, and the one that may be spread, or a constant."""
        spread = not self.constants and layer.operands["a"].shape != layer.result.shape
        return ("b", "a") if spread or self.constants == ("a",) else ("a", "b")

    def _is_spread(self, layer: Layer) -> bool:
        """Whether an operand is one number per channel, and there is more than one pixel."""
        return layer.operands[self._letters(layer)[1]].shape != layer.result.shape

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written; one number per channel is read again."""
        same = {letter for letter, kind in layer.operands.items() if kind == layer.result}
        found: dict[str, int] = {}
        for letter in sorted(same - set(self.constants)):
            found |= in_place(layer, letter)
        return found


class ConstantBinaryKernel(BinaryKernel):
    """One operand is a constant."""

    constants: ClassVar[tuple[str, ...]] = ("b",)

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """The constant operand, its channels in the order in which they are visited."""
        del target
        (letter,), order = self.constants, order_of(layer)
        return constants[letter].reshape(-1, len(order))[:, order].ravel()

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All of the constant operand."""
        del target
        (letter,) = self.constants
        return layer.operands[letter].bytes
