"""Cast of arrays that are known."""

from __future__ import annotations

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, Known

# TensorProto.DataType: what NumPy has of its own.
_KINDS = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
}


def cast(call: Call) -> Known:
    """Cast to an element type that NumPy has, from any with numbers.

    A float that the integers do not have is refused: ONNX leaves the result open, and processors
    differ in it. What `saturate` and `round_mode` say is of types of 8 bits alone.
    """
    call.flag("saturate", 1)
    array = call.known(0, "input 1")
    if array is None:
        raise GraphError("input 1 is missing")
    kind = _KINDS.get(call.integer("to"))
    if kind is None:
        raise GraphError(
            "a cast to an element type that netgen does not read",
            expected="one of " + ", ".join(_KINDS.values()),
            found=f"type {call.integer('to')} of ONNX",
        )
    call.budget.take(array.size)
    # The types of other packages, bfloat16 among them, all go into a float32.
    source = array.astype(np.float32) if array.dtype.kind == "V" else array
    if source.dtype.kind == "f" and np.dtype(kind).kind in "iu":
        _check_range(source, np.iinfo(kind))
    return source.astype(kind)


def _check_range(array: Known, kind: np.iinfo) -> None:
    whole = np.trunc(array.astype(np.float64))
    fits = (whole >= float(kind.min)) & (whole < float(kind.max + 1))
    if not fits.all():
        raise GraphError(
            f"a number is cast to {kind.dtype}, which does not have it",
            expected=f"{kind.min} to {kind.max}",
            found=str(array[~fits][0]),
        )
