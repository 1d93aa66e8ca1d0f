"""The loops that templates print for a divided call, as an instance's parameters describe them.

Kernels state them for the checker; `split_loops` decides how they are divided best.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from netgen.kernels.layer import Json, Kernel, Layer, Shared
from netgen.kernels.sharing import shared_form
from netgen.kernels.split import Loop, Split
from netgen.kernels.split_loops import split_described, split_rows
from netgen.kernels.targets import Target

Parameters = Mapping[str, Json]


def number(found: Parameters, key: str) -> int:
    """A parameter that is a whole number."""
    return cast("int", found[key])


def row_loop(found: Parameters, at_once: int = 1) -> tuple[Loop, ...]:
    """The loop over the rows of a call: those of its band, or of the whole result."""
    band = cast("dict[str, int] | None", found["band"])
    return (Loop(0, band["rows"] if band else number(found, "out_height"), at_once),)


def listed_loops(described: Json, step: str, *, by_channel: bool = False) -> tuple[Loop, ...]:
    """Loops one after the other; `step` is the key of what one iteration takes."""
    return tuple(
        Loop(loop["first"], loop["end"], loop[step], by_channel=by_channel)
        for loop in cast("list[dict[str, int]]", described)
    )


def channel_loops(described: Json) -> tuple[Loop, ...]:
    """Loops over vectors of channels, or over channels one by one, as `describe_vector_runs`."""
    return listed_loops(described, "width", by_channel=True)


def element_loops(found: Parameters) -> tuple[Loop, ...]:
    """The loop over pixels, or over elements: one by one, in whole vectors and the rest."""
    if found.get("stretches") or "elements" not in found:
        return (Loop(0, number(found, "pixels")),)
    if "vector_width" in found:
        whole, rest = number(found, "vector_elements"), number(found, "rest")
        vectors = Loop(0, whole, number(found, "vector_width"))
        return (vectors, Loop(whole, whole + rest, rest)) if rest else (vectors,)
    # One number per channel starts anew with every pixel.
    step = number(found, "channels") if found.get("spread") is True else 1
    return (Loop(0, number(found, "elements"), step),)


class ElementKernel(Kernel):
    """Base of the kernels that go through elements, or pixels, each of which they read once."""

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All but elements, pixels and channels, where these are no table."""
        return shared_form(layer, self.parameters(layer, target))

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by elements or by pixels, each of which is read just before it is written."""
        del overwritten
        return split_described(layer, self.parameters(layer, target), threads)

    def loops(self, parameters: Parameters, by: str) -> tuple[Loop, ...]:
        """Elements or pixels."""
        return element_loops(parameters) if by == "elements" else ()


class RowKernel(Kernel):
    """Base of the kernels whose only loop that can be divided is that over rows of the result."""

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """Division by rows."""
        del target, overwritten
        return split_rows(layer, threads)

    def loops(self, parameters: Parameters, by: str) -> tuple[Loop, ...]:
        """Rows."""
        return row_loop(parameters) if by == "rows" else ()
