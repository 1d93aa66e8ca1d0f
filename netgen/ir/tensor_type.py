"""Types of values: an element type, a shape, and for quantised values what a code stands for.

Activations are NHWC, weights OHWI; both are logical, nothing physical is visible here.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.ir.attributes import integers_of, number_of

# Floats are computed with in float64, integers in int64.
Array: TypeAlias = npt.NDArray[Any]

_MOST_BYTES = 2**31 - 1  # the generated C indexes with `int`


@dataclass(frozen=True)
class ElementType:
    """One kind of number as it stands in memory; `low` and `high` bound integers.

    `storage` is NumPy's type in memory, little-endian; `working` the type in which references
    compute.
    """

    name: str
    bytes: int
    storage: np.dtype[Any]
    working: np.dtype[Any]
    low: int = 0
    high: int = 0

    @property
    def is_float(self) -> bool:
        """Whether it holds real numbers rather than codes."""
        return self.high == 0

    def wrap(self, number: int) -> int:
        """The integer of this type that is equal to a number modulo the type's range."""
        return (number - self.low) % (self.high - self.low + 1) + self.low

    def store(self, array: Array) -> Array:
        """The array as it stands in memory: floats rounded once, integers as they are.

        Raises GraphError where a number is none of this type: references saturate by themselves.
        """
        if self.is_float:
            with np.errstate(over="ignore"):  # beyond the largest is infinite, as in C
                return array.astype(self.storage)
        if array.size and not (
            np.issubdtype(array.dtype, np.integer)
            and self.low <= array.min()
            and array.max() <= self.high
        ):
            raise GraphError(
                f"numbers do not fit into {self.name}",
                expected=f"integers from {self.low} to {self.high}",
                found=f"{array.min()} to {array.max()} as {array.dtype}",
            )
        return array.astype(self.storage)


def _integer(name: str, low: int, high: int) -> ElementType:
    size = int(name[1:]) // 8
    kind = "u" if low == 0 else "i"
    return ElementType(name, size, np.dtype(f"<{kind}{size}"), np.dtype(np.int64), low, high)


ELEMENTS: dict[str, ElementType] = {
    "f32": ElementType("f32", 4, np.dtype("<f4"), np.dtype(np.float64)),
    "f16": ElementType("f16", 2, np.dtype("<f2"), np.dtype(np.float64)),
    "i8": _integer("i8", -(2**7), 2**7 - 1),
    "u8": _integer("u8", 0, 2**8 - 1),
    "i16": _integer("i16", -(2**15), 2**15 - 1),
    "i32": _integer("i32", -(2**31), 2**31 - 1),
}


@dataclass(frozen=True)
class Quantisation:
    """A code q stands for the real number scale * (q - zero).

    `scale` is a positive number, exact in float32, or along `axis` the name of an array of such
    numbers, one for each index. (TensorFlow Lite 8-bit quantisation specification.)
    """

    scale: float | str
    zero: int = 0
    axis: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.scale, str) != (self.axis is not None):
            raise GraphError(
                "a scale along an axis is an array",
                expected="{scale=@NAME, axis=0} or {scale=0x1p-7, zero=0}",
            )
        if isinstance(self.scale, float) and not is_scale(self.scale):
            raise GraphError(
                "this is no scale", expected="a positive float32", found=self.scale.hex()
            )

    def __str__(self) -> str:
        scale = f"@{self.scale}" if isinstance(self.scale, str) else hexadecimal(self.scale)
        zero = f", zero={self.zero}" if self.zero else ""
        axis = "" if self.axis is None else f", axis={self.axis}"
        return f"{{scale={scale}{zero}{axis}}}"


def rounded_scale(number: object) -> float:
    """A scale rounded to float32; raises GraphError where that has no such scale."""
    given = number_of(number)
    with np.errstate(over="ignore"):
        rounded = float(np.float32(math.nan if given is None else given))
    if not is_scale(rounded):
        raise GraphError("this is no scale", expected="a positive float32", found=repr(number))
    return rounded


def is_scale(number: float) -> bool:
    """Whether a number is positive, finite and exact in float32."""
    with np.errstate(over="ignore"):
        return 0.0 < number < math.inf and float(np.float32(number)) == number


def hexadecimal(number: float) -> str:
    """C's hexadecimal form, which is exact: 0x1.8p-6, without trailing zeros."""
    return re.sub(r"\.?0+p", "p", number.hex())


@dataclass(frozen=True)
class TensorType:
    """Element type and shape; every dimension is at least 1, all bytes fit an `int`.

    Integers have a `quantisation` unless they are mere numbers (indices, sums of products).
    """

    dtype: str
    shape: tuple[int, ...]
    quantisation: Quantisation | None = None

    def __post_init__(self) -> None:
        if self.dtype not in ELEMENTS:
            raise GraphError(
                f"unknown element type '{self.dtype}'", expected="one of " + ", ".join(ELEMENTS)
            )
        shape = integers_of(self.shape)
        if shape is None:
            raise GraphError("a shape must be whole numbers", found=repr(self.shape))
        object.__setattr__(self, "shape", shape)
        if any(extent < 1 for extent in shape):
            raise GraphError(
                f"the shape {list(self.shape)} has an empty dimension",
                expected="every dimension to be at least 1",
            )
        if self.bytes > _MOST_BYTES:
            raise GraphError(
                f"a value of the shape {list(self.shape)} is too large",
                expected=f"at most {_MOST_BYTES} bytes",
                found=str(self.bytes),
            )
        if self.quantisation is not None:
            self._check_quantisation(self.quantisation)

    def _check_quantisation(self, quantisation: Quantisation) -> None:
        element = self.element
        if element.is_float:
            raise GraphError(f"{self.dtype} has no scale", expected="an integer type")
        if not element.low <= quantisation.zero <= element.high:
            raise GraphError(
                f"the zero point is no {self.dtype}",
                expected=f"{element.low} to {element.high}",
                found=str(quantisation.zero),
            )
        axis = quantisation.axis
        if axis is not None and not 0 <= axis < len(self.shape):
            raise GraphError(
                "the type has no such axis",
                expected=f"0 to {len(self.shape) - 1}",
                found=str(axis),
            )

    def __str__(self) -> str:
        quantisation = f" {self.quantisation}" if self.quantisation else ""
        return f"{self.dtype}[{','.join(map(str, self.shape))}]{quantisation}"

    @property
    def element(self) -> ElementType:
        """The element type."""
        return ELEMENTS[self.dtype]

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Size in bytes, densely packed."""
        return self.elements * self.element.bytes

    @property
    def zero(self) -> int:
        """The code of the real number 0; of floats 0."""
        return self.quantisation.zero if self.quantisation else 0

    def with_shape(self, shape: tuple[int, ...]) -> TensorType:
        """Such elements under another shape."""
        return replace(self, shape=shape)

    def alike(self, other: TensorType) -> bool:
        """Whether elements may move between the two: one element type, one meaning of codes."""
        return (self.dtype, self.quantisation) == (other.dtype, other.quantisation)
