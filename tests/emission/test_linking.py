"""Symbols of the object files: exported, needed, and shared with other models in one program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from netgen.emission.options import WeightsAs
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from tests.cases import heavy
from tests.emission.programs import emission
from tests.kernels.layers import normal_inputs
from tests.tools import ToolError, any_compiler, link, run_tool

WARNINGS_CXX = ("-std=c++11", "-Wall", "-Wextra", "-pedantic", "-Werror")
# What a compiler may call by itself, even in a freestanding program (GCC manual, "Standards").
MEMORY = {"memcpy", "memset", "memcmp", "memmove"}

CXX_PROGRAM = """
#include "model.h"
#include <cstdio>

MODEL_ARENA(arena);
static float input[MODEL_INPUT_ELEMENTS], output[MODEL_OUTPUT_ELEMENTS];

int main()
{
    model_config config = {};
    model_t model;
    config.arena = &arena;
    config.arena_bytes = sizeof arena;
    if (std::fread(input, sizeof(float), MODEL_INPUT_ELEMENTS, stdin) != MODEL_INPUT_ELEMENTS ||
        model_init(&model, &config) != MODEL_OK || model_run(&model, input, output) != MODEL_OK) {
        return 1;
    }
    std::fwrite(output, sizeof(float), MODEL_OUTPUT_ELEMENTS, stdout);
    return 0;
}
"""

TWO_MODELS = """
#include "first.h"
#include "second.h"
#include <stdio.h>

FIRST_ARENA(first_arena);
SECOND_ARENA(second_arena);
static float input[FIRST_INPUT_ELEMENTS];
static float one[FIRST_OUTPUT_ELEMENTS], two[SECOND_OUTPUT_ELEMENTS];

int main(void)
{
    first_config first_lent = {0};
    second_config second_lent = {0};
    first_t first;
    second_t second;
    first_lent.arena = &first_arena;
    first_lent.arena_bytes = sizeof first_arena;
    second_lent.arena = &second_arena;
    second_lent.arena_bytes = sizeof second_arena;
    if (fread(input, sizeof(float), FIRST_INPUT_ELEMENTS, stdin) != FIRST_INPUT_ELEMENTS
        || first_init(&first, &first_lent) || second_init(&second, &second_lent)
        || first_run(&first, input, one) || second_run(&second, input, two)) {
        return 1;
    }
    fwrite(one, sizeof(float), FIRST_OUTPUT_ELEMENTS, stdout);
    fwrite(two, sizeof(float), SECOND_OUTPUT_ELEMENTS, stdout);
    return 0;
}
"""


def compiled(folder: Path, sources: Sequence[str]) -> list[str]:
    """The object files of some sources; -O2 makes calls of what a compiler recognises."""
    objects = []
    for source in sources:
        objects.append(f"{source}.o")
        run_tool([any_compiler(), "-std=c99", "-O2", "-c", source, "-o", objects[-1]], folder)
    return objects


def symbols(folder: Path, objects: Sequence[str], which: str) -> set[str]:
    """Names that some objects define, or leave undefined, for the linker."""
    listing = run_tool(["nm", which, "--extern-only", "--format=posix", *objects], folder).decode()
    return {line.split()[0] for line in listing.splitlines() if not line.endswith(":")}


@pytest.mark.parametrize(
    ("target", "weights_as"),
    [*(("generic", form) for form in ("c", "inline", "incbin", "blob")), heavy("x86-64-v2", "c")],
)
def test_only_prefixed_symbols_leave(
    target: str, weights_as: WeightsAs, layers_graph: Graph, tiny_graph: Graph, tmp_path: Path
) -> None:
    # The kernels are the same with every form of weights.
    graph = layers_graph if weights_as == "c" else tiny_graph
    emitted = emission(graph, target, weights_as, "zoo", fuse=False)
    objects = compiled(tmp_path, emitted.write(tmp_path))
    defined = symbols(tmp_path, objects, "--defined-only")
    functions = {"zoo_init", "zoo_run"} | ({"zoo_check_weights"} if weights_as == "blob" else set())
    assert {name for name in defined if not name.startswith("zoo_weights")} == functions
    assert any(name.startswith("zoo_weights") for name in defined) == (
        weights_as in {"c", "incbin"}
    )
    needed = symbols(tmp_path, objects, "--undefined-only") - defined
    assert needed <= MEMORY
    # Constants alone: what could be written stands in the caller's memory.
    listing = run_tool(["nm", "--format=posix", *objects], tmp_path).decode()
    assert not re.findall(r"^\S+ [bBdDcC] ", listing, re.MULTILINE)


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_header_compiles_alone_as_cxx(compiler: str, small_graph: Graph, tmp_path: Path) -> None:
    for target, weights_as in (("generic", "c"), ("x86-64-v4", "blob")):
        emission(small_graph, target, "blob" if weights_as == "blob" else "c").write(tmp_path)
        command = [compiler, *WARNINGS_CXX, "-x", "c++", "-fsyntax-only", "model.h"]
        try:
            run_tool(command, tmp_path)
        except ToolError as error:
            # Said of any header that is compiled by itself.
            if "pragma once" not in str(error):
                raise


@pytest.mark.parametrize(("compiler", "c_compiler"), [("g++", "gcc"), ("clang++", "clang")])
def test_cxx_program_runs_the_model(
    compiler: str,
    c_compiler: str,
    tiny_graph: Graph,
    tmp_path: Path,
) -> None:
    sources = emission(tiny_graph, "generic", "c").write(tmp_path)
    for source in sources:
        run_tool([c_compiler, "-std=c99", "-O1", "-c", source, "-o", f"{source}.o"], tmp_path)
    (tmp_path / "program.cpp").write_text(CXX_PROGRAM)
    objects = [f"{source}.o" for source in sources]
    program = link(tmp_path, [compiler, *WARNINGS_CXX], ["program.cpp", *objects])
    inputs = normal_inputs(tiny_graph)
    printed = program.run(feed=inputs["image"].tobytes())
    expected = interpret(tiny_graph, inputs)[tiny_graph.outputs[0]].ravel()
    np.testing.assert_allclose(np.frombuffer(printed, np.float32), expected, atol=1e-5)


def test_two_models_share_a_program(small_graphs: list[Graph], tmp_path: Path) -> None:
    sources = []
    for graph, prefix in zip(small_graphs, ("first", "second"), strict=True):
        sources += emission(graph, "generic", "incbin", prefix).write(tmp_path)
    (tmp_path / "program.c").write_text(TWO_MODELS)
    program = link(tmp_path, [any_compiler(), "-std=c99", "-O1"], ["program.c", *sources])
    inputs = normal_inputs(small_graphs[0])
    printed = program.run(feed=inputs["image"].tobytes())
    expected = [interpret(graph, inputs)[graph.outputs[0]].ravel() for graph in small_graphs]
    np.testing.assert_allclose(
        np.frombuffer(printed, np.float32), np.concatenate(expected), atol=1e-5
    )


BOARD = """
#define MODEL_ARENA_ATTR __attribute__((section(".fast_ram")))
#define MODEL_CODE_ATTR __attribute__((section(".fast_code")))
#define MODEL_WEIGHTS_ATTR __attribute__((section(".slow_flash")))
"""


@pytest.mark.parametrize("weights_as", ["c", "inline"])
def test_attributes_of_the_projects_own_header(
    weights_as: WeightsAs, tiny_graph: Graph, tmp_path: Path
) -> None:
    emitted = emission(tiny_graph, "generic", weights_as)
    sources = emitted.write(tmp_path)
    (tmp_path / "board.h").write_text(BOARD)
    (tmp_path / "arena.c").write_text(
        '#include "model.h"\nMODEL_ARENA(arena);\nvoid *arena_of_model(void) { return &arena; }\n'
    )
    sizes: dict[str, int] = {}
    for source in (*sources, "arena.c"):
        board = ['-DMODEL_CONFIG_H="board.h"', "-I."]
        command = [any_compiler(), "-std=c99", "-O1", *board]
        run_tool([*command, "-c", source, "-o", "object.o"], tmp_path)
        listing = run_tool(["objdump", "--section-headers", "object.o"], tmp_path).decode()
        for name, size in re.findall(r"^\s*\d+ (\S+)\s+([0-9a-f]+)", listing, re.MULTILINE):
            sizes[name] = sizes.get(name, 0) + int(size, 16)
    assert sizes[".fast_ram"] == emitted.plan.certificate.arena_bytes
    assert sizes[".slow_flash"] >= emitted.plan.weights_bytes
    assert sizes[".fast_code"] > 1000
    # All code is there, and the weights are nowhere else.
    assert sizes[".text"] < 100
    assert sizes.get(".rodata", 0) < 1000


@pytest.mark.parametrize("weights_as", ["c", "inline", "incbin", "blob"])
def test_every_definition_has_its_declaration_in_sight(
    weights_as: WeightsAs, tiny_graph: Graph
) -> None:
    """Constants that two files share are declared once, in the header's private part."""
    emitted = emission(tiny_graph, "generic", weights_as)
    public, _, private = emitted.header.partition("#if defined(MODEL_PRIVATE)\n")
    extern = r"^extern const .*?(\w+)(?:\[\d+\])?(?: \w+_ATTR)?(?: \w+_ALIGNED)?;$"
    declared = re.findall(extern, private, re.MULTILINE)
    definitions = emitted.files.get("model_weights.c", b"").decode()
    assert re.findall(r"^const union \w+ (\w+) ", definitions, re.MULTILINE) == (
        declared if weights_as == "c" else []
    )
    assert bool(declared) == (weights_as in ("c", "incbin"))
    for text in (emitted.logic, definitions):
        assert "extern" not in text
        assert ('#define MODEL_PRIVATE\n#include "model.h"\n' in text) == (
            bool(declared) and bool(text)
        )
    assert not re.search(r"^extern (?!\"C\")", public, re.MULTILINE)


@pytest.mark.parametrize("weights_as", ["c", "incbin"])
def test_files_of_two_models_do_not_go_together(
    weights_as: WeightsAs, tiny_graph: Graph, tmp_path: Path
) -> None:
    """The same network with one other weight: code, header and weights of each belong together."""
    other = dict(tiny_graph.constants)
    name = next(iter(other))
    other[name] = other[name] * np.float32(2)
    emission(tiny_graph, "generic", weights_as).write(tmp_path)
    changed = emission(tiny_graph.with_constants(other), "generic", weights_as)
    weights = f"model_weights.{'c' if weights_as == 'c' else 'S'}"
    main = "extern int model_run(void); int main(void) { return model_run == 0; }"
    (tmp_path / "main.c").write_text(main)
    command = [any_compiler(), "-std=c99", "-I."]
    link(tmp_path, command, ["main.c", "model.c", weights])
    (tmp_path / weights).write_bytes(changed.files[weights])
    with pytest.raises(ToolError, match=r"of another model|undefined reference"):
        link(tmp_path, command, ["main.c", "model.c", weights])
    (tmp_path / "model.h").write_bytes(changed.files["model.h"])
    with pytest.raises(ToolError, match=r"model\.h is of another model"):
        link(tmp_path, command, ["main.c", "model.c", weights])
