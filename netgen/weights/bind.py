"""A weight file's arrays -> a network's parameters, all of them or an error that lists what is off.

netgen's own layouts: convolution weights OHWI, depthwise ones (C, kh, kw, 1), linear ones [O, I].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from netgen.errors import WeightsError
from netgen.weights.naming import listed, one_line, shown
from netgen.weights.order import order_fault
from netgen.weights.read import WeightFile

Layout = Literal["OIHW", "OHWI", "TFLite"]
"""How a file stores 4-D weights: torch's; netgen's own; TensorFlow Lite's, which is OHWI for
convolutions but (1, kh, kw, C) for depthwise ones."""

Parameters = dict[str, npt.NDArray[np.float32]]
_Array = npt.NDArray[np.generic]

_LONGEST_LIST = 100  # characters of tensors that an error has on its one line


def fit(
    file: WeightFile,
    expected: Mapping[str, tuple[int, ...]],
    names: Mapping[str, str],
    ignore: Callable[[str], bool],
    layout: Layout,
) -> Parameters:
    """Take the parameters of a network from a file, by name, in netgen's layouts.

    `expected` maps netgen's parameter names to shapes, `names` the same names to the file's.
    `layout` is the file's. Tensors for which `ignore` holds need not be used. A 2-D parameter also
    takes the weights of a 1x1 convolution, which are the same numbers in the same order.

    Returns float32, C-contiguous, writable arrays in the order of `expected`.

    Raises WeightsError, one for all faults: tensors that are missing, that the network does not
    have, that have another shape (both are shown, in the file's layout), that are no floating point
    numbers, that hold NaN or infinity, or values too large for float32.
    """
    wanted = {names[name] for name in expected}
    faults: dict[str, list[str]] = {
        "missing": [],
        "unexpected": [shown(n) for n in file.arrays if n not in wanted and not ignore(n)],
        "misshapen": [],
        "not floating point": [],
        "not finite": [],
        "too large for float32": [],
    }
    result: Parameters = {}
    for name, shape in expected.items():
        foreign = names[name]
        if foreign not in file.arrays:
            faults["missing"].append(shown(foreign))
            continue
        values = file.arrays[foreign]
        arranged = _arrange(values, shape, layout)
        if arranged.shape != shape:
            stored = _stored_shape(shape, layout)
            faults["misshapen"].append(
                f"{shown(foreign)}: expected {stored}, found {list(values.shape)}"
            )
        elif fault := _value_fault(values):
            kind, detail = fault
            faults[kind].append(f"{shown(foreign)}: {detail}")
        else:
            result[name] = np.array(arranged, np.float32, order="C")
    if any(faults.values()):
        raise _misfit(file, faults)
    return result


def match_fraction(file: WeightFile, names: Mapping[str, str]) -> float:
    """Compute which part (0 to 1) of a name table's foreign names the file has, to choose a table.

    `names` as in `fit`; an empty table matches nothing.
    """
    return sum(foreign in file.arrays for foreign in names.values()) / max(len(names), 1)


def _arrange(values: _Array, shape: tuple[int, ...], layout: Layout) -> _Array:
    """Rearrange a stored array to OHWI, where it is 4-D; otherwise leave it alone.

    `shape` is netgen's, and is only asked whether the weights are depthwise or linear.
    """
    if values.ndim != 4:
        return values
    if layout == "OIHW":
        values = values.transpose(0, 2, 3, 1)
    elif layout == "TFLite" and values.shape != shape and _is_depthwise(shape):
        values = values.transpose(3, 1, 2, 0)
    if len(shape) == 2 and values.shape[1:3] == (1, 1):
        values = values.reshape(values.shape[0], values.shape[3])
    return values


def arranged_shape(values: _Array, shape: tuple[int, ...], layout: Layout) -> tuple[int, ...]:
    """Shape of a file's array in netgen's layout, if it is stored in `layout`."""
    return _arrange(values, shape, layout).shape


def _is_depthwise(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[3] == 1


def _stored_shape(shape: tuple[int, ...], layout: Layout) -> list[int]:
    """Turn netgen's shape into the file's layout: the inverse of `_arrange`."""
    if len(shape) != 4:
        return list(shape)
    o, h, w, i = shape
    if layout == "OIHW":
        return [o, i, h, w]
    # A convolution of one input channel looks the same from here, but is rare.
    if layout == "TFLite" and _is_depthwise(shape):
        return [i, h, w, o]
    return list(shape)


def _value_fault(values: _Array) -> tuple[str, str] | None:
    """Find the kind of fault and its detail; None where float32 holds all values."""
    if not np.issubdtype(values.dtype, np.floating):
        return "not floating point", str(values.dtype)
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        return "not finite", f"{bad} of {values.size} values"
    with np.errstate(over="ignore"):
        bad = int(np.count_nonzero(np.isinf(values.astype(np.float32))))
    if bad:
        return "too large for float32", f"{bad} of {values.size} values"
    return None


def _misfit(file: WeightFile, faults: Mapping[str, list[str]]) -> WeightsError:
    """Lead with numbers and the way out; the tensors follow, on the same line where they fit."""
    found = {kind: tensors for kind, tensors in faults.items() if tensors}
    summary = ", ".join(f"{len(t)} {kind} ({', '.join(t)})" for kind, t in found.items())
    details: list[str] = []
    if len(summary) > _LONGEST_LIST:
        summary = ", ".join(f"{len(tensors)} {kind}" for kind, tensors in found.items())
        details = [line for kind, tensors in found.items() for line in listed(kind, tensors)]
    if not found.keys() & {"missing", "unexpected", "misshapen"}:
        hint = "train or export the weights again"
    else:
        hint = "check the network's parameters (-p: width, classes) against the file's"
    if found.keys() & {"missing", "unexpected"} and order_fault(file) is None:
        hint += ", or take its tensors in their order (--by-position)"
    return WeightsError(
        f"the weights do not fit the network: {summary}",
        where=one_line(str(file.path)),
        hint=hint,
        details=details,
    )
