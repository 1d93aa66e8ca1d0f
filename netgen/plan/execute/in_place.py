"""A depthwise convolution whose rows take the place of rows that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array
from netgen.kernels.layout import Places
from netgen.ops.window import Sliding
from netgen.plan.data.execution_order import Band
from netgen.plan.data.pixel_order import pixel_order
from netgen.plan.data.plan import Step
from netgen.plan.execute.memory import Memory


def run_in_place(
    memory: Memory,
    step: Step,
    constants: Mapping[str, Array],
    signature: Signature,
    band: Band,
) -> None:
    """Pixel by pixel, each output computed from the memory as it is at that moment.

    Of rows that the kernel computes at once all outputs of a column come before the first of them
    is written. At a distance of whole pixels channels cannot meet each other, and all are computed
    at once; otherwise one after the other along those rows, as a kernel does that goes along rows.
    """
    plan, x, y = memory.plan, step.reads["x"], step.writes
    channels = plan.values[x].type.shape[3]
    distance = plan.buffer_of(x).offset - plan.buffer_of(y).offset
    whole = distance % (plan.buffer_of(x).element_bytes * plan.buffer_of(x).pitch) == 0
    groups = [np.arange(channels)] if whole else [np.array([c]) for c in range(channels)]
    order = pixel_order(plan, step)
    for first in range(band.first, band.end, order.rows):
        rows = range(first, min(first + order.rows, band.end))
        outputs = plan.elements(y, rows.start, rows.stop)
        for group in groups:
            waiting: list[tuple[Places, Array]] = []
            for j in range(outputs.shape[1]):
                found = [_pixel(memory, step, constants, signature, (i, j), group) for i in rows]
                for i, values in enumerate(found):
                    if i and j < order.late:
                        waiting.append((outputs[i, j, group], values))
                    else:
                        memory.store(y, outputs[i, j, group], values)
            for at, values in waiting:
                memory.store(y, at, values)


def _pixel(
    memory: Memory,
    step: Step,
    constants: Mapping[str, Array],
    signature: Signature,
    at: tuple[int, int],
    group: Places,
) -> Array:
    """Some channels of one output, from the memory as it is."""
    assert isinstance(step.op, Sliding)
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
    kind = plan.values[x].type
    patch = np.full((1, *reach, len(group)), kind.zero, kind.element.working)
    inputs = plan.elements(x, begin, end)[:, slice(*sides), group]
    seen = memory.load(x, inputs).astype(kind.element.working)
    rows, columns = begin - top, sides[0] - left
    patch[0, rows : rows + seen.shape[0], columns : columns + seen.shape[1]] = seen
    # Scales along an axis are those of outputs.
    scales = {name: scale[group] for name, scale in signature.scales.items()}
    result = point.reference([patch, *weights], replace(signature, scales=scales))[0, 0, 0]
    return plan.values[step.writes].type.element.store(result)
