"""A depthwise convolution whose rows take the place of rows that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.layout import Places
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.plan.data.execution_order import Band
from netgen.plan.data.pixel_order import pixel_order
from netgen.plan.data.plan import Step
from netgen.plan.execute.memory import Floats, Memory


def run_depthwise_in_place(
    memory: Memory, step: Step, constants: Mapping[str, Array], band: Band
) -> None:
    """Pixel by pixel, each output computed from the memory as it is at that moment.

    Of rows that the kernel computes at once all outputs of a column come before the first of them
    is written. At a distance of whole pixels channels cannot meet each other, and all are computed
    at once; otherwise one after the other along those rows, as a kernel does that goes along rows.
    """
    plan, x, y = memory.plan, step.reads["x"], step.writes
    channels = plan.values[x].type.shape[3]
    distance = plan.buffer_of(x).offset - plan.buffer_of(y).offset
    whole = distance % (4 * plan.buffer_of(x).pitch) == 0
    groups = [np.arange(channels)] if whole else [np.array([c]) for c in range(channels)]
    order = pixel_order(plan, step)
    for first in range(band.first, band.end, order.rows):
        rows = range(first, min(first + order.rows, band.end))
        outputs = plan.elements(y, rows.start, rows.stop)
        for group in groups:
            waiting: list[tuple[Places, Floats]] = []
            for j in range(outputs.shape[1]):
                found = [_pixel(memory, step, constants, (i, j), group) for i in rows]
                for i, values in enumerate(found):
                    if i and j < order.late:
                        waiting.append((outputs[i, j, group], values))
                    else:
                        memory.floats(y)[outputs[i, j, group]] = values
            for at, values in waiting:
                memory.floats(y)[at] = values


def _pixel(
    memory: Memory,
    step: Step,
    constants: Mapping[str, Array],
    at: tuple[int, int],
    group: Places,
) -> Floats:
    """Some channels of one output, from the memory as it is."""
    assert isinstance(step.op, DepthwiseConv2d)
    plan, op, x = memory.plan, step.op, step.reads["x"]
    window = op.window(constants["w"].shape)
    _, height, width, _ = plan.values[x].type.shape
    point = replace(op, stride=(1, 1), pad=(0, 0, 0, 0))
    reach = [(k - 1) * d + 1 for k, d in zip(window.size, window.dilation, strict=True)]
    top = at[0] * window.stride[0] - window.pad[0]
    left = at[1] * window.stride[1] - window.pad[2]
    begin, end = max(top, 0), min(max(top + reach[0], 0), height)
    sides = max(left, 0), min(max(left + reach[1], 0), width)
    weights = [constants[a][group] for a in op.operand_names if a in constants]
    patch = np.zeros((1, reach[0], reach[1], len(group)))
    inputs = plan.elements(x, begin, end)[:, slice(*sides), group]
    seen = memory.floats(x)[inputs].astype(np.float64)
    rows, columns = begin - top, sides[0] - left
    patch[0, rows : rows + seen.shape[0], columns : columns + seen.shape[1]] = seen
    result: Floats = point.reference([patch, *weights])[0, 0, 0].astype(np.float32)
    return result
