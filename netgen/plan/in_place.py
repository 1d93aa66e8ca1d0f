"""A depthwise convolution whose rows take the place of rows that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.kernels.layout import Places
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.plan.memory import Floats, Memory
from netgen.plan.order import Band
from netgen.plan.plan import Step


def run_depthwise_in_place(
    memory: Memory, step: Step, constants: Mapping[str, Array], band: Band
) -> None:
    """Pixel by pixel, each output computed from the memory as it is at that moment.

    At a distance of whole pixels channels cannot meet each other, and all are computed at once;
    otherwise one after the other along each row, as a kernel does that goes along rows.
    """
    assert isinstance(step.op, DepthwiseConv2d)
    plan, op, x, y = memory.plan, step.op, step.reads["x"], step.writes
    window = op.window(constants["w"].shape)
    _, height, width, channels = plan.values[x].type.shape
    point = replace(op, stride=(1, 1), pad=(0, 0, 0, 0))
    distance = plan.buffer_of(x).offset - plan.buffer_of(y).offset
    whole = distance % (4 * plan.buffer_of(x).pitch) == 0
    groups = [np.arange(channels)] if whole else [np.array([c]) for c in range(channels)]
    reach = [(k - 1) * d + 1 for k, d in zip(window.size, window.dilation, strict=True)]
    for i in range(band.first, band.end):
        top = i * window.stride[0] - window.pad[0]
        begin, end = max(top, 0), min(max(top + reach[0], 0), height)
        inputs, outputs = plan.elements(x, begin, end), plan.elements(y, i, i + 1)[0]
        for group in groups:
            weights = [constants[a][group] for a in op.operand_names if a in constants]
            for j in range(outputs.shape[0]):
                left = j * window.stride[1] - window.pad[2]
                sides = max(left, 0), min(max(left + reach[1], 0), width)
                patch = np.zeros((1, reach[0], reach[1], len(group)))
                seen = _gather(memory.floats(x), inputs[:, slice(*sides), group])
                rows, columns = begin - top, sides[0] - left
                patch[0, rows : rows + seen.shape[0], columns : columns + seen.shape[1]] = seen
                result = point.reference([patch, *weights])[0, 0, 0]
                memory.floats(y)[outputs[j, group]] = result.astype(np.float32)


def _gather(floats: Floats, at: Places) -> Array:
    return floats[at].astype(np.float64)
