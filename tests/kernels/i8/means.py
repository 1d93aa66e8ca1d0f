"""Global averages of codes, drawn at random: all sizes, scales from near to far apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from netgen.errors import GraphError
from netgen.ir.tensor_type import ELEMENTS, Array, Quantisation, TensorType
from netgen.ops.global_avg_pool import GlobalAvgPool
from tests.litert import litert


@dataclass(frozen=True)
class Mean:
    """An operator, the types of x and of the result, and codes of x as they are stored."""

    op: GlobalAvgPool
    x: TensorType
    y: TensorType
    codes: Array

    def expected(self, *, keep_dims: bool = True) -> Array:
        """The codes of TensorFlow Lite's reference kernel, in one row."""
        options = "ReducerOptions", {"keepDims": keep_dims}
        found = litert("MEAN", self.codes, (self.x, self.y), np.array([1, 2]), options=options)
        return found.reshape(-1)


def mean_of(codes: Array, scales: tuple[float, float], zeros: tuple[int, int]) -> Mean:
    """A mean of i8 or u8, whose scales are rounded to float32. Raises GraphError."""
    dtype = {"int8": "i8", "uint8": "u8"}[codes.dtype.name]
    before, behind = (float(np.float32(scale)) for scale in scales)
    x = TensorType(dtype, codes.shape, Quantisation(before, zeros[0]))
    op = GlobalAvgPool(scale=behind, zero=zeros[1])
    return Mean(op, x, op.result_type([x]), codes)


def drawn(seed: int, count: int, *, most: int = 40) -> Iterator[Mean]:
    """So many means of up to `most` by `most` pixels and 70 channels, none of which is refused."""
    draw = np.random.default_rng(seed)
    while count:
        element = ELEMENTS[str(draw.choice(["i8", "u8"]))]
        shape = (1, *draw.integers(1, most + 1, 2).tolist(), int(draw.integers(1, 71)))
        scale = 2.0 ** draw.uniform(-20, 8)
        near, ratio = draw.uniform(-2, 2), draw.uniform(-40, 22)
        ratio = 2.0 ** draw.choice([near, near, near, np.round(near), ratio])
        zeros = draw.integers(element.low, element.high + 1, 2).tolist()
        # Around a centre by channel: anywhere, or where the result is in range.
        centre = draw.integers(element.low, element.high + 1, (1, 1, 1, shape[3]))
        spread = int(draw.choice([1, 5, 200]))
        if draw.random() < 0.3:
            centre, spread = np.full(centre.shape, zeros[0]), int(draw.choice([1, 2, 30]))
        codes = centre + draw.integers(-spread, spread + 1, shape)
        stored = np.clip(codes, element.low, element.high).astype(element.storage)
        try:
            mean = mean_of(stored, (scale, scale / ratio), (zeros[0], zeros[1]))
        except GraphError:
            continue
        yield mean
        count -= 1


def ties() -> Iterator[Mean]:
    """Means of 4 codes by channel, of all sums, and scales at which many of them are ties."""
    for dtype in ("i8", "u8"):
        element = ELEMENTS[dtype]
        one = np.arange(element.low, element.high + 1)
        # Each code beside itself or the one before it.
        pixels = np.stack([one, np.maximum(one - 1, element.low), one, one])
        codes = pixels.reshape(1, 2, 2, -1).astype(element.storage)
        for scale in (0.5, 1.0, 2.0, 8.0):
            for zero in (element.low + 1, element.low + 128):
                yield mean_of(codes, (1.0, scale), (zero, element.low + 128))
