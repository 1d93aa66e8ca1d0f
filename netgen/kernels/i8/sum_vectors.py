"""Sums and differences of codes by Helium: four at once, rounded as their definition says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netgen.kernels.i8.binary import spread_letter
from netgen.kernels.i8.sum import SumI8
from netgen.kernels.layer import ElementsByLetter, Json, Layer
from netgen.kernels.split import Loop, Split
from netgen.kernels.stretches import is_flat
from netgen.kernels.targets import Target

# The multiplier 1/2, by which one operand of a sum is scaled.
_HALF = 2**30


class SumVectorsI8(SumI8):
    """Both operands are signed codes of one layout without gaps; nothing is shifted to the left."""

    name: ClassVar[str] = "sum_vectors_i8"
    elements: ClassVar[ElementsByLetter] = {"": frozenset({"i8"})}

    def accepts(self, layer: Layer) -> bool:
        """Layers that vectors go through as they stand."""
        if not super().accepts(layer) or spread_letter(layer) or not is_flat(layer, ("a", "b")):
            return False
        numbers = super().numbers(layer)
        shifts = [numbers[f"{letter}_shift"] for letter in ("a", "b", "sum")]
        return all(isinstance(shift, int) and shift <= 0 for shift in shifts)

    def runs_on(self, target: Target) -> bool:
        """Targets with Helium."""
        return target.tiling("i8").dots

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Elements, whole numbers, and what vectors do to each of three numbers."""
        found = super().parameters(layer, target)
        low, zero = found["low"], found["zero"]
        assert isinstance(low, int)
        assert isinstance(zero, int)
        return {
            **found,
            # A code clamped to the zero point is the same wherever halves below it go.
            "signed": low < zero,
            "scalings": {name: _scaling(found, name) for name in ("a", "b", "sum")},
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """A quarter of the instructions."""
        del target
        return 1.5 * layer.result.elements

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """One thread computes all of it."""
        del layer, target, threads, overwritten
        return None

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """None: its calls are not divided."""
        del parameters, by
        return ()


def _scaling(found: Mapping[str, Json], name: str) -> dict[str, Json]:
    """Whether a multiplier is one half, without a shift, and how far else it shifts right."""
    multiplier, shift = found[f"{name}_multiplier"], found[f"{name}_shift"]
    assert isinstance(shift, int)
    return {"halves": multiplier == _HALF and shift == 0, "right": -shift}
