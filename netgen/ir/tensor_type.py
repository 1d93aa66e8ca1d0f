"""Types of values: an element type and a shape.

Activations are NHWC, weights OHWI; both are logical, nothing physical is visible here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError

Array = npt.NDArray[np.float64]

ELEMENT_BYTES = {"f32": 4}
_MOST_BYTES = 2**31 - 1  # the generated C indexes with `int`


@dataclass(frozen=True)
class TensorType:
    """Element type (`f32`) and shape; every dimension is at least 1, all bytes fit an `int`."""

    dtype: str
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.dtype not in ELEMENT_BYTES:
            raise GraphError(
                f"unknown element type '{self.dtype}'",
                expected="one of " + ", ".join(ELEMENT_BYTES),
            )
        if any(extent < 1 for extent in self.shape):
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

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Size in bytes, densely packed."""
        return self.elements * ELEMENT_BYTES[self.dtype]
