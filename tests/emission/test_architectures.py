"""Every architecture at its smallest size: no warning of a compiler, no report of a sanitizer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import netgen
from netgen.ir.graph import Graph
from netgen.kernels.targets import find_target
from netgen.models import NETWORKS
from tests.emission.programs import WARNINGS, emission
from tests.emission.test_sanitizers import check
from tests.emission.test_warnings import compile_all
from tests.tools import COMPILERS

pytestmark = pytest.mark.heavy

# The least that every stage of a network leaves a pixel of.
SMALLEST = {"resnet8": 3, "resnet20": 3, "squeezenet": 33}


def smallest(name: str) -> Graph:
    if name == "ds_cnn":
        return netgen.load(name)
    return netgen.load(name, input_size=SMALLEST.get(name, 17))


@pytest.mark.parametrize("name", NETWORKS)
def test_no_warnings(name: str, tmp_path: Path) -> None:
    """Each network with each target, by the compilers in turn: two networks share their blocks."""
    graph, turn = smallest(name), [*NETWORKS].index(name)
    for number, target in enumerate(("generic", "x86-64-v2", "x86-64-v3", "x86-64-v4")):
        emitted = emission(graph, target, "blob")
        compiler, machine = COMPILERS[(number + turn) % 2], find_target(target).machine_flags
        compile_all(emitted, tmp_path, compiler, "-std=c99", "-O1", *machine, *WARNINGS)


@pytest.mark.parametrize(("compiler", "target"), [("gcc", "generic"), ("clang", "x86-64-v4")])
@pytest.mark.parametrize("name", NETWORKS)
def test_no_reports(name: str, compiler: str, target: str, tmp_path: Path) -> None:
    check(smallest(name), target, "blob", compiler, tmp_path, fuse=True)


@pytest.mark.parametrize("target", ["generic", "x86-64-v4"])
@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        *(("shufflenet_v1", "groups", groups) for groups in (2, 3, 4, 8)),
        *(("shufflenet_v2", "scale", scale) for scale in (0.5, 1.0, 1.5, 2.0)),
    ],
)
def test_shuffles_leave_no_copies(name: str, parameter: str, value: float, target: str) -> None:
    settings: dict[str, Any] = {parameter: value}
    emitted = emission(netgen.load(name, input_size=32, **settings), target, "blob")
    assert not re.search("channel_map|copy", emitted.logic)
    # memcpy fills and empties registers of a tile and reads the head of the weights: on one side of
    # it there is always a local variable.
    for target_of, source_of in re.findall(r"memcpy\(([^,]+), (\w+)", emitted.logic):
        assert source_of == "t" or re.match(r"t\b|&", target_of)
