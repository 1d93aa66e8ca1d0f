"""What the elementwise kernels of two operands share: y = act(a op b).

The second operand is an activation or a constant, of a's shape or one number per channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netgen.kernels.layer import Json, Kernel, Layer, Packed
from netgen.kernels.targets import Target
from netgen.ops.add import Add
from netgen.ops.mul import Mul


class BinaryKernel(Kernel):
    """Any shape; plain loops that every compiler vectorises."""

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
        """Number of elements and activation; channels where the second operand has no more."""
        del target
        assert isinstance(layer.op, Add | Mul)
        spread = _is_spread(layer)
        return {
            "elements": layer.result.elements,
            "act": layer.op.act,
            # Elements of the second operand for one after the other of the first; 0: all of them.
            "channels": layer.result.shape[-1] if spread else 0,
        }

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written; one number per channel is read again."""
        same = {letter for letter, kind in layer.operands.items() if kind == layer.result}
        return dict.fromkeys(sorted(same - set(self.constants)), 0)


class ConstantBinaryKernel(BinaryKernel):
    """The second operand is a constant."""

    constants: ClassVar[tuple[str, ...]] = ("b",)

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """The second operand as it is."""
        del layer, target
        return constants["b"].ravel()


def _is_spread(layer: Layer) -> bool:
    """Whether the second operand is one number per channel, and there is more than one pixel."""
    return layer.operands["b"] != layer.result
