"""Layers that mix channels, their operands, and the layouts that ShuffleNets give them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.kernels.layer import Layer
from netgen.kernels.layout import Layout, layout_of
from tests.kernels.laid_out import Floats

Shape = tuple[int, ...]


def layer_of(op: Operator, shapes: Mapping[str, Shape]) -> Layer:
    types = {letter: TensorType("f32", shape) for letter, shape in shapes.items()}
    return Layer(op, types, op.infer([*types.values()]), frozenset({"w", "b"}))


def normal_values(shapes: Mapping[str, Shape], seed: int) -> dict[str, Floats]:
    """Operands of unit variance, which weights keep."""
    draw = np.random.default_rng(seed)
    values = {a: draw.standard_normal(shape) for a, shape in shapes.items()}
    values["w"] /= np.sqrt(np.prod(shapes["w"][1:]))
    return {letter: array.astype(np.float32) for letter, array in values.items()}


def spread(*lengths: int, gap: int = 5) -> Layout:
    """Runs of so many channels, each behind a gap."""
    starts = np.cumsum([gap, *(n + gap for n in lengths)])
    runs = [np.arange(a, a + n) for a, n in zip(starts, lengths, strict=False)]
    return layout_of(int(starts[-1]), np.concatenate(runs))


def shuffled(groups: int, channels: int) -> Layout:
    """The places of a channel_shuffle's channels in its dense operand."""
    return layout_of(groups * channels, np.arange(groups * channels).reshape(groups, -1).T.ravel())
