"""Functions name their dimensions, and declare no name that they do not use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import netgen
from netgen.emission.constants import named_constants, with_constants
from netgen.ir.graph import Graph
from netgen.kernels.terms import named_int
from netgen.plan.data.options import PlanOptions
from tests.cases import different_targets
from tests.conftest import REPOSITORY
from tests.emission.programs import emission, emitted_once
from tests.kernels.layers import KINDS, drawn_layers, network_of

FUNCTION = re.compile(
    r"^(?:static )?\w[^;{}#\n]*\([^;{}]*\)\n\{\n(.*?)^\}\n", re.MULTILINE | re.DOTALL
)
ENUM = re.compile(r"enum \{([^}]*)\};")


def declared_and_used(source: str) -> Iterator[tuple[str, int]]:
    """Enumerators of each function, and how often the function names them elsewhere."""
    for body in FUNCTION.findall(re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)):
        names = re.findall(r"(\w+) =", " ".join(ENUM.findall(body)))
        assert len(names) == len(set(names))
        for name in names:
            yield name, len(re.findall(rf"\b{name}\b", ENUM.sub("", body)))


def check(source: str) -> None:
    found = [*declared_and_used(source)]
    assert found
    assert [name for name, uses in found if not uses] == []


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("generated/*/model.c")))
def test_samples_declare_what_they_use(path: Path) -> None:
    check(path.read_text())


@pytest.mark.parametrize("target", different_targets())
def test_functions_declare_what_they_use(target: str, layers_graph: Graph) -> None:
    check(emitted_once(layers_graph, target, fuse=False).logic)
    check(emission(network_of(drawn_layers(7, KINDS, len(KINDS))), target, fuse=False).logic)


def test_bands_and_parts_declare_what_they_use() -> None:
    graph = netgen.load("shufflenet_v1", groups=3, scale=0.25, input_size=33)
    check(emission(graph, "generic", memory=PlanOptions(input="rows")).logic)
    check(emission(graph, "x86-64-v4", memory=PlanOptions(threads=3)).logic)


def test_loops_have_named_bounds(tiny_graph: Graph) -> None:
    source = emission(tiny_graph, "generic", "c").logic
    bounds = re.findall(r"for \(int ([ij]) = 0; \1 < (\w+); \+\+\1\)", source)
    # Of five columns tiles take four, and the last is computed by itself: that is no dimension.
    assert {end for _, end in bounds} == {"out_height", "pixels", "width", "height", "4"}


def test_dimensions_by_name() -> None:
    found = named_constants(
        {
            "height": 5,
            "act": "relu",
            "residual": True,
            "pitch": {"x": "x_pitch", "y": "channels"},
            "pitches": {"x_pitch": 7},
            "band": {"rows": 2, "slots": 3, "row_pixels": 10},
        }
    )
    assert {name: int(value) for name, value in found.items()} == {
        "height": 5, "x_pitch": 7, "band_rows": 2, "row_pitch": 70, "row_slots": 3,
    }  # fmt: skip
    assert str(found["row_pitch"]) == "row_pitch"


def test_a_function_declares_names_of_its_code() -> None:
    known = {name: named_int(name, n) for n, name in enumerate(("rows", "steps", "scratch"), 2)}
    text = "void f(float *scratch)\n{\n/* steps */\nf(scratch + rows);\n}\n"
    assert with_constants(text, known, "float *scratch") == text.replace(
        "{\n", "{\nenum { rows = 2 };\n"
    )
    plain = "void f(void)\n{\nf(rows_2);\n}\n"
    assert with_constants(plain, known, "void") == plain
