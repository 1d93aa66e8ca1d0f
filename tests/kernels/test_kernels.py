"""Every kernel, as compiled C, against the operators' NumPy references."""
from __future__ import annotations

from pathlib import Path

import pytest

from netgen.ir.interpret import interpret
from netgen.kernels.targets import Compiler
from tests.emission.programs import emission, flags_of
from tests.kernels.layers import KINDS, drawn_layers, network_of, normal_inputs, worst_errors

@pytest.mark.parametrize("target", ["generic","x86-64-v2","x86-64-v3","x86-64-v4"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_random(target: str, compiler: Compiler, tmp_path: Path) -> None:
    layers = drawn_layers(1, KINDS, 36)
    graph = network_of(layers)
    e = emission(graph, target, fuse=False)
    program = e.build(tmp_path, flags_of(target, compiler))
    inputs = normal_inputs(graph)
    errors = worst_errors(e.run(program, inputs), interpret(graph, inputs))
    bad = {name: (error, layers[int(name[3:])]) for name, error in errors.items() if error > 1e-5}
    assert not bad
