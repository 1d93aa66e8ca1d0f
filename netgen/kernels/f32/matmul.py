"""Products of matrices of two activations."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer
from netgen.kernels.nests import nest_of, strides_of
from netgen.kernels.targets import Target
from netgen.ops.matmul import Matmul


class MatmulF32(Kernel):
    """Row by row of y: a row of b times a number of a is added to it, k ascending."""

    name: ClassVar[str] = "matmul_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Matmul,)
    numeric_form: ClassVar[str] = "direct"

    def accepts(self, layer: Layer) -> bool:
        """Two activations."""
        return isinstance(layer.op, Matmul) and not layer.constant

    def title(self, layer: Layer) -> str:
        """Shapes of both."""
        shapes = ["x".join(map(str, kind.shape)) for kind in layer.operands.values()]
        return f"matmul_{'_'.join(shapes)}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Loops over the axes ahead of matrices and over rows; inputs and outputs."""
        del target
        a, b, y = (*(kind.shape for kind in layer.operands.values()), layer.result.shape)
        extents = y[:-1]
        nest = nest_of(
            extents,
            {
                "a": strides_of(a)[:-1],
                "b": (*strides_of(b)[:-2], 0),
                "y": strides_of(y)[:-1],
            },
        )
        index: dict[str, Json] = {letter: nest.index(letter) for letter in ("a", "b", "y")}
        return {"loops": nest.loops(), "index": index, "inputs": a[-1], "outputs": y[-1]}
