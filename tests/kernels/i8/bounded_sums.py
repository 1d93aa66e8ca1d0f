"""Layers with sums around 2^30 and multipliers of any size, where the ways to codes part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.i8.sums import checked_sums
from netgen.ops.weighted import Weighted
from tests.kernels.i8.coded_calls import CodedCall
from tests.kernels.i8.product_layers import Window, call_of

# A multiplier, and the greatest sum that an output may have: none is the drawn bias. Multipliers
# shift by -23, 0, 2, and at their least and most quick shift.
Ends = tuple[float, int | None]
_DRAWN: Ends = (0.75 * 2.0**-12, None)
_MIXED: tuple[Ends, ...] = (
    (0.75 * 2.0**-23, 2**30 + 5), _DRAWN, _DRAWN, _DRAWN, (0.75, None), (3.0, None),
)  # fmt: skip
_AT_MOST: tuple[Ends, ...] = (
    (0.6 * 2.0**-20, 2**30 - 1), (0.99 * 2.0**-20, 2**30 - 1), (0.6 * 2.0**-1, None), _DRAWN,
    (0.6 * 2.0**-20, 2**30), _DRAWN, _DRAWN, _DRAWN,
)  # fmt: skip
# Enough inputs for sums from one end to the other of what doubles without overflow.
_WIDE = Window((1, 1, 32_890), 8)


def bounded_calls(first: int) -> list[CodedCall]:
    """Convolutions with sums of every kind, and linear layers at whose ends sums are quick."""
    small = [
        _bounded(Window((3, 5, 700), 6), first, _MIXED, act="relu"),
        _bounded(Window((3, 5, 17), 6, (3, 3), pad=(1, 1, 1, 1)), first, _MIXED, dtype="u8"),
    ]
    wide = _bounded(_WIDE, first, _AT_MOST, linear=True)
    # All codes at one end: sums are those at their ends.
    element, x = wide.layer.operands["x"].element, wide.values["x"]
    both = [np.full_like(x, end) for end in (element.low, element.high)]
    return [*small, *(replace(wide, values={**wide.values, "x": each}) for each in both)]


def _bounded(
    window: Window,
    first: int,
    ends: Sequence[Ends],
    *,
    act: str = "none",
    linear: bool = False,
    dtype: str = "i8",
) -> CodedCall:
    """The layer of the first seed that has a bias, scales of its own and x of one sign."""
    for seed in range(first, first + 1000):
        call = call_of(window, seed, act=act, extremes=True, linear=linear, dtype=dtype)
        x = call.layer.operands["x"]
        if call.scales and "b" in call.values and x.zero in {x.element.low, x.element.high}:
            return _with_ends(call, ends)
    raise AssertionError("no seed gives such a layer")


def _with_ends(call: CodedCall, ends: Sequence[Ends]) -> CodedCall:
    layer, op = call.layer, call.layer.op
    assert isinstance(op, Weighted)
    result = layer.result.quantisation
    x = layer.operands["x"].quantisation
    assert result is not None
    assert x is not None
    ratio = float(result.scale) / float(x.scale)
    scales = np.array([np.float32(multiplier * ratio) for multiplier, _ in ends], np.float64)
    quick = {"w": call.values["w"], "w.scale": np.full(len(ends), ratio * 2.0**-12)}
    _, high = checked_sums(layer, quick)
    bias: Array = np.array(
        [
            drawn if most is None else most - greatest
            for drawn, (_, most), greatest in zip(call.values["b"], ends, high, strict=True)
        ]
    ).astype(np.int32)
    return replace(call, values={**call.values, "b": bias}, scales={"s": scales})
