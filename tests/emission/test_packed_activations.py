"""Activations by themselves, in the assembly: packed instructions, no branch for an element."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import netgen.ops as dsl
from netgen.dsl.tensor import Tensor, image
from netgen.ir.graph import Graph
from netgen.kernels.targets import Compiler, find_target
from tests.emission.assembly import assembly, innermost_loops
from tests.emission.programs import WARNINGS, emission
from tests.kernels.f32.test_small_operators import graph_of
from tests.tools import compiler_for

# Arithmetic, comparisons and selections of one float; broadcasts read one, too.
_SCALAR = re.compile(r"^v?(?!broadcast)\w+ss\b")
_JUMP = re.compile(r"^j(?!mp)\w+ ")


def body() -> tuple[Tensor, ...]:
    """Each activation of values that several layers read, and of sums and products."""
    x, a, channels = image(8, 16, 64), image(8, 16, 64), image(1, 1, 64)
    alone = [dsl.relu(x), dsl.relu6(x), dsl.hard_swish(x), dsl.hard_sigmoid(x), dsl.sigmoid(x)]
    alone.append(dsl.leaky_relu(x))
    sums = [dsl.hard_swish(dsl.add(x, a)), dsl.sigmoid(dsl.mul(x, channels))]
    # Its last outputs are sums of several inputs side by side, which are constants of the C.
    folded = dsl.sigmoid(dsl.conv2d(image(2, 2, 64), 20))
    return (*alone, *sums, folded)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return graph_of(body)


@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        *(("gcc", "x86-64-v3"), ("clang", "x86-64-v4")),
        *(
            pytest.param(*pair, marks=pytest.mark.heavy)
            for pair in (("clang", "x86-64-v3"), ("gcc", "x86-64-v4"), ("gcc", "x86-64-v2"))
        ),
    ],
)
def test_loops_are_packed(
    graph: Graph,
    compiler: Compiler,
    target: str,
    tmp_path: Path,
) -> None:
    made = emission(graph, target)
    text = assembly(made, tmp_path, [*compiler_for(target, compiler), *WARNINGS])
    elementwise = {
        f"model_{instance.name}"
        for instance in made.plan.instances
        if instance.kernel in {"activation_f32", "add_f32", "mul_f32"}
    }
    loops = [loop for loop in innermost_loops(text) if loop.function in elementwise]
    assert {loop.function for loop in loops} == elementwise
    assert len(elementwise) == 8
    letter = {16: "z", 8: "y", 4: "x"}[find_target(target).f32.vector_widths[0]]
    for loop in loops:
        assert any(f"%{letter}mm" in text for text in loop.instructions), loop
        assert not [text for text in loop.instructions if _SCALAR.match(text)], loop
        assert sum(bool(_JUMP.match(text)) for text in loop.instructions) == 1, loop


def test_a_selected_slope_is_packed_by_the_compiler_itself(tmp_path: Path) -> None:
    """gcc makes vectors of a select by itself; it would jump for half of all elements otherwise."""
    made = emission(graph_of(lambda: dsl.leaky_relu(dsl.conv2d(image(8, 16, 4), 64))), "generic")
    text = assembly(made, tmp_path, [*compiler_for("generic", "gcc"), *WARNINGS])
    found = [[i.split()[0] for i in loop.instructions] for loop in innermost_loops(text)]
    (loop,) = (names for names in found if {"cmpltps", "cmpleps", "mulps"} <= {*names})
    assert not {"comiss", "ucomiss", "mulss"} & {*loop}
