"""Choices of a depthwise convolution: tiles of one row or two, and the order of the loops."""

from __future__ import annotations

import math

from netgen.kernels.geometry import input_columns
from netgen.kernels.layer import Choice, Layer
from netgen.kernels.row_pairs import late_columns
from netgen.kernels.split_loops import rows_of_call
from netgen.kernels.targets import Target
from netgen.kernels.tiles import diagonally
from netgen.ops.window import Window

# With 3 by 3 taps more outputs than this and their inputs outgrow 32 registers.
_MOST_UNROLLED = 16
# More columns than these keep too many outputs waiting.
_MOST_LATE = 4
# Pairs have twice the code, and more taps gain nothing by them.
_MOST_PAIRED = 25
# Bytes of outputs that wait on the stack.
_MOST_WAITING = 2048
# As many taps as registers hold beside the outputs of a tile.
_MOST_OUTSIDE = 9
# Floats of a cache line, and the bytes after which lines fall into the same set.
_LINE = 16
_WAY = 4096
# What a tap takes to load from the first-level cache, or from the second one, where reading a
# vector of inputs in the order of memory saves 1: measured on x86-64-v3 and -v4.
_TAP_CYCLES = 1.2
_FAR_TAP_CYCLES = 3.0


def depthwise_choices(layer: Layer, window: Window, target: Target) -> tuple[Choice, ...]:
    """All ways, the own one first: columns at once, rows in pairs or not, order of loops."""
    columns, own = input_columns(layer, window).interior, own_choice(layer, window, target)
    unroll, pairs, order = own["unroll"], own["pairs"], own["tiles_outside"]
    # What is more than a row has comes to the same as the row.
    others = [n for n in range(1, min(columns, _MOST_UNROLLED) + 1) if n != min(unroll, columns)]
    unrolls = [unroll, *sorted(others, key=lambda n: abs(n - unroll))]
    ways = [(pairs, order), (pairs, 1 - order), (1 - pairs, order), (1 - pairs, 1 - order)]
    may_pair = [_may_pair(layer, window, target, outside=outside) for outside in (False, True)]
    return tuple(
        {"unroll": n, "pairs": pair, "tiles_outside": outside}
        for n, (pair, outside) in diagonally(unrolls, ways)
        if not pair or (may_pair[outside] and n <= max(_MOST_UNROLLED // 2, unroll))
    )


def own_choice(layer: Layer, window: Window, target: Target) -> Choice:
    """The choice that takes the fewest estimated cycles."""
    unroll = target.f32.depthwise_unroll
    outside = target.cache_miss > 0 and _gains_outside(layer, window, target, unroll)
    pairs = target.f32.depthwise_pairs and _may_pair(layer, window, target, outside=outside)
    return {"unroll": unroll, "pairs": int(pairs), "tiles_outside": int(outside)}


def _may_pair(layer: Layer, window: Window, target: Target, *, outside: bool) -> bool:
    """Whether a call has two rows with inputs in common, and may compute them at once over x, too.

    The choice is made before it is known whether y takes the place of x. Outputs that then wait are
    those of one vector, with tiles `outside` those of all channels.
    """
    taps = window.size[0] * window.size[1]
    if rows_of_call(layer) < 2 or window.stride[0] >= window.size[0] or taps > _MOST_PAIRED:
        return False
    late, columns = late_columns(layer, window, target), input_columns(layer, window)
    if late is None or late > min(_MOST_LATE, columns.left + columns.interior):
        return False
    return not outside or 4 * late * layer.result.shape[3] <= _MOST_WAITING


def _gains_outside(layer: Layer, window: Window, target: Target, unroll: int) -> bool:
    """Whether tiles belong outside the loops over vectors of channels.

    So they do where the rows of a window do not stay in the first-level cache: they come faster
    from the second one if pixels are read in the order of memory, and once, however narrow vectors
    are. But each tile loads its taps, which ought to stay. Where pixels are so far apart that all
    fall into a few sets of the cache, no line stays for its second vector. Taps of larger windows
    than 3 by 3 stay in no registers in either order.
    """
    pixel, taps = 4 * layer.result.shape[3], window.size[0] * window.size[1]
    width, columns = layer.operands["x"].shape[2], input_columns(layer, window)
    # The rows of a band are what the layer before has written last.
    cached = target.cache_l1 * (1.5 if layer.band else 1.0)
    if taps > _MOST_OUTSIDE or window.size[0] * width * pixel <= cached:
        return False
    lines = max(_LINE / target.f32.vector_widths[0], 1.0)
    sets = _WAY // math.gcd(_WAY, 4 * layer.layout("x").pitch)
    if lines > 1.0 and window.size[0] * width > sets * target.cache_l1 // _WAY:
        return True
    reads = window.size[0] * width * lines
    tiles = layer.result.shape[2] - columns.interior + -(-columns.interior // unroll)
    load = _TAP_CYCLES if (1 + taps) * pixel <= target.cache_l1 / 3 else _FAR_TAP_CYCLES
    return reads > load * tiles * (1 + taps)
