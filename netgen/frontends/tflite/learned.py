"""Learned numbers of a layer, as they pass from the file to the graph: floats or codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.frontends.tflite.parts import FileTensor
from netgen.ir.tensor_type import is_scale

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Learned:
    """An array with its name in the graph; of codes also the scales, one or one for each output.

    Outputs are the first axis of `array` once it is given to the graph.
    """

    name: str
    array: Array
    scales: tuple[float, ...] = ()
    zero: int = 0

    @property
    def is_float(self) -> bool:
        """Whether these are real numbers."""
        return not self.scales

    def turned(self, array: Array) -> Learned:
        """The same numbers in another order or shape."""
        return replace(self, array=array)

    def dequantised(self) -> Learned:
        """The real numbers that codes stand for, outputs first, rounded once to float32."""
        if self.is_float:
            return self
        each = np.array(self.scales).reshape(-1, *(1,) * (self.array.ndim - 1))
        real = each * (self.array.astype(np.float64) - self.zero)
        return Learned(self.name, real.astype(np.float32))


def learned_codes(tensor: FileTensor, array: Array, outputs: int) -> Learned:
    """Weights of codes, with one scale or one for each output.

    Which axis the file says does not count: TensorFlow Lite Micro does not read it either. Raises
    GraphError where scales or zero points are no such.
    """
    assert tensor.scales is not None
    scales, zeros = tensor.scales.scales, set(tensor.scales.zeros) or {0}
    if len(scales) not in {1, outputs} or not all(map(is_scale, scales)):
        raise GraphError(
            f"{tensor.shown} has scales that do not fit its outputs",
            expected=f"1 or {outputs} positive numbers",
            found=str(len(scales)),
        )
    info = np.iinfo(array.dtype)
    if len(zeros) > 1 or not info.min <= min(zeros) <= info.max:
        raise GraphError(
            f"{tensor.shown} has several zero points, or one that is no {array.dtype}",
            expected="one",
            found=str(sorted(zeros)[:4]),
        )
    return Learned(tensor.name, array, scales, min(zeros))
