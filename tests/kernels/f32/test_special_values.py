"""Activations and pooling of the numbers at the ends of float32, as compiled C.

Every number stands in all channels of a pixel, of which some are computed in vectors of each width
and one as a scalar: their results must be the same bits.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pytest

import netgen.ops as dsl
from netgen.dsl.tensor import Tensor, image
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels.targets import Compiler, find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.execute.interpreter import execute
from tests.emission.programs import emission
from tests.kernels.f32.test_small_operators import RUNNABLE, graph_of
from tests.tools import COMPILERS, compiler_for

Floats = npt.NDArray[np.float32]

LARGEST, NORMAL = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
DENORMAL = float(np.finfo(np.float32).smallest_subnormal)
ABOVE_ZERO = (
    *(0.0, DENORMAL, 1e-40, NORMAL, 1e-30, 1e-7, 0.25, 1.0, 2.5, np.nextafter(3.0, 0.0, dtype="f")),
    *(3.0, np.nextafter(3.0, 4.0, dtype="f"), 6.0, 7.0, 16.7, 50.0, 86.9, 87.2, 88.0, 88.6, 90.0),
    *(104.0, 1e5, LARGEST / 6.0, LARGEST / 5.9, 3e38, LARGEST, np.inf),
)
NUMBERS = np.array([*ABOVE_ZERO, *np.negative(ABOVE_ZERO), np.nan], np.float32)
PAIRS = np.array(
    [
        *((3e38, 3e38), (-3e38, -3e38), (3e38, -3e38), (LARGEST, 0.0), (LARGEST, LARGEST)),
        *((-0.0, -0.0), (0.0, 0.0), (DENORMAL, DENORMAL), (DENORMAL, -DENORMAL), (1e-40, NORMAL)),
        *((np.nan, 1.0), (1.0, np.nan), (np.nan, np.nan), (np.nan, np.inf), (-np.inf, np.nan)),
        *((np.inf, -np.inf), (np.inf, 1.0), (-np.inf, 1.0), (-np.inf, -np.inf), (np.inf, np.inf)),
    ],
    np.float32,
)
ROWS_OF_SOFTMAX = np.array(
    [
        *((3e38, -3e38, 0.0), (LARGEST, LARGEST, -LARGEST), (LARGEST, np.inf, 0.0)),
        *((-np.inf, 0.0, 1.0), (-np.inf, -np.inf, -np.inf), (np.nan, 0.0, 1.0), (0.0, 1.0, np.nan)),
        *((DENORMAL, -DENORMAL, 0.0), (0.0, -87.2, -87.5), (0.0, -88.5, -104.0), (-0.0, 0.0, 0.0)),
    ],
    np.float32,
)
# Vectors of 16, 8 and 4, and a scalar.
CHANNELS = 29


class Activation(Protocol):
    def __call__(self, x: Tensor, *, name: str | None = None) -> Tensor: ...


def up(x: Tensor, *, name: str | None = None) -> Tensor:
    """Some of what is below zero ends above, and some overflows."""
    return dsl.leaky_relu(x, alpha=-1.5, name=name)


def zero(x: Tensor, *, name: str | None = None) -> Tensor:
    """Zero times minus infinity is NaN, as the formula says."""
    return dsl.leaky_relu(x, alpha=0.0, name=name)


ACTIVATIONS: dict[str, Activation] = {
    "relu": dsl.relu,
    "relu6": dsl.relu6,
    "hard_swish": dsl.hard_swish,
    "hard_sigmoid": dsl.hard_sigmoid,
    "sigmoid": dsl.sigmoid,
    "relu_n1_to_1": dsl.relu_n1_to_1,
    "tanh": dsl.tanh,
    "leaky_relu": dsl.leaky_relu,
    "leaky_relu_up": up,
    "leaky_relu_zero": zero,
}
IMAGES = {
    "numbers": np.repeat(NUMBERS, CHANNELS).reshape(1, -1, 1, CHANNELS),
    "pairs": np.repeat(PAIRS.ravel(), CHANNELS).reshape(1, -1, 1, CHANNELS),
    "by_channel": PAIRS.T.reshape(1, 2, 1, -1),
    "rows": ROWS_OF_SOFTMAX.reshape(1, -1, 1, 3),
}


def body() -> tuple[Tensor, ...]:
    """Each activation by itself, behind a product, and as convolutions compute it."""
    inputs = {name: image(*array.shape[1:], name=name) for name, array in IMAGES.items()}
    x = inputs["numbers"]
    ones = dsl.constant(np.ones((1, 1, 1, CHANNELS)))
    outputs = []
    for name, activation in ACTIVATIONS.items():
        outputs.append(activation(x, name=f"{name}.alone"))
        outputs.append(activation(dsl.mul(x, ones), name=f"{name}.product"))
        layer = dsl.depthwise_conv2d(x, 1, name=f"{name}.layer")
        outputs.append(activation(layer, name=f"{name}.fused"))
    pairs = inputs["pairs"]
    outputs.append(dsl.max_pool2d(pairs, (2, 1), name="max.alone"))
    outputs.append(dsl.avg_pool2d(pairs, (2, 1), name="mean.alone"))
    outputs.append(dsl.global_avg_pool(inputs["by_channel"], name="mean.global"))
    outputs.append(dsl.softmax(inputs["rows"], name="softmax.alone"))
    return tuple(outputs)


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The layers multiply by one and add to minus zero, which changes no number, nor its sign."""
    drawn = graph_of(body)
    constants = {
        name: np.full_like(array, 1.0 if name.endswith(".w") else -0.0)
        for name, array in drawn.constants.items()
        if "layer" in name
    }
    return drawn.with_constants({**drawn.constants, **constants})


@pytest.fixture(scope="module")
def expected(graph: Graph) -> dict[str, Floats]:
    """The references in float64, rounded; of a mean the sum is a float, which may overflow."""
    with np.errstate(all="ignore"):
        values = interpret(graph, IMAGES)
        found = {name: values[name].astype(np.float32) for name in graph.outputs}
        sums = PAIRS[:, 0] + PAIRS[:, 1]
        means = {"mean.alone": np.repeat(sums, CHANNELS) / 2, "mean.global": sums / 2}
    for name in ACTIVATIONS:
        # The layer changes nothing; the reference's own sums start at +0, and lose the sign of -0.
        found[f"{name}.fused"] = found[f"{name}.alone"]
    for name, mean in means.items():
        overflown = np.isinf(mean.reshape(found[name].shape))
        found[name] = np.where(overflown, mean.reshape(found[name].shape), found[name])
    return found


def test_references_are_what_they_should_be(expected: dict[str, Floats]) -> None:
    """The values that the kinds of numbers must have, written down by hand."""
    at = {float(number): n for n, number in enumerate(NUMBERS)}

    def of(name: str, number: float) -> float:
        return float(expected[f"{name}.alone"][0, at[float(np.float32(number))], 0, 0])

    for number in (3.0, 7.0, 3e38, LARGEST, np.inf):
        assert of("hard_swish", number) == np.float32(number)
    assert [of("hard_swish", x) for x in (-3.0, -7.0, -3e38)] == [0.0, 0.0, 0.0]
    assert np.signbit([of("hard_swish", x) for x in (-0.0, -3.0, -3e38)]).all()
    assert np.isnan(of("hard_swish", -np.inf))
    assert [of("sigmoid", x) for x in (-np.inf, -3e38, 3e38, np.inf)] == [0.0, 0.0, 1.0, 1.0]
    assert [of("hard_sigmoid", x) for x in (-np.inf, -3.0, 3.0, np.inf)] == [0.0, 0.0, 1.0, 1.0]
    assert [of("relu", x) for x in (-np.inf, DENORMAL, 3e38)] == [0.0, DENORMAL, np.float32(3e38)]
    assert [of("relu6", x) for x in (-3e38, NORMAL, np.inf)] == [0.0, NORMAL, 6.0]
    assert [of("relu_n1_to_1", x) for x in (-np.inf, DENORMAL, np.inf)] == [-1.0, DENORMAL, 1.0]
    assert [of("tanh", x) for x in (-np.inf, -3e38, 3e38, np.inf)] == [-1.0, -1.0, 1.0, 1.0]
    assert [of("tanh", x) for x in (DENORMAL, 1e-40, -0.0)] == [DENORMAL, np.float32(1e-40), 0.0]
    for number in (0.0, DENORMAL, 1e-40, 2.5, LARGEST, np.inf):
        assert of("leaky_relu", number) == np.float32(number)
    wanted = {-np.inf: -np.inf, -2.5: -0.025, -1e-30: -1e-32, -1e-40: -1e-42, -DENORMAL: 0.0}
    assert [of("leaky_relu", x) for x in wanted] == [np.float32(y) for y in wanted.values()]
    assert [of("leaky_relu_up", x) for x in (-2.5, -LARGEST, -np.inf)] == [3.75, np.inf, np.inf]
    assert np.isnan(of("leaky_relu_zero", -np.inf))
    for name in ACTIVATIONS:
        assert np.isnan(expected[f"{name}.alone"][0, -1]).all()
    assert expected["mean.alone"][0, :5, 0, 0].tolist() == [
        *(np.inf, -np.inf, 0.0),
        *(LARGEST / 2, np.inf),
    ]


def test_plan_interpreter(graph: Graph, expected: dict[str, Floats]) -> None:
    fused = run_pipeline(graph)
    with np.errstate(all="ignore"):
        found = execute(build_plan(fused, find_target("generic")), fused, IMAGES)
    for name in graph.outputs:
        if not name.startswith("mean") and not name.endswith("fused"):
            assert_close(name, found[name], expected[name])


# With gcc the least vectors and those of most processors, with clang the widest; the rest in CI.
DEFAULT = {("gcc", "generic"), ("gcc", "x86-64-v3"), ("clang", "x86-64-v4")}


@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        pytest.param(*pair, marks=[pytest.mark.heavy] * (pair not in DEFAULT))
        for pair in product(COMPILERS, (*RUNNABLE, "aarch64"))
    ],
)
def test_against_the_references(
    graph: Graph,
    expected: dict[str, Floats],
    target: str,
    compiler: Compiler,
    tmp_path: Path,
) -> None:
    made = emission(graph, target)
    command = compiler_for(target, compiler, for_values=True)
    # Emulated programs find no shared libraries.
    program = made.build(tmp_path, [*command, "-static"] if target == "aarch64" else command)
    for name, found in made.run(program, IMAGES).items():
        assert_close(name, found, expected[name])
        if name not in {"mean.global", "softmax.alone"}:
            # NEON's maximum of +0 and -0 is +0, whichever comes first; so is their sum.
            either_zero = target == "aarch64" and name.startswith("relu")
            seen = bits(found + np.float32(0.0) if either_zero else found)
            assert (seen == seen[..., :1]).all(), f"{name} depends on the channel"


def bits(array: Floats) -> npt.NDArray[np.uint32]:
    """The bits of floats, of one NaN for all."""
    return np.where(np.isnan(array), np.float32(np.nan), array).view(np.uint32)


def assert_close(name: str, found: Floats, wanted: Floats) -> None:
    """Some units in the last place; the exponential gives no numbers below the smallest normal."""
    exponential = name.startswith(("sigmoid", "softmax", "tanh"))
    room = NORMAL if exponential else DENORMAL
    with np.errstate(invalid="ignore"):
        assert (np.isnan(found) == np.isnan(wanted)).all(), name
        assert (np.isinf(found) == np.isinf(wanted)).all(), name
        np.testing.assert_allclose(found, wanted, rtol=5e-7 if exponential else 3e-7, atol=room)
    zeros = wanted == 0.0
    assert (found[zeros] == 0.0).all(), name
    if name.startswith(("hard_swish", "leaky_relu", "tanh")):
        assert (np.signbit(found) == np.signbit(wanted))[zeros].all(), name
