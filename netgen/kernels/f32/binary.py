"""Shared parts of the elementwise kernels of two operands: y = act(a op b).

The second operand is an activation or a constant, of a's shape or one number per channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netgen.kernels.f32.elementwise import describe_activated, share_activated
from netgen.kernels.layer import ByRows, Json, Layer, Packed, Shared
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import in_place, order_of
from netgen.kernels.targets import Target
from netgen.ops.add import Add
from netgen.ops.mul import Mul


class BinaryKernel(ElementKernel):
    """Any shape; plain loops that every compiler vectorises, unless there is an activation."""

    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Constants where they are packed, activations elsewhere."""
        return isinstance(layer.op, self.operators) and layer.constant == set(self.constants)

    def title(self, layer: Layer) -> str:
        """Operator, number of elements or pixels and channels, activation."""
        op = layer.op
        assert isinstance(op, Add | Mul)
        elements, channels = layer.result.elements, layer.result.shape[-1]
        shape = f"{elements // channels}x{channels}" if _is_spread(layer) else str(elements)
        constant = "_constant" if self.constants else ""
        end = "" if op.act == "none" else f"_{op.act}"
        return f"{op.operator_name}{constant}_{shape}{end}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches; activation; whether b has one number per channel."""
        assert isinstance(layer.op, Add | Mul)
        letters = self._placed()
        return {
            "elements": layer.result.elements,
            "channels": layer.layout("y").channels,
            **describe_activated(layer, target, letters, layer.op.act, spread=_is_spread(layer)),
            "spread": _is_spread(layer),
            "act": layer.op.act,
        }

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All but the activation, and whether b has one number per channel."""
        return share_activated(layer, target, self._placed(), super().shared(layer, target))

    def _placed(self) -> list[str]:
        """The letters of the buffers with places."""
        return [letter for letter in ("a", "b", "y") if letter not in self.constants]

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written; one number per channel is read again."""
        same = {letter for letter, kind in layer.operands.items() if kind == layer.result}
        found: dict[str, int] = {}
        for letter in sorted(same - set(self.constants)):
            found |= in_place(layer, letter)
        return found


class ConstantBinaryKernel(BinaryKernel):
    """The second operand is a constant."""

    constants: ClassVar[tuple[str, ...]] = ("b",)

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """The second operand, its channels in the order in which they are visited."""
        del target
        order = order_of(layer)
        return constants["b"].reshape(-1, len(order))[:, order].ravel()

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All of the second operand."""
        del target
        return layer.operands["b"].bytes


def _is_spread(layer: Layer) -> bool:
    """Whether the second operand is one number per channel, and there is more than one pixel."""
    return layer.operands["b"] != layer.result
