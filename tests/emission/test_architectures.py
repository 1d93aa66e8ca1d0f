"""Every architecture at its smallest size: no warning of a compiler, no report of a sanitizer."""

from __future__ import annotations

from pathlib import Path

import pytest

import netgen
from netgen.ir.graph import Graph
from netgen.kernels.targets import find_target
from netgen.models import NETWORKS
from tests.emission.programs import WARNINGS, emission
from tests.emission.test_sanitizers import check
from tests.emission.test_warnings import COMPILERS, compile_all

pytestmark = pytest.mark.heavy

# The least that every stage of a network leaves a pixel of.
SMALLEST = {"resnet8": 3, "resnet20": 3, "squeezenet": 33}


def smallest(name: str) -> Graph:
    if name == "ds_cnn":
        return netgen.load(name)
    return netgen.load(name, input_size=SMALLEST.get(name, 17))


@pytest.mark.parametrize("name", NETWORKS)
def test_no_warnings(name: str, tmp_path: Path) -> None:
    graph = smallest(name)
    for target in ("generic", "x86-64-v2", "x86-64-v3", "x86-64-v4"):
        emitted = emission(graph, target, "blob")
        for compiler in COMPILERS:
            machine = find_target(target).machine_flags
            compile_all(emitted, tmp_path, compiler, "-std=c99", "-O1", *machine, *WARNINGS)


@pytest.mark.parametrize(("compiler", "target"), [("gcc", "generic"), ("clang", "x86-64-v4")])
@pytest.mark.parametrize("name", NETWORKS)
def test_no_reports(name: str, compiler: str, target: str, tmp_path: Path) -> None:
    check(smallest(name), target, "blob", compiler, tmp_path, fuse=True)
