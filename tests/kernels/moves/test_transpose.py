"""transpose_f32, as compiled C with all warnings, against NumPy: every order of up to four axes."""

from __future__ import annotations

import math
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from netgen.dsl.tensor import constructing, finish, image
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels.targets import Compiler
from netgen.ops import flatten, reshape, transpose
from tests.emission.programs import emission, flags_of
from tests.kernels.layers import normal_inputs
from tests.tools import COMPILERS

SHAPES = [(1, 3, 4, 5), (2, 3, 1, 5), (1, 1, 6, 1), (7, 3), (1, 29, 1, 4)]


def transposes(orders: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> Graph:
    """A network of them; what the caller hands in and gets back has a batch dimension of 1."""
    with constructing() as construction:
        outputs = tuple(
            flatten(transpose(reshape(image(1, 1, math.prod(shape)), shape), axes))
            for shape, axes in orders
        )
        return finish(construction, "transposes", outputs)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_order(tmp_path: Path, compiler: Compiler) -> None:
    orders = [(shape, axes) for shape in SHAPES for axes in permutations(range(len(shape)))]
    graph = transposes(orders)
    emitted = emission(graph, "generic", fuse=False)
    inputs = normal_inputs(graph)
    found = emitted.run(emitted.build(tmp_path, flags_of("generic", compiler)), inputs)
    expected = interpret(graph, inputs)
    for name in graph.outputs:
        assert np.array_equal(found[name], expected[name].astype(np.float32))
