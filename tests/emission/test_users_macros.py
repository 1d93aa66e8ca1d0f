"""Macros of a firmware's own headers change nothing in the model's C."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from netgen.ir.graph import Graph
from netgen.ops.conv2d import Conv2d
from netgen.plan.data.options import PlanOptions
from netgen.plan.schedule import division
from tests.cases import different_targets
from tests.emission.programs import emission
from tests.kernels.layers import SingleLayer, network_of, normal_inputs
from tests.tools import any_compiler, compiler_for, run_tool

# Every capital letter, some pairs, and what such headers like to call their macros.
MACROS = (
    *string.ascii_uppercase,
    *("OH", "OW", "XC", "YC", "RC", "GC", "GN", "ROW", "ROWS", "SLOTS", "TAP", "TAPS", "STEP"),
    *("GROUPS", "PIXELS", "POINTS", "BLOCK", "TILES", "LANES", "KERNEL", "PREFETCH", "PAD", "SIZE"),
    *("LOW", "HIGH", "ZERO", "MIN", "MAX", "ABS", "WIDTH", "HEIGHT", "CHANNELS", "BIAS", "EPS"),
    *("LOAD4", "LOAD8", "STORE4", "STORE8", "SPLAT_4", "SPLAT_8", "RELU_4", "RELU_8", "RELU6_4"),
    *("LARGER_4", "LARGER_8", "SELECT_4", "SELECT_8", "COUNT_UP", "COUNT_READ", "COUNT_WRITE"),
    *("THREADS_AT_MOST", "THREAD_START", "THREAD_JOIN", "THREAD_YIELD", "WEIGHTS", "uint", "bool"),
)
HEADER = (
    "".join(f"#define {name} 1\n" for name in MACROS)
    + """\
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
typedef unsigned char v4, v8, v16;
typedef signed char i4, i8, i16;
float relu(float value);
float relu6(float value);
float sigmoid(float value);
float exponential(float value);
float larger(float a, float b);
float multiply_add(float a, float b, float c);
"""
)


def with_header(folder: Path) -> list[str]:
    (folder / "board.h").write_text(HEADER)
    return ['-DMODEL_CONFIG_H="board.h"', "-I."]


@pytest.mark.parametrize("target", ["generic", "x86-64-v2"])
def test_results_are_the_same(target: str, tiny_graph: Graph, tmp_path: Path) -> None:
    made, inputs = emission(tiny_graph, target), normal_inputs(tiny_graph)
    found = []
    for name in ("plain", "board"):
        folder = tmp_path / name
        folder.mkdir()
        extra = with_header(folder) if name == "board" else []
        program = made.build(folder, [*compiler_for(target, any_compiler()), "-O1", *extra])
        (output,) = made.run(program, inputs).values()
        found.append(output.tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("target", different_targets())
def test_every_kernel_compiles(
    target: str, layers_graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parts, so that threads are among it."""
    monkeypatch.setattr(division, "_MEETING_CYCLES", -1.0)
    compile_with_header(layers_graph, target, tmp_path)


@pytest.mark.parametrize("target", different_targets())
def test_names_at_file_scope_have_the_prefix(
    target: str, layers_graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(division, "_MEETING_CYCLES", -1.0)
    source = emission(layers_graph, target, fuse=False, memory=PlanOptions(threads=2)).logic
    # What is indented stands in a function; `extern "C"` and a board's macros are the header's.
    defined = re.findall(r"^#define (\w+)", source, re.MULTILINE)
    defined += re.findall(r"^static [^;({]*?(\w+)\(", source, re.MULTILINE)
    defined += re.findall(
        r"^(?:typedef [^;{]*?|\} )(\w+)(?: __attribute__.*)?;", source, re.MULTILINE
    )
    assert len(defined) > 30
    assert [name for name in defined if not name.lower().startswith("model_")] == []
    inside = re.findall(r"^ +enum \{([^}]*)\}", source, re.MULTILINE)
    assert "".join(inside) == "".join(inside).lower()


def test_winograd_compiles(tmp_path: Path) -> None:
    shapes = ((1, 12, 12, 16), (16, 3, 3, 16), (16,))
    graph = network_of([SingleLayer(Conv2d(pad=(1, 1, 1, 1), act="relu"), shapes)])
    assert "winograd" in compile_with_header(graph, "x86-64-v3", tmp_path)


def compile_with_header(graph: Graph, target: str, folder: Path) -> str:
    """The logic of a graph, whose layers stay as they are, for two threads."""
    made = emission(graph, target, fuse=False, memory=PlanOptions(threads=2))
    made.write(folder)
    command = [*compiler_for(target, any_compiler()), "-Wall", "-Wextra", "-Werror"]
    run_tool([*command, *with_header(folder), "-fsyntax-only", "model.c"], folder)
    return made.logic
