"""Bytes that a kernel packs: as many as it computes from shapes alone."""

from __future__ import annotations

import numpy as np
import pytest

from netgen.ir.tensor_type import TensorType
from netgen.kernels import KERNELS
from netgen.kernels.layer import Layer
from netgen.kernels.targets import TARGETS, Target
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d
from netgen.ops.mul import Mul
from tests.kernels.layers import KINDS, SingleLayer, drawn_layers

WHOLE, EACH = (1, 3, 4, 9), (1, 1, 1, 9)
# What is drawn has neither operands of the same kind that are constants, nor Winograd's windows.
OTHERS = [
    *(SingleLayer(op, (WHOLE, b)) for op in (Add(), Mul()) for b in (WHOLE, EACH)),
    SingleLayer(Conv2d(pad=(1, 1, 1, 1)), ((1, 12, 12, 8), (20, 3, 3, 8), (20,))),
]


def layer_of(drawn: SingleLayer, constant: frozenset[str]) -> Layer:
    types = {
        letter: TensorType("f32", shape)
        for letter, shape in zip(drawn.op.operand_names, drawn.shapes, strict=False)
    }
    return Layer(drawn.op, types, drawn.result, constant & types.keys())


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_bytes_from_shapes_are_those_that_are_packed(target: Target) -> None:
    seen: set[str] = set()
    for drawn in [*drawn_layers(5, KINDS, 4 * len(KINDS)), *OTHERS]:
        for kernel in KERNELS:
            layer = layer_of(drawn, frozenset(kernel.constants))
            fits = isinstance(layer.op, kernel.operators) and kernel.runs_on(target)
            if not (kernel.constants and fits and kernel.computes(layer) and kernel.accepts(layer)):
                continue
            seen.add(kernel.name)
            arrays = {a: np.ones(layer.operands[a].shape, np.float32) for a in layer.constant}
            packed = kernel.pack(layer, target, arrays)
            assert packed.nbytes == kernel.packed_bytes(layer, target), kernel.name
            assert packed.nbytes % 4 == 0
    packing = {kernel.name for kernel in KERNELS if kernel.constants and kernel.runs_on(target)}
    assert seen == packing
