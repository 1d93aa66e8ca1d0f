"""Inputs that are loaded several at once, and multiplied by lane: the same bits as one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netgen.kernels.targets
from netgen.kernels import find_kernel
from netgen.kernels.layer import Layer
from netgen.kernels.layout import Layout
from netgen.kernels.products import describe_loads
from netgen.kernels.targets import find_target
from netgen.ops.conv2d import Conv2d
from tests.emission.programs import WARNINGS, emission
from tests.kernels.laid_out import Call, run_built
from tests.kernels.layers import SingleLayer, network_of, normal_inputs
from tests.kernels.product_layers import Shape, layer_of, normal_values, shuffled, spread
from tests.meaning import meaning
from tests.tools import AARCH64_GCC

AARCH64 = find_target("aarch64")
SCALAR = AARCH64.retiled("f32", replace(AARCH64.f32, lanes_of_inputs=0))
AS_PROGRAM = ("-static", *AARCH64.flags("gcc"))
PAD = (1, 1, 1, 1)


def _layer(op: Conv2d, image: Shape, outputs: int, size: int, **layouts: Layout) -> Layer:
    shapes = {"x": image, "w": (outputs, size, size, image[-1] // op.groups), "b": (outputs,)}
    return replace(layer_of(op, shapes), layouts=layouts)


# By kernel: runs of inputs that are whole loads, have a rest, or are too short; rests of tiles.
LAYERS = {
    "pointwise_f32": [
        *(_layer(Conv2d(act="relu6"), (1, 3, 7, k), 40, 1) for k in (1, 3, 4, 6, 7, 8, 33)),
        _layer(Conv2d(), (1, 3, 7, 25), 20, 1, x=spread(3, 4, 18)),
        _layer(Conv2d(), (1, 3, 7, 24), 20, 1, x=spread(4, 20), y=spread(7, 13)),
        _layer(Conv2d(groups=3), (1, 4, 5, 36), 60, 1, x=shuffled(3, 12), y=spread(25, 35)),
        _layer(Conv2d(groups=2), (1, 4, 5, 22), 24, 1),
    ],
    "conv2d_f32": [
        *(_layer(Conv2d(pad=PAD, act="relu"), (1, 4, 13, c), 20, 3) for c in (1, 3, 4, 10)),
        _layer(Conv2d((2, 2), PAD), (1, 7, 29, 3), 37, 3),
        _layer(Conv2d(pad=PAD), (1, 4, 9, 10), 20, 3, x=spread(10)),
        _layer(Conv2d(pad=PAD), (1, 4, 9, 10), 20, 3, x=spread(4, 6), y=spread(7, 13)),
        _layer(Conv2d(pad=PAD), (1, 4, 9, 6), 20, 3, x=spread(3, 3)),
    ],
}


@pytest.mark.parametrize(
    "kernel",
    [pytest.param(k, marks=[pytest.mark.heavy] * (k == "conv2d_f32")) for k in LAYERS],
)
def test_lanes_give_the_same_bits(kernel: str, tmp_path: Path) -> None:
    calls = []
    for layer in LAYERS[kernel]:
        shapes = {letter: kind.shape for letter, kind in layer.operands.items()}
        calls.append(Call(find_kernel(kernel), layer, normal_values(shapes, 3)))
    command = [AARCH64_GCC, *AS_PROGRAM, *WARNINGS]
    found, expected = (run_built(calls, target, tmp_path, command) for target in (AARCH64, SCALAR))
    for call, by_lane, one_by_one in zip(calls, found, expected, strict=True):
        assert by_lane.tobytes() == one_by_one.tobytes(), call
        values = [call.values[letter].astype(float) for letter in call.layer.operands]
        meant = meaning(call.layer.op, values)
        assert np.abs(by_lane - meant).max() <= 1e-5 * np.abs(meant).max(), call


def test_lanes_of_winograd_give_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kernels have scratch, so they are compiled as a model."""
    op = Conv2d(pad=PAD, act="relu")
    shapes = [((1, 13, 14, c), (40, 3, 3, c), (40,)) for c in (32, 41)]
    graph = network_of([SingleLayer(op, operands) for operands in shapes])
    inputs = normal_inputs(graph)
    results = []
    for target in (AARCH64, SCALAR):
        monkeypatch.setattr(netgen.kernels.targets, "TARGETS", (target,))
        emitted = emission(graph, "aarch64", fuse=False)
        assert all("winograd" in instance.kernel for instance in emitted.plan.instances)
        program = emitted.build(tmp_path, [AARCH64_GCC, *AS_PROGRAM])
        results.append(emitted.run(program, inputs))
    found, expected = results
    assert {a: y.tobytes() for a, y in found.items()} == {
        a: y.tobytes() for a, y in expected.items()
    }


@given(st.lists(st.integers(0, 40), min_size=1, max_size=5))
def test_loads_take_all_of_each_run(lengths: list[int]) -> None:
    loads = describe_loads(lengths, AARCH64.f32)
    assert describe_loads(lengths, SCALAR.f32) == {}
    rest = {"together": 4, "alone": max(length % 4 for length in lengths)}
    assert loads == (rest if max(lengths) >= 4 else {})
