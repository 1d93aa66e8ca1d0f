"""An activation by itself: y = act(x), elementwise."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.f32.elementwise import describe_activated, share_activated
from netgen.kernels.layer import ByRows, Json, Layer, Shared
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import in_place
from netgen.kernels.targets import Target
from netgen.ops.activation import ElementwiseActivation


class ActivationF32(ElementKernel):
    """Any shape."""

    name: ClassVar[str] = "activation_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (ElementwiseActivation,)
    numeric_form: ClassVar[str] = "elementwise"
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every activation."""
        return isinstance(layer.op, self.operators)

    def title(self, layer: Layer) -> str:
        """Activation and number of elements."""
        return f"{layer.op.operator_name}_{layer.result.elements}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, or pixels and stretches of channels; activation, and its attributes."""
        assert isinstance(layer.op, ElementwiseActivation)
        act, numbers = layer.op.operator_name, layer.op.arguments()
        described = describe_activated(layer, target, ("x", "y"), act)
        return {**described, "act": act, **({"numbers": [*numbers]} if numbers else {})}

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All but the activation and its attributes."""
        return share_activated(layer, target, ("x", "y"), super().shared(layer, target))

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written."""
        return in_place(layer, "x")
