"""Codes in the numeric form of ONNX: float32 factors, halves to even."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import netgen
from netgen.errors import PlanError
from netgen.ir.graph import ConstantArray, Graph, Node
from netgen.ir.interpret import interpret
from netgen.ir.operator import Const, Input, Operator
from netgen.ir.tensor_type import Array, Quantisation, TensorType
from netgen.kernels.i8.float_forms import Codes
from netgen.kernels.i8.requantisation import (
    AFFINE,
    EVEN,
    Requantisation,
    pack_requantisation,
    scaling_of,
)
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.linear import Linear
from netgen.ops.mul import Mul
from netgen.ops.quantize import Quantize
from netgen.ops.reshape import Reshape
from netgen.ops.sigmoid import Sigmoid
from netgen.ops.sub import Sub
from netgen.plan.check.check_requantisation import Block, Defined, check_requantisation
from tests.kernels.i8.requantised import Channels, drawn


def defined(sums: Array, factor: float, codes: Codes) -> Array:
    """Codes of sums, whose halves Python rounds to even, and whose floats NumPy rounds."""
    real = (np.float32(each) * np.float32(factor) for each in sums.tolist())
    whole = [round(Fraction(float(each))) + codes.zero for each in real]
    clipped: Array = np.clip(np.array(whole), codes.low, codes.high)
    return clipped


def definition(channels: Channels) -> Requantisation:
    words = channels.factors.astype("<f4").view("<i4").astype(np.int32)
    exact = np.stack([words, np.zeros(len(words), np.int32)], axis=1)
    return Requantisation(scaling_of(exact, "even"), exact, channels.sums, channels.codes)


def checked(channels: Channels) -> Defined:
    codes = channels.codes
    return Defined(
        channels.sums.least, channels.sums.most, codes.zero, codes.low, codes.high,
        single=channels.factors.astype(np.float32),
    )  # fmt: skip


def blocks_of(channels: Channels) -> list[Block]:
    lanes = [range(first, first + 8) for first in range(0, len(channels.factors), 8)]
    packed = pack_requantisation(definition(channels), [*map(list, lanes)])
    return [Block(np.array(v), b) for v, b in zip(lanes, packed, strict=True)]


def test_least_sums_are_where_numbers_begin() -> None:
    """Sums beyond 2 ** 24 among them, which float32 rounds."""
    channels = drawn(3, 60, exponents=(-24.0, 3.0))
    numbers, wide = np.array([-200, -3, -2, -1, 0, 1, 2, 3, 4, 255]), Codes(0, -(2**40), 2**40)
    least = definition(channels).scaling.least_sums(numbers)
    for channel, factor in enumerate(channels.factors):
        at = least[channel]
        assert (defined(at, factor, wide) >= numbers).all()
        assert (defined(at - 1, factor, wide) < numbers).all()


def test_certificates_hold_and_are_checked() -> None:
    seen = set()
    for seed in range(6):
        channels = drawn(seed, 24, exponents=(-9.0, 3.0))
        blocks = blocks_of(channels)
        check_requantisation("step %a", blocks, checked(channels))
        for block in blocks:
            form = int(block.rows[0, 0])
            seen.add(form)
            for lane, channel in enumerate(block.channels.tolist()):
                sums = np.arange(channels.sums.least[channel], channels.sums.most[channel] + 1)
                m, c = (block.rows[row, lane].view(np.float32) for row in (3, 4))
                if form == AFFINE:
                    fused = sums.astype(np.float32).astype(np.longdouble) * m + np.longdouble(c)
                    found = np.rint(fused.astype(np.float32)).astype(int)
                    bounds = channels.codes.low, channels.codes.high
                    wanted = defined(sums, channels.factors[channel], channels.codes)
                    np.testing.assert_array_equal(np.clip(found, *bounds), wanted)
    assert seen == {AFFINE, EVEN}


def test_the_checker_refuses_other_factors() -> None:
    channels = drawn(2, 8, exponents=(-8.0, 1.0))
    (block,) = blocks_of(channels)
    rows = block.rows.copy()
    rows[1, 5] += 1
    with pytest.raises(PlanError, match="exact constants are wrong"):
        check_requantisation("step %a", [replace(block, rows=rows)], checked(channels))
    rows = block.rows.copy()
    rows[0] = 0
    with pytest.raises(PlanError, match="the form of a vector is none"):
        check_requantisation("step %a", [replace(block, rows=rows)], checked(channels))


class Drawing:
    """A network under construction."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.nodes: dict[str, Node] = {}
        self.constants: dict[str, ConstantArray] = {}

    def add(self, name: str, op: Operator, *operands: str) -> str:
        kind = op.result_type([self.nodes[each].type for each in operands])
        self.nodes[name] = Node(name, op, operands, kind)
        return name

    def constant(self, name: str, array: Array, kind: TensorType) -> str:
        self.nodes[name], self.constants[name] = Node(name, Const(name), (), kind), array
        return name

    def layer(self, name: str, op: Operator, x: str, shape: tuple[int, ...]) -> str:
        each = (2.0 ** self.draw.uniform(-9, -6, shape[0])).astype(np.float32)
        self.constants[f"{name}.w.scale"] = each
        w = self.draw.integers(-128, 128, shape).astype(np.int8)
        b = self.draw.integers(-3000, 3000, shape[0]).astype(np.int32)
        kind = TensorType("i8", shape, Quantisation(f"{name}.w.scale", 0, 0))
        operands = [
            self.constant(f"{name}.w", w, kind),
            self.constant(f"{name}.b", b, TensorType("i32", b.shape)),
        ]
        return self.add(name, op, x, *operands)


def own(scale: float, zero: int) -> dict[str, Any]:
    return {"scale": float(np.float32(scale)), "zero": zero, "rounding": "even"}


def network(seed: int) -> Graph:
    """All operators whose codes have halves to even."""
    net = Drawing(seed)
    net.nodes["x"] = Node("x", Input(), (), TensorType("f32", (1, 14, 15, 8)))
    q = net.add("q", Quantize(own(0.05, 3)["scale"], 3, "i8", "even"), "x")
    c = net.layer("c", Conv2d((1, 1), (1, 1, 1, 1), **own(0.3, -7)), q, (24, 3, 3, 8))
    depthwise = DepthwiseConv2d((1, 1), (1, 1, 1, 1), act="relu6", **own(0.05, -128))
    d = net.layer("d", depthwise, c, (24, 3, 3, 1))
    e = net.layer("e", Conv2d(**own(0.31, 4)), d, (24, 1, 1, 24))
    s = net.add("s", Sigmoid(**own(1 / 256, -128)), net.add("a", Add(**own(0.41, -3)), c, e))
    m = net.add("m", Sub(**own(0.37, 2)), net.add("p", Mul(**own(0.2, 1)), "a", s), c)
    r = net.add("r", Quantize(own(0.33, 9)["scale"], 9, "i8", "even"), m)
    given = net.draw.integers(-128, 128, (1, 1, 1, 24)).astype(np.int8)
    kind = TensorType("i8", given.shape, Quantisation(own(0.25, 4)["scale"], 4))
    k = net.add("k", Add(act="relu", **own(0.3, -3)), r, net.constant("given", given, kind))
    v = net.add("v", Reshape((1, 24)), net.add("g", GlobalAvgPool(**own(0.02, 5)), k))
    net.layer("l", Linear(**own(0.5, 3)), v, (17, 24))
    return Graph("even", [*net.nodes.values()], ["l", "k", "d"], net.constants)


def test_compiled_codes_are_those_of_the_reference() -> None:
    graph = network(1)
    x = np.random.default_rng(2).normal(0.0, 3.0, (1, 14, 15, 8)).astype(np.float32)
    values = interpret(graph, {"x": x})
    found = netgen.compile(graph, target="native")(x)
    assert isinstance(found, tuple)
    for name, array in zip(graph.outputs, found, strict=True):
        np.testing.assert_array_equal(array, values[name].reshape(array.shape))


def test_numbers_are_rounded_as_onnx_says() -> None:
    """Halves, what is beyond all codes, zeros."""
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 1e30, -1e30, 253.0, -0.0], np.float32)
    op = Quantize(1.0, 3, "i8", "even")
    kind = TensorType("f32", x.shape)
    found = interpret(
        Graph(
            "one",
            [Node("x", Input(), (), kind), Node("y", op, ("x",), op.result_type([kind]))],
            ["y"],
        ),
        {"x": x},
    )["y"]
    assert found.tolist() == [3, 5, 5, 3, 1, 1, 127, -128, 127, 3]
