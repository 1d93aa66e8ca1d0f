"""Emitted models as programs: write the files, compile them, run them on floats or codes.

The driver gives every buffer exactly its stated size, at an address that is only as aligned as the
header asks for, and poisons the arena with NaN before each of its two runs, which must agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from netgen.emission.options import EmitOptions, WeightsAs
from netgen.emission.source import emit_files
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.ir.tensor_type import Array
from netgen.ir.verify import verify
from netgen.kernels.targets import Compiler, find_target
from netgen.passes import run_pipeline
from netgen.plan.build import build_plan
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.packing import pack_weights
from tests.tools import Program, any_compiler, link, quickly

WARNINGS = (
    *("-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wstrict-prototypes"),
    *("-Wmissing-prototypes", "-Wdouble-promotion", "-Wcast-align", "-Wundef", "-Werror"),
)
SANITIZERS = ("-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

DRIVER = """\
#define _POSIX_C_SOURCE 200112L
#include "PREFIX.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exactly so many bytes, at an address that is aligned for elements and for nothing wider. */
static void *elements(size_t bytes, size_t element)
{
    unsigned char *const block = malloc(bytes + element);
    memset(block, 0xff, bytes + element);
    return block + element;
}

static void *aligned(size_t bytes)
{
    void *block = NULL;
    const size_t least = sizeof(void *);
    const size_t alignment = UPPER_ARENA_ALIGN < least ? least : UPPER_ARENA_ALIGN;
    return posix_memalign(&block, alignment, bytes ? bytes : 1) == 0 ? block : NULL;
}

int main(int count, char **arguments)
{
    static const size_t sizes[] = {SIZES}, element[] = {ELEMENTS};
    void *ports[PORTS], *again[PORTS];
    PREFIX_config config = {0};
    PREFIX_t model;
    void *weights = NULL;
    for (int i = 0; i < PORTS; ++i) {
        ports[i] = elements(sizes[i], element[i]);
        again[i] = elements(sizes[i], element[i]);
        if (i < INPUTS && fread(ports[i], 1, sizes[i], stdin) != sizes[i]) {
            return 90;
        }
    }
    config.arena = aligned(UPPER_ARENA_BYTES);
    config.arena_bytes = UPPER_ARENA_BYTES;
#ifdef UPPER_ERROR_WEIGHTS_SIZE
    if (count > 1) {
        FILE *const file = fopen(arguments[1], "rb");
        fseek(file, 0, SEEK_END);
        config.weights_bytes = (size_t)ftell(file);
        weights = aligned(config.weights_bytes);
        rewind(file);
        if (fread(weights, 1, config.weights_bytes, file) != config.weights_bytes) {
            return 91;
        }
        config.weights = weights;
    }
#else
    (void)count;
    (void)arguments;
#endif
    UNSET
    int32_t status = PREFIX_init(&model, &config);
    if (status != UPPER_OK) {
        return 100 - (int)status;
    }
    memset(config.arena, 0xff, UPPER_ARENA_BYTES);
    RESIDENT
    status = PREFIX_run(&model, FIRST);
    memset(config.arena, 0xff, UPPER_ARENA_BYTES);
    RESIDENT
    status |= PREFIX_run(&model, SECOND);
    if (status != UPPER_OK) {
        return 100 - (int)status;
    }
    for (int i = 0; i < PORTS; ++i) {
        if (i >= INPUTS) {
            if (memcmp(ports[i], again[i], sizes[i]) != 0) {
                return 92;
            }
            fwrite(ports[i], 1, sizes[i], stdout);
        }
        free((unsigned char *)ports[i] - element[i]);
        free((unsigned char *)again[i] - element[i]);
    }
    free(weights);
    free(config.arena);
    return 0;
}
"""


@dataclass(frozen=True)
class Emission:
    """A model's plan and its files, by name."""

    plan: Plan
    files: Mapping[str, bytes]
    prefix: str

    @property
    def logic(self) -> str:
        """The text of the C file."""
        return self.files[f"{self.prefix}.c"].decode()

    @property
    def header(self) -> str:
        """The text of the header."""
        return self.files[f"{self.prefix}.h"].decode()

    def write(self, folder: Path) -> list[str]:
        """Write all files; the names of those that a compiler is given."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return [name for name in self.files if name.endswith((".c", ".S"))]

    def build(self, folder: Path, command: Sequence[str | Path]) -> Program:
        """Compile with the driver; the program."""
        sources = self.write(folder)
        (folder / "driver.c").write_text(self.driver())
        # The driver may use what the platform has; the warnings are for the emitted files.
        return link(folder, [*command, "-I."], [*sources, "driver.c"])

    def run(self, program: Program, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The outputs, by value, as they stand in memory."""
        feed = b"".join(
            self.plan.values[name].type.element.store(inputs[name]).tobytes()
            for name in self.plan.inputs
        )
        blob = program.path.parent / f"{self.prefix}_weights.bin"
        written = program.run(*([blob] if blob.name in self.files else []), feed=feed)
        types = {name: self.plan.values[name].type for name in self.plan.outputs}
        ends = [0, *accumulate(kind.bytes for kind in types.values())]
        assert len(written) == ends[-1]
        return {
            name: np.frombuffer(written[first:end], kind.element.storage).reshape(kind.shape)
            for (name, kind), (first, end) in zip(types.items(), pairwise(ends), strict=True)
        }

    def driver(self) -> str:
        """The C of a program that feeds the model from its standard input."""
        names = (*self.plan.inputs, *self.plan.outputs)
        inputs = len(self.plan.inputs)
        home = self.plan.buffer_of(self.plan.inputs[0])
        resident = home.kind == "arena" and not self.plan.push_rows
        both = [
            ", ".join(
                f"{'ports' if i < inputs else outputs}[{i}]"
                for i in range(inputs if resident else 0, len(names))
            )
            for outputs in ("ports", "again")
        ]
        copy = "memcpy(PREFIX_input(&model), ports[0], sizes[0]);"
        unset = "static PREFIX_t zero;\n    if (PREFIX_input(&zero) != NULL) { return 93; }"
        words = {
            "UNSET": unset if resident else "",
            "RESIDENT": copy if resident else "",
            "SIZES": ", ".join(str(self.plan.values[name].type.bytes) for name in names),
            "ELEMENTS": ", ".join(str(self.plan.values[name].type.element.bytes) for name in names),
            "FIRST": both[0],
            "SECOND": both[1],
            "INPUTS": str(inputs),
            "PORTS": str(len(names)),
            "UPPER": self.prefix.upper(),
            "PREFIX": self.prefix,
        }
        text = DRIVER
        for word, value in words.items():
            text = text.replace(word, value)
        return text


@lru_cache(maxsize=16)
def _fused(graph: Graph) -> Graph:
    """The graph after all passes, whatever it is planned for."""
    return run_pipeline(graph)


def emission(
    graph: Graph,
    target: str,
    weights_as: WeightsAs = "blob",
    prefix: str = "model",
    *,
    fuse: bool = True,
    memory: PlanOptions = DEFAULT,
) -> Emission:
    """Plan and emit a graph; without `fuse` its layers stay as they are.

    Of the forms of weights the blob is the one that no compiler has to read.
    """
    lowered = _fused(graph) if fuse else verify(graph)
    plan = build_plan(lowered, find_target(target), memory)
    return emission_of(graph, lowered, plan, weights_as, prefix)


@lru_cache(maxsize=16)
def emitted_once(graph: Graph, target: str, *, fuse: bool = True) -> Emission:
    """The same for tests that read one text: they share it."""
    return emission(graph, target, fuse=fuse)


def emission_of(
    graph: Graph, lowered: Graph, plan: Plan, weights_as: WeightsAs = "blob", prefix: str = "model"
) -> Emission:
    """Emit a plan of a graph that has been through the passes."""
    origin = graph.origin or Origin(graph.name)
    options = EmitOptions(prefix, prefix, weights_as, f"netgen compile {graph.name} -o {prefix}.c")
    return Emission(plan, emit_files(plan, origin, pack_weights(plan, lowered), options), prefix)


def flags_of(target: str, compiler: Compiler | None = None) -> list[str]:
    """A command for values: this machine's compiler, of any kind without `compiler`, and flags."""
    kind = compiler or any_compiler()
    flags = find_target(target).flags(kind)
    return [kind, *(quickly(flags) if kind == "gcc" else flags)]
