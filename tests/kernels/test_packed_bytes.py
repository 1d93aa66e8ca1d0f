"""Bytes that a kernel packs: as many as it computes from shapes alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from netgen.ir.tensor_type import Array, Quantisation, TensorType
from netgen.kernels import KERNELS
from netgen.kernels.layer import Layer
from netgen.kernels.targets import TARGETS, Target
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from netgen.ops.mul import Mul
from netgen.ops.normalize import Normalize
from netgen.ops.prelu import Prelu
from netgen.ops.squared_difference import SquaredDifference
from netgen.ops.sub import Sub
from netgen.ops.table import Table
from netgen.ops.transpose_conv2d import TransposeConv2d
from tests.kernels.i8.random_networks import random_network
from tests.kernels.layers import KINDS, SingleLayer, drawn_layers

WHOLE, EACH = (1, 3, 4, 9), (1, 1, 1, 9)
# What is drawn has neither operands of the same kind that are constants, nor Winograd's windows.
OTHERS = [
    *(SingleLayer(op, (WHOLE, b)) for op in (Add(), Mul(), Sub(), Prelu()) for b in (WHOLE, EACH)),
    SingleLayer(TransposeConv2d(size=(9, 9), stride=(2, 2)), ((1, 4, 4, 5), (7, 3, 3, 5), (7,))),
    SingleLayer(Conv2d(pad=(1, 1, 1, 1)), ((1, 12, 12, 8), (20, 3, 3, 8), (20,))),
    SingleLayer(Table(), (WHOLE,)),
]


def layer_of(drawn: SingleLayer, constant: frozenset[str]) -> Layer:
    types = {
        letter: TensorType("f32", shape)
        for letter, shape in zip(drawn.op.operand_names, drawn.shapes, strict=False)
    }
    return Layer(drawn.op, types, drawn.result, constant & types.keys())


def layers_of_codes() -> Iterator[tuple[Layer, dict[str, Array]]]:
    """Layers with weights of random networks."""
    for seed in range(12):
        graph = random_network(seed)
        for node in graph.nodes:
            letters = node.op.letters(len(node.operands))
            names = dict(zip(letters, node.operands, strict=False))
            constant = {a: name for a, name in names.items() if graph.is_const(name)}
            types = {a: graph[name].type for a, name in names.items()}
            arrays = {a: graph.constant(name) for a, name in constant.items()}
            for a in constant:
                arrays |= {f"{a}.scale": each for each in graph.scales([types[a]]).values()}
            yield Layer(node.op, types, node.type, frozenset(constant)), arrays


def others_of_codes() -> Iterator[tuple[Layer, dict[str, Array]]]:
    """Layers with one constant that are not in random networks, and pixels that are normalised."""
    own: dict[str, Any] = {"scale": 0.5, "zero": 3}
    whole, each = (TensorType("i8", shape, Quantisation(0.25, 2)) for shape in (WHOLE, EACH))
    even = {**own, "rounding": "even"}
    operators = (Add(**own), Sub(**own), Mul(**own), Prelu(**own), SquaredDifference(**own))
    for op in (*operators, Add(**even), Sub(**even), Mul(**even)):
        for letter, kinds in (("b", (whole, whole)), ("b", (whole, each)), ("a", (whole, whole))):
            types = dict(zip("ab", kinds, strict=True))
            array = np.ones(types[letter].shape, np.int8)
            layer = Layer(op, types, op.result_type(list(kinds)), frozenset(letter))
            yield layer, {letter: array}
    yield from wide_layers()
    weights = TensorType("i8", (7, 3, 3, 5), Quantisation(0.5))
    x = TensorType("i8", (1, 4, 4, 5), Quantisation(0.25, 2))
    up = TransposeConv2d(size=(9, 9), stride=(2, 2), **own)
    types = {"x": x, "w": weights}
    layer = Layer(up, types, up.result_type([x, weights]), frozenset("w"))
    yield layer, {"w": np.ones(weights.shape, np.int8)}
    window = Conv2d(pad=(1, 1, 1, 1), **own)
    layer = Layer(window, types, window.result_type([x, weights]), frozenset("w"))
    yield layer, {"w": np.ones(weights.shape, np.int8)}
    weights = TensorType("i8", (5, 3, 3, 1), Quantisation(0.5))
    apart = DepthwiseConv2d(pad=(1, 1, 1, 1), **own)
    types = {"x": x, "w": weights}
    layer = Layer(apart, types, apart.result_type([x, weights]), frozenset("w"))
    yield layer, {"w": np.ones(weights.shape, np.int8)}
    numbers = TensorType("f32", (3,))
    types = {"x": TensorType("u8", (1, 4, 4, 3)), "scale": numbers, "shift": numbers}
    result = Normalize().result_type(list(types.values()))
    layer = Layer(Normalize(), types, result, frozenset({"scale", "shift"}))
    yield layer, {letter: np.ones(3, np.float32) for letter in layer.constant}


def wide_layers() -> Iterator[tuple[Layer, dict[str, Array]]]:
    """Codes of 16 bits by weights of 8."""
    own: dict[str, Any] = {"scale": 0.5, "zero": 0, "rounding": "wide"}
    image, row = (TensorType("i16", shape, Quantisation(0.25)) for shape in (WHOLE, (1, 9)))
    for op, x, shape in (
        (Conv2d(**own), image, (7, 3, 3, 9)),
        (DepthwiseConv2d(**own), image, (9, 3, 3, 1)),
        (Linear(**own), row, (5, 9)),
    ):
        w = TensorType("i8", shape, Quantisation(0.5))
        layer = Layer(op, {"x": x, "w": w}, op.result_type([x, w]), frozenset("w"))
        yield layer, {"w": np.ones(shape, np.int8)}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_bytes_from_shapes_are_those_that_are_packed(target: Target) -> None:
    seen: set[str] = set()
    floats = [
        (layer, {a: np.ones(layer.operands[a].shape, np.float32) for a in layer.constant})
        for kernel in KERNELS
        for drawn in [*drawn_layers(5, KINDS, 4 * len(KINDS)), *OTHERS]
        if isinstance(drawn.op, kernel.operators)
        for layer in [layer_of(drawn, frozenset(kernel.constants))]
    ]
    for layer, arrays in [*floats, *layers_of_codes(), *others_of_codes()]:
        for kernel in KERNELS:
            fits = isinstance(layer.op, kernel.operators) and kernel.runs_on(target)
            packs = {*kernel.constants} & {*layer.operands} == layer.constant != frozenset()
            if not (packs and fits and kernel.computes(layer) and kernel.accepts(layer)):
                continue
            seen.add(kernel.name)
            packed = kernel.pack(layer, target, arrays)
            assert packed.nbytes == kernel.packed_bytes(layer, target), kernel.name
            assert packed.nbytes % 4 == 0
    packing = {kernel.name for kernel in KERNELS if kernel.constants and kernel.runs_on(target)}
    assert seen == packing
