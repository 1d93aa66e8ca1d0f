"""Kernels of tensors of any rank as compiled C, against the NumPy references.

All layers stand in one network, so that one compilation tests them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.ir.graph import Graph, Node
from netgen.ir.interpret import interpret
from netgen.ir.operator import Const, Input, Operator
from netgen.ir.registry import REGISTRY
from netgen.ir.tensor_type import Array, TensorType
from netgen.kernels.targets import find_target
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.add import Add
from netgen.ops.argmax import Argmax
from netgen.ops.div import Div
from netgen.ops.equal import Equal
from netgen.ops.expand import Expand
from netgen.ops.less import Less
from netgen.ops.less_or_equal import LessOrEqual
from netgen.ops.matmul import Matmul
from netgen.ops.maximum import Maximum
from netgen.ops.minimum import Minimum
from netgen.ops.mul import Mul
from netgen.ops.prelu import Prelu
from netgen.ops.reduce_max import ReduceMax
from netgen.ops.reduce_mean import ReduceMean
from netgen.ops.reduce_min import ReduceMin
from netgen.ops.reduce_prod import ReduceProd
from netgen.ops.reduce_sum import ReduceSum
from netgen.ops.reshape import Reshape
from netgen.ops.strided_slice import StridedSlice
from netgen.ops.sub import Sub
from netgen.ops.table import Table
from netgen.ops.where import Where
from tests.emission.programs import SANITIZERS, emission
from tests.kernels.layers import Floats, normal_inputs, worst_errors
from tests.tools import require_processor

Shape = tuple[int, ...]

BINARY: tuple[tuple[Operator, tuple[Shape, Shape]], ...] = (
    (Div(), ((1, 5, 7, 3), (1, 5, 1, 3))),
    (Sub("relu"), ((1, 1, 7, 1), (1, 5, 1, 3))),
    (Add(), ((2, 3, 4, 5, 6), (1, 3, 1, 5, 1))),
    (Mul("sigmoid"), ((3, 1), (3, 4))),
    (Prelu(), ((4, 3), (4, 1))),
    (Minimum(), ((1, 5, 7, 3), (1, 5, 7, 3))),
    (Maximum(), ((4, 3), (1, 3))),
    (Less(), ((4, 3), (4, 1))),
    (LessOrEqual(), ((4, 3), (1, 3))),
    (Equal(), ((4, 3), (1, 1))),
)
OTHERS: tuple[tuple[Operator, tuple[Shape, ...]], ...] = (
    (Where(), ((4, 3), (1, 3), (1, 1))),
    (Matmul(), ((1, 2, 3, 4), (1, 2, 4, 5))),
    (Matmul(), ((3, 4), (4, 1))),
    (Matmul(), ((2, 1, 3, 4), (1, 3, 4, 5))),
    (ReduceMean((1, 2)), ((1, 5, 7, 3),)),
    (ReduceMax((3,)), ((1, 5, 7, 3),)),
    (ReduceSum((0, 2)), ((2, 5, 7, 3),)),
    (ReduceProd((1,)), ((2, 5),)),
    (ReduceMin((0, 1, 2)), ((2, 3, 4),)),
    (ReduceSum((1, 3)), ((2, 3, 4, 5, 6),)),
    (StridedSlice((4, 0), (3, 5), (-2, 1)), ((6, 5),)),
    (StridedSlice((0, 0, 1, 0), (1, 3, 2, 4), (1, 1, 2, 1)), ((1, 3, 5, 4),)),
    (StridedSlice((0, 2, 0, 3), (1, 3, 5, 2), (1, -1, 1, -2)), ((1, 3, 5, 4),)),
    (Expand((2, 3, 4)), ((1, 3, 1),)),
    (Argmax(1), ((1, 2, 3, 4),)),
)


def layer(number: int, op: Operator, shapes: tuple[Shape, ...], constant: int | None) -> list[Node]:
    """A layer of inputs, of which one may be a constant; outputs have a batch of 1 before them."""
    nodes, operands = [], []
    for place, shape in enumerate(shapes):
        name, kind = f"x{number}_{place}", TensorType("f32", shape)
        operands.append(name)
        if place == constant:
            nodes.append(Node(name, Const(name), (), kind))
            continue
        given = TensorType("f32", (1, *shape))
        nodes += [
            Node(f"{name}.given", Input(), (), given),
            Node(name, Reshape(shape), (f"{name}.given",), kind),
        ]
    kind = op.result_type([TensorType("f32", shape) for shape in shapes])
    nodes.append(Node(f"y{number}", op, tuple(operands), kind))
    outer = kind.with_shape((1, *kind.shape))
    return [*nodes, Node(f"out{number}", Reshape(outer.shape), (f"y{number}",), outer)]


def layers() -> Iterator[tuple[Operator, tuple[Shape, ...], int | None]]:
    for op, shapes in BINARY:
        yield from ((op, shapes, constant) for constant in (None, 0, 1))
    yield from ((op, shapes, None) for op, shapes in OTHERS)
    yield Table(), ((2, 3),), 0


# Numbers of which some are equal, where that matters.
FEW = np.array([-1, 0, 1], np.float32)
CHOOSING = (Less, LessOrEqual, Equal, Where)


def chosen_layers() -> list[int]:
    return [number for number, (op, *_) in enumerate(layers()) if isinstance(op, CHOOSING)]


def of_few_numbers(arrays: Mapping[str, Floats]) -> dict[str, Floats]:
    """Draw the operands of layers that choose of few numbers."""
    draw, found = np.random.default_rng(5), dict(arrays)
    for name, array in arrays.items():
        if int(name[1:].partition("_")[0]) in chosen_layers():
            found[name] = draw.choice(FEW, array.shape)
    return found


def network() -> Graph:
    draw = np.random.default_rng(1)
    nodes = [node for n, given in enumerate(layers()) for node in layer(n, *given)]
    constants = {
        node.name: draw.standard_normal(node.type.shape).astype(np.float32)
        for node in nodes
        if isinstance(node.op, Const)
    }
    outputs = [node.name for node in nodes if node.name.startswith("out")]
    return Graph("case", nodes, outputs, of_few_numbers(constants))


@pytest.mark.parametrize("target", ["generic", pytest.param("native", marks=pytest.mark.heavy)])
def test_layers_of_any_rank(target: str) -> None:
    graph = network()
    inputs = of_few_numbers(normal_inputs(graph))
    found = netgen.compile(graph, target=target)(*inputs.values())
    expected = {name: interpret(graph, inputs)[name] for name in graph.outputs}
    for number in chosen_layers():
        assert len(np.unique(expected[f"out{number}"])) > 1
    shaped = {
        name: array.reshape(expected[name].shape)
        for name, array in zip(graph.outputs, found, strict=True)
    }
    assert max(worst_errors(shaped, expected).values()) < 2e-6


# What cancels: x times what is left of 1 far below zero is next to nothing.
CANCELLING = {"gelu": 4e-7, "gelu_tanh": 4e-7}
# The exponent of e^(a log x) is exact to so many units in its last place.
FAR = {"power": 4e-6}
ODD = [-0.0, -1e-30, np.inf, -np.inf, np.nan]
LINE = np.concatenate(
    [np.linspace(-20.0, 20.0, 4001), [1e-30, -1e-5, 1e-5, 8388607.5, 2.5, 3e38], ODD]
)


def functions() -> Graph:
    """Every function of one number, of the same numbers."""
    kinds = [kind for kind in REGISTRY if issubclass(kind, ElementwiseActivation)]
    kind = TensorType("f32", (1, *LINE.shape))
    nodes = [Node("x", Input(), (), kind)]
    nodes += [Node(each.operator_name, each(), ("x",), kind) for each in kinds]
    return Graph("case", nodes, [node.name for node in nodes[1:]])


def check_functions(graph: Graph, x: Array, found: Sequence[Array]) -> None:
    with np.errstate(all="ignore"):
        expected = interpret(graph, {"x": x})
    for name, array in zip(graph.outputs, found, strict=True):
        with np.errstate(over="ignore"):
            wanted = expected[name].astype(np.float32)
        least, near = CANCELLING.get(name, 1e-37), FAR.get(name, 4e-7)
        np.testing.assert_allclose(array, wanted, rtol=near, atol=least, err_msg=name)
        if name == "sqrt":
            np.testing.assert_array_equal(np.signbit(array)[x == 0.0], np.signbit(x)[x == 0.0])


@pytest.mark.parametrize("target", ["generic", pytest.param("native", marks=pytest.mark.heavy)])
def test_functions_are_near_to_the_last_place(target: str) -> None:
    """Three units in the last place, of which every function of one number has its own C."""
    graph, x = functions(), LINE.astype(np.float32)[None]
    check_functions(graph, x, [*netgen.compile(graph, target=target)(x)])


@pytest.mark.parametrize(
    ("compiler", "target"),
    [("gcc", "generic"), pytest.param("clang", "x86-64-v3", marks=pytest.mark.heavy)],
)
def test_functions_overflow_nothing(compiler: str, target: str, tmp_path: Path) -> None:
    """Neither their whole numbers nor a division by zero, which would set the user's flags."""
    require_processor(target)
    graph, x = functions(), LINE.astype(np.float32)[None]
    emitted = emission(graph, target)
    flags = [*find_target(target).machine_flags, *SANITIZERS, "-fsanitize=float-divide-by-zero"]
    program = emitted.build(tmp_path, [compiler, "-std=c99", "-O1", *flags])
    found = emitted.run(program, {"x": x})
    check_functions(graph, x, [found[name] for name in graph.outputs])
