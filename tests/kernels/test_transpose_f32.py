"""transpose_f32, as compiled C with all warnings, against NumPy: every order of up to four axes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from netgen.ir.interpret import interpret
from netgen.kernels.targets import Compiler
from netgen.ops.transpose import Transpose
from tests.emission.programs import emission, flags_of
from tests.kernels.layers import SingleLayer, network_of, normal_inputs

SHAPES = [(1, 3, 4, 5), (2, 3, 1, 5), (1, 1, 6, 1), (7, 3), (1, 29, 1, 4)]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_every_order(
    require_tool: Callable[[str], str], tmp_path: Path, compiler: Compiler
) -> None:
    require_tool(compiler)
    layers = [
        SingleLayer(Transpose(axes), (shape,))
        for shape in SHAPES
        for axes in permutations(range(len(shape)))
    ]
    graph = network_of(layers)
    emitted = emission(graph, "generic", fuse=False)
    inputs = normal_inputs(graph)
    found = emitted.run(emitted.build(tmp_path, flags_of("generic", compiler)), inputs)
    expected = interpret(graph, inputs)
    for name in graph.outputs:
        assert np.array_equal(found[name], expected[name].astype(np.float32))
