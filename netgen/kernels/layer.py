"""Layers, as kernels get them, and the base of all kernels.

A kernel file states operator, numeric form, what it accepts, how weights are packed, how far its
output may overlap an operand, its cost and its template. Selection is in `netgen/kernels/__init__`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array, TensorType
from netgen.kernels.layout import Layout, dense_layout
from netgen.kernels.panels import Panel, Transforms
from netgen.kernels.pixel_order import PIXEL_BY_PIXEL, PixelOrder
from netgen.kernels.split import Loop, Split
from netgen.kernels.targets import Target

ByRows: TypeAlias = Literal["none", "alike", "window", "sums"]
# Constants as a kernel reads them: one flat array, of the elements that it declares.
Packed: TypeAlias = Array
# How a kernel goes about a layer, in a few named numbers: they change its time, never its result.
Choice: TypeAlias = Mapping[str, int]
ElementsByLetter: TypeAlias = Mapping[str, frozenset[str]]
Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"


@dataclass(frozen=True)
class BandShape:
    """A call computes `rows` rows of the result, from a row on that it is told.

    Row i of x stands in slot i modulo `slots`, and rows are `row_pixels` apart, which may be more
    than x is wide; with as many slots as x has rows, all of x is there.
    """

    rows: int
    slots: int
    row_pixels: int


@dataclass(frozen=True)
class Layer:
    """One operator with the types of its operands, by the letters of its formula.

    `constant` are the letters of the operands whose values are known when compiling. `layouts` says
    where the channels of activations stand, by letter, `y` for the result; those that do not appear
    are dense. Without a `band` one call computes the whole result. Without a `choice` the kernel
    takes its own, the first of `Kernel.choices`. `weights` is the element type as which weights of
    floats are stored, by kernels that widen them (`Kernel.widens`).
    """

    op: Operator
    operands: Mapping[str, TensorType]
    result: TensorType
    constant: frozenset[str] = frozenset()
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    band: BandShape | None = None
    choice: Choice | None = None
    weights: str = "f32"

    def layout(self, letter: str) -> Layout:
        """The places of the channels of an operand, or of the result `y`."""
        kind = self.result if letter == "y" else self.operands[letter]
        channels = kind.shape[-1] if kind.shape else 1
        return self.layouts.get(letter) or dense_layout(channels, kind.zero)

    def macs(self) -> int:
        """Multiply-accumulates, as the graph counts them."""
        return self.op.macs(list(self.operands.values()), self.result)


@dataclass(frozen=True)
class Instance:
    """One C function: a kernel specialised to a shape.

    `parameters` is all that the template prints; two layers with equal ones share the function.
    `arguments` are the letters of the activations it reads, in the order of the C parameters;
    `elements` are their element types, and that of the result, y. A function that layers of several
    sizes share names the `sizes` that each call passes to it.
    """

    kernel: str
    name: str
    arguments: tuple[str, ...]
    elements: Mapping[str, str]
    has_weights: bool
    parameters: Mapping[str, Json]
    sizes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Shared:
    """The form that a layer has in common with those that may share its C function.

    Layers with equal `parameters` may: their templates print the `sizes`, whole numbers, by name.
    `name` is the readable end of the function's name.
    """

    name: str
    parameters: Mapping[str, Json]
    sizes: Mapping[str, int]


class Kernel(ABC):
    """Base of all kernels.

    `numeric_form` names what is computed down to the bit; kernels of one form give equal results.
    `constants` are the letters of operands that must be constants, and are packed: in the order in
    which the kernel visits the channels, so that layouts cost nothing when the C runs.
    """

    name: ClassVar[str]
    operators: ClassVar[tuple[type[Operator], ...]]
    numeric_form: ClassVar[str]
    constants: ClassVar[tuple[str, ...]] = ()
    # Element types by letter, "y" for the result; the others are as "".
    elements: ClassVar[ElementsByLetter] = {"": frozenset({"f32"})}
    # The element type of scratch, and of what weights are read as.
    scratch_element: ClassVar[str] = "f32"
    weights_element: ClassVar[str] = "f32"
    # Element types of compressed weights of floats that it widens: see `compressed.py`.
    widens: ClassVar[frozenset[str]] = frozenset()
    # Whether operands and result may have any layout; if not, all of them are dense.
    any_layout: ClassVar[bool] = False
    # The bias of the codes that it reads or writes, and the granularity of their runs, by letter;
    # those that do not appear have 0 and 1.
    bias: ClassVar[Mapping[str, int]] = {}
    granularity: ClassVar[Mapping[str, int]] = {}
    # How rows are computed in bands. `none`: they are not. `alike`: some rows are computed as if
    # they were an image. `window`: a layer's `band` says where x's rows stand; the C function has
    # one more parameter, `first`, the band's first row, and y points at that row. `sums`: likewise,
    # but x points at the band's first row and the bands' contributions gather in y, or where sums
    # are of another type in scratch, which then keeps what it holds from band to band.
    by_rows: ClassVar[ByRows] = "none"
    # Whether its code is unrolled for one shape, where another kernel has loops.
    unrolled: ClassVar[bool] = False
    # Whether it multiplies transforms of weights and images (Winograd), not these themselves.
    transforms_weights: ClassVar[bool] = False
    # Whether an output in the place of an operand needs rows to be computed one after the other.
    in_order: ClassVar[bool] = False

    @abstractmethod
    def accepts(self, layer: Layer) -> bool:
        """Whether this kernel can compute the layer, for any target."""

    def computes(self, layer: Layer) -> bool:
        """Whether the kernel is one of these element types."""
        kinds = {**layer.operands, "y": layer.result}
        return all(
            kind.dtype in self.elements.get(letter, self.elements.get("", frozenset()))
            for letter, kind in kinds.items()
        )

    def runs_on(self, target: Target) -> bool:
        """Whether the kernel may be chosen for a target; portable ones may for all."""
        del target
        return True

    def packed_element(self, parameters: Mapping[str, Json]) -> str:
        """The element type of what an instance with these parameters reads its weights as."""
        return str(parameters.get("weights", self.weights_element))

    @property
    def template(self) -> str:
        """Path of its template below templates/kernels, without the ending.

        Templates stand in folders as kernels do; those of one element type leave it out.
        """
        folder = type(self).__module__.split(".")[-2]
        return f"{folder}/{self.name.removesuffix(f'_{folder}')}"

    @abstractmethod
    def title(self, layer: Layer) -> str:
        """Readable end of the C function's name: operator and shapes."""

    @abstractmethod
    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Everything that the template prints for this shape."""

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """The form that the layer has in common with others of the kernel, None if it has none."""
        del layer, target
        return None

    def instance(
        self, layer: Layer, name: str, reads: Iterable[str], parameters: Mapping[str, Json]
    ) -> Instance:
        """The C function for a layer; `reads` are the letters of its activations."""
        arguments = tuple(reads)
        elements = {letter: layer.operands[letter].dtype for letter in arguments}
        elements["y"] = layer.result.dtype
        return Instance(self.name, name, arguments, elements, bool(self.constants), parameters)

    def cost(self, layer: Layer, target: Target) -> float:
        """Estimated time in cycles of one core; only comparisons between kernels matter."""
        del target
        return 4.0 * layer.macs() + 2.0 * layer.result.elements

    def choices(self, layer: Layer, target: Target) -> tuple[Choice, ...]:
        """All ways to go about the layer, whatever its own `choice`; the one taken first.

        After that roughly by estimate. Empty where there is only one way.
        """
        del layer, target
        return ()

    def split(
        self, layer: Layer, target: Target, threads: int, overwritten: frozenset[str]
    ) -> Split | None:
        """The division of a call between threads; None if one thread computes all of it.

        No part may write what another one reads. `overwritten` are the letters of operands on
        whose elements the output stands: what `overlap` allows one thread may not hold for several.
        """
        del layer, target, threads, overwritten
        return None

    def loops(self, parameters: Mapping[str, Json], by: str) -> tuple[Loop, ...]:
        """The loops that the template prints for a call that is divided so; none if it cannot be.

        Read from what the template is given, not from how calls are divided: the checker asks.
        """
        del parameters, by
        return ()

    def pixel_order(self, parameters: Mapping[str, Json]) -> PixelOrder:
        """The order of the template's pixels, for a result in the place of what it reads."""
        del parameters
        return PIXEL_BY_PIXEL

    def cost_of_call(self, layer: Layer, target: Target) -> float:
        """Estimated cycles of one call, which may compute only a band."""
        if layer.band is None:
            return self.cost(layer, target)
        through = layer.operands["x"] if self.by_rows == "sums" else layer.result
        return self.cost(layer, target) * layer.band.rows / through.shape[1]

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """The constants in the order in which the kernel reads them: `packed_bytes` in all."""
        del layer, target, constants
        return np.empty(0, np.uint8)

    def requantised(
        self, layer: Layer, target: Target, packed: Packed
    ) -> Sequence[tuple[Array, Packed]]:
        """The channels of each vector of codes, -1 for none, and its rows of packed constants.

        See `i8/requantisation.py`. None where codes are computed one by one.
        """
        del layer, target, packed
        return ()

    def panels(self, layer: Layer, target: Target, packed: Packed) -> Sequence[Panel]:
        """The sums that packed constants of products ask for, where weights decide how.

        None where they do not.
        """
        del layer, target, packed
        return ()

    def transforms(self, layer: Layer, target: Target, packed: Packed) -> Sequence[Transforms]:
        """The transformed weights that packed constants hold; none where weights stand as they are.

        Only those of codes, which are exact.
        """
        del layer, target, packed
        return ()

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """Bytes of what `pack` gives, a multiple of 4, from shapes alone."""
        del layer, target
        return 0

    def scratch(self, layer: Layer, target: Target) -> int:
        """Bytes of memory that a call needs for itself, a multiple of 4; aligned as the arena."""
        del layer, target
        return 0

    @property
    def keeps_scratch(self) -> bool:
        """Whether a band finds in scratch what the one before it left there.

        Parts of a divided call then share it, each with channels of its own.
        """
        return self.by_rows == "sums"

    def overlap(self, layer: Layer) -> dict[str, int]:
        """The bytes before an operand at which the output may start, by the operand's letter.

        With that distance, or one up to the next of whole pixels at an aligned address, no element
        is overwritten that is still to be read. Operands that do not appear must be disjoint from
        the output.
        """
        del layer
        return {}
