"""Shared libraries: the interface of the header, the weights inside, no other library."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.compiler import resolve_target
from netgen.dsl import Tensor, image, network
from netgen.emission.files import write_files
from netgen.errors import BuildError, UsageError
from netgen.export.shared_library import library_files
from netgen.ir.interpret import interpret
from netgen.ops import conv2d, flatten, global_avg_pool, linear, relu
from netgen.plan.data.options import DEFAULT
from tests.tools import any_compiler, link, run_tool


@network
def tiny() -> Tensor:
    x = relu(conv2d(image(8, 8, 1), 4, 3, stride=2, pad=1, name="first"))
    return linear(flatten(global_avg_pool(x)), 3, name="classes")


class Config(ctypes.Structure):
    _fields_ = (
        ("arena", ctypes.c_void_p),
        ("arena_bytes", ctypes.c_size_t),
        ("hook", ctypes.c_void_p),
        ("user", ctypes.c_void_p),
    )


PROGRAM = """
#include "net.h"
#include <stdio.h>
NET_ARENA(arena);
int main(void)
{
    static float x[NET_INPUT_ELEMENTS], y[NET_OUTPUT_ELEMENTS];
    for (int i = 0; i < NET_INPUT_ELEMENTS; i++)
        x[i] = (float)i;
    net_t m;
    const net_config config = {.arena = &arena, .arena_bytes = sizeof arena};
    if (net_init(&m, &config) != NET_OK || net_run(&m, x, y) != NET_OK)
        return 1;
    for (int i = 0; i < NET_OUTPUT_ELEMENTS; i++)
        printf("%.9g ", (double)y[i]);
    return 0;
}
"""


def test_it_is_called_from_python(tmp_path: Path) -> None:
    graph = netgen.load(tiny)
    files = library_files(graph, "net", "generic", DEFAULT)
    assert files.keys() == {"net.so", "net.h"}
    write_files(tmp_path, files)
    x = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1)
    expected = interpret(graph, {graph.inputs[0].name: x})[graph.outputs[0]]

    library = ctypes.CDLL(str(tmp_path / "net.so"))
    arena, model = np.empty(1 << 16, np.uint8), np.zeros(16, np.uint64)
    y = np.empty(3, np.float32)
    config = Config(arena.ctypes.data, arena.nbytes)
    at = ctypes.c_void_p
    assert library.net_init(at(model.ctypes.data), ctypes.byref(config)) == 0
    pointers = [at(each.ctypes.data) for each in (model, x, y)]
    assert library.net_run(*pointers) == 0
    np.testing.assert_allclose(y, np.ravel(expected), rtol=1e-5)


@pytest.mark.heavy
def test_it_is_linked_to_c(tmp_path: Path) -> None:
    graph = netgen.load(tiny)
    write_files(tmp_path, library_files(graph, "net", "generic", DEFAULT))
    (tmp_path / "main.c").write_text(PROGRAM)
    # By its own name: -rpath finds it where it stands.
    flags = [any_compiler(), "-std=c99", "-I.", "main.c", "net.so", f"-Wl,-rpath,{tmp_path}"]
    printed = link(tmp_path, flags, []).run().split()
    x = np.arange(64, dtype=np.float32).reshape(8, 8, 1)
    model = netgen.compile(graph, target="generic")
    np.testing.assert_array_equal(np.array(printed, np.float32), model(x))


@pytest.mark.heavy
def test_it_needs_no_other_library(tmp_path: Path) -> None:
    files = library_files(netgen.load(tiny), "net", "native", DEFAULT, "own", selftest=True)
    write_files(tmp_path, files)
    needed = run_tool(["readelf", "-dW", "net.so"], tmp_path).decode()
    assert "soname: [net.so]" in needed
    names = {line.split("[")[1].rstrip("]") for line in needed.splitlines() if "NEEDED" in line}
    assert names <= {"libc.so.6"}
    defined = run_tool(["nm", "-D", "--defined-only", "net.so"], tmp_path).decode().split()[2::3]
    assert {name for name in defined if "weights" not in name} == {
        "own_init",
        "own_run",
        "own_selftest",
        "own_selftest_layer",
    }


def test_names_and_targets_that_cannot_be() -> None:
    graph = netgen.load(tiny)
    with pytest.raises(UsageError, match="cannot open the names of C functions"):
        library_files(graph, "my-net", "generic", DEFAULT)
    own = resolve_target("native").name
    strange = "x86-64-v3" if own.startswith("aarch64") else "aarch64"
    with pytest.raises(BuildError, match=f"target {strange} is for"):
        library_files(graph, "net", strange, DEFAULT)
