"""An activation by itself: y = act(x), elementwise."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, Json, Kernel, Layer
from netgen.kernels.split import Split
from netgen.kernels.split_loops import split_described
from netgen.kernels.stretches import describe_elements, in_place
from netgen.kernels.targets import Target
from netgen.ops.hard_sigmoid import HardSigmoid
from netgen.ops.hard_swish import HardSwish
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.sigmoid import Sigmoid


class ActivationF32(Kernel):
    """Any shape."""

    name: ClassVar[str] = "activation_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (
        Relu,
        Relu6,
        HardSwish,
        HardSigmoid,
        Sigmoid,
    )
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
        """Elements, or pixels and stretches of channels; activation."""
        del target
        return {**describe_elements(layer, ("x", "y")), "act": layer.op.operator_name}

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written."""
        return in_place(layer, "x")

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """By elements or by pixels, each of which is read just before it is written."""
        del overwritten
        return split_described(self.parameters(layer, target), threads)
