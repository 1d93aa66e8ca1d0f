"""Calls of the kernels of small processors, drawn at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from netgen.errors import WeightsError
from netgen.kernels import find_kernel
from netgen.kernels.layer import BandShape, Choice, Kernel, Layer
from netgen.kernels.layout import Layout, layout_of
from netgen.kernels.targets import Target, find_target
from netgen.ops.conv2d import Conv2d
from netgen.ops.weighted import Weighted
from tests.kernels.i8.bounded_sums import bounded_calls
from tests.kernels.i8.coded_calls import CodedCall
from tests.kernels.i8.product_layers import Window, call_of, networks
from tests.kernels.i8.test_depthwise_conv2d import drawn

PAIRS, PLANES = find_kernel("product_pairs_i8"), find_kernel("depthwise_planes_i8")
DOTS, DOT_PLANES = find_kernel("product_dots_i8"), find_kernel("depthwise_dots_i8")
SMALL = ("cortex-m", "cortex-m-dsp", "riscv")


def product_calls(count: int, first: int = 0) -> list[CodedCall]:
    """Products: of networks, with the largest sums, and of any window, layout and band.

    Beside so many there are those whose sums become codes in either way.
    """
    calls = [_of_kernel(call) for call in networks([1])[-2:]] if not first else []
    shapes = [Window((1, 3, 700), 9), Window((3, 5, 17), 6, (3, 3), pad=(1, 1, 1, 1))]
    calls += [_of_kernel(call_of(s, first, extremes=True)) for s in shapes]
    seeds = iter(range(first, first + 50 * count))
    while len(calls) < count:
        call = _product(next(seeds))
        if call is not None:
            calls.append(call)
    return [*calls, *map(_of_kernel, bounded_calls(first))]


def depthwise_calls(target: Target, count: int, first: int = 0) -> list[CodedCall]:
    """Depthwise layers of 3 by 3 taps, of any layout and band."""
    calls = [] if first else [_with_gap()]
    for call in _depthwise(first):
        try:
            call.packed(target)
        except WeightsError:
            continue
        choice = None if len(calls) % 2 else {"planes": 0}
        calls.append(replace(call, layer=replace(call.layer, choice=choice)))
        if len(calls) >= count:
            break
    return calls


def _with_gap() -> CodedCall:
    """A layer whose groups of channels stand four apart, though the first has three."""
    drawn_calls = (c for c in _depthwise(0) if c.layer.result.shape[3] == 8 and not c.layer.band)
    call = next(drawn_calls)
    places = layout_of(9, np.array([0, 1, 2, 4, 5, 6, 7, 8]))
    return replace(call, layer=replace(call.layer, layouts={"x": places, "y": places}))


def dot_calls(target: Target, count: int, first: int = 0) -> list[CodedCall]:
    """The calls above that Helium's kernels take, of products and of depthwise layers."""
    drawn = (
        *((DOTS, call) for call in product_calls(count, first)),
        *((DOT_PLANES, call) for call in depthwise_calls(target, count, first)),
    )
    return [
        replace(call, kernel=kernel)
        for kernel, call in drawn
        if kernel.accepts(call.layer) and kernel.computes(call.layer)
    ]


def ways(calls: Sequence[CodedCall], target: Target) -> set[int]:
    """The ways of fixed rounding, 0 and 1: the first word of the numbers of each panel."""
    found: set[int] = set()
    for call in calls:
        assert isinstance(call.layer.op, Weighted)
        if call.layer.op.rounding in {"real", "even"}:
            continue
        parameters = call.kernel.parameters(call.layer, target)
        words, numbers = parameters["constant_words"], parameters["numbers"]
        assert isinstance(words, int)
        assert isinstance(numbers, int)
        found |= set(call.packed(target)[:words:numbers].tolist())
    return found


def _depthwise(first: int) -> Iterator[CodedCall]:
    for seed in range(first, first + 100_000):
        call = drawn(seed, "x86-64-v3")
        if call is not None and PLANES.accepts(call.layer):
            yield _of_kernel(call, PLANES)


def _of_kernel(call: CodedCall, kernel: object = PAIRS) -> CodedCall:
    assert kernel in {PAIRS, PLANES}
    own = PAIRS if kernel is PAIRS else PLANES
    return replace(call, kernel=own, layer=replace(call.layer, choice=None), split=None)


def _product(seed: int) -> CodedCall | None:
    """A layer with all of its sizes drawn; None if the window does not fit the image."""
    draw = np.random.default_rng(seed)
    size, dilation = draw.integers(1, 4, 2), draw.integers(1, 3, 2)
    pad = draw.integers(0, 3, 4) if draw.random() < 0.6 else np.zeros(4, np.int64)
    if draw.random() < 0.3:
        size, dilation, pad = np.ones(2, int), np.ones(2, int), np.zeros(4, int)
    image = draw.integers(1, 10, 2)
    if ((size - 1) * dilation + 1 > image + pad[[0, 2]] + pad[[1, 3]]).any():
        return None
    inputs, outputs = int(draw.choice([1, 2, 3, 4, 5, 8, 17, 24])), int(draw.integers(1, 21))
    (r, s), (u, v), (d, e) = size.tolist(), draw.integers(1, 3, 2).tolist(), dilation.tolist()
    top, bottom, left, right = pad.tolist()
    window = Window(
        (int(image[0]), int(image[1]), inputs),
        outputs,
        (r, s),
        (u, v),
        (top, bottom, left, right),
        (d, e),
    )
    call = call_of(
        window,
        seed,
        act=str(draw.choice(["none", "relu", "relu6"])),
        rounding=str(draw.choice(["fixed", "fixed", "fixed32", "real", "even"])),
        linear=draw.random() < 0.1,
        dtype=str(draw.choice(["i8", "i8", "u8"])),
    )
    layer = call.layer
    layer = replace(layer, layouts={a: _layout(layer.layout(a), draw) for a in ("x", "y")})
    if isinstance(layer.op, Conv2d) and draw.random() < 0.5:
        rows = int(draw.integers(1, layer.result.shape[1] + 1))
        reach = (rows - 1) * window.stride[0] + (window.size[0] - 1) * window.dilation[0] + 1
        slots = min(reach + int(draw.integers(0, 2)), window.image[0])
        band = BandShape(rows, slots, window.image[1] + int(draw.integers(0, 2)))
        call = replace(call, first=int(draw.integers(layer.result.shape[1] - rows + 1)))
        layer = replace(layer, band=band)
    return replace(_of_kernel(call), layer=replace(layer, choice=_choice(PAIRS, layer, draw)))


def _choice(kernel: Kernel, layer: Layer, draw: np.random.Generator) -> Choice | None:
    """The kernel's own choice, named or not, or another one."""
    offered = kernel.choices(layer, find_target(SMALL[0]))
    return (None, *offered)[int(draw.integers(len(offered) + 1))]


def _layout(dense: Layout, draw: np.random.Generator) -> Layout:
    """The layout as it is, in two runs, or with channels anywhere."""
    way, channels = draw.random(), dense.channels
    if way < 0.5:
        return dense
    pitch = channels + int(draw.integers(0, 4))
    places = draw.permutation(pitch)[:channels]
    if way < 0.8:
        places = np.roll(np.arange(channels), int(draw.integers(channels))) + pitch - channels
    return layout_of(pitch, places)
