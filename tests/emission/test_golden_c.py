"""The C of one small network, to be read: any change of templates shows here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from netgen.ir.graph import Graph
from tests.emission.programs import emission


@pytest.mark.parametrize("target", ["generic", "x86-64-v3"])
def test_c_of_a_small_network(
    target: str, tiny_graph: Graph, golden: Callable[[str, str], None]
) -> None:
    emitted = emission(tiny_graph, target, "c", "tiny")
    golden(f"emission/tiny_{target}.c", emitted.logic)
    if target == "generic":
        golden("emission/tiny_generic.h", emitted.header)
        golden("emission/tiny_generic_weights.c", emitted.files["tiny_weights.c"].decode())
