"""Inputs of one inference: the caller's arrays, checked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from netgen.errors import InputError
from netgen.ir.tensor_type import Array, TensorType


def input_array(name: str, kind: TensorType, inputs: Mapping[str, npt.ArrayLike]) -> Array:
    """The caller's array for an input, as it was given: floats of any type, codes of their own.

    Raises InputError where it is missing, misshapen or of another type than the codes.
    """
    if name not in inputs:
        raise InputError(f"no array for the input %{name}")
    given, element = np.asarray(inputs[name]), kind.element
    if given.shape != kind.shape:
        raise InputError(
            f"the array for the input %{name} has the wrong shape",
            expected=str(list(kind.shape)),
            found=str(list(given.shape)),
        )
    if not element.is_float and given.dtype != element.storage:
        raise InputError(
            f"the array for the input %{name} has the wrong element type",
            expected=f"{element.storage} as {kind}",
            found=str(given.dtype),
        )
    return given
