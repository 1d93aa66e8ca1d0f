"""Single kernels as compiled C on buffers whose channels stand anywhere, and layouts at random.

Every buffer has exactly pixels * pitch floats and ends where its block of memory ends; places that
hold no channel are NaN, with a payload of their own each, and must keep it bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

from netgen.emission.environment import render
from netgen.emission.format import format_c
from netgen.emission.functions import vector_words
from netgen.emission.kernels import function_name, kernel_function
from netgen.kernels.layer import Instance, Json, Kernel, Layer
from netgen.kernels.layout import Layout, dense_layout, layout_of
from netgen.kernels.targets import Compiler, Target, find_target
from tests.emission.programs import WARNINGS, flags_of
from tests.tools import link

Floats = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint32]
Cells = npt.NDArray[np.int64]

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1")

_HEAD = """\
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define T_CODE_ATTR
"""

_MAIN = """\
/* Exactly `count` floats from the standard input, aligned for floats and for nothing wider. */
static float *floats(size_t count)
{
    float *const block = malloc((count + 1) * sizeof(float));
    if (block == NULL || fread(block + 1, sizeof(float), count, stdin) != count) {
        exit(90);
    }
    return block + 1;
}

int main(void)
{
CALLS
    return 0;
}
"""


@dataclass(frozen=True, repr=False)
class Call:
    """A kernel on a layer with layouts, and its operands: logical arrays, channels last.

    `over` are operands in the same memory as `y`, which starts so many bytes before them: either
    in the same buffer (0), with equal or with disjoint places, or overlapping as a kernel allows.
    """

    kernel: Kernel
    layer: Layer
    values: Mapping[str, Floats]
    over: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        layer, shapes = self.layer, [kind.shape for kind in self.layer.operands.values()]
        layouts = {a: layer.layout(a) for a in (*self.reads, "y")}
        places = {a: (layout.pitch, *layout.places().tolist()) for a, layout in layouts.items()}
        return f"{self.kernel.name}: {layer.op} of {shapes}, pitch and places {places}"

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        """Hypothesis would print all fields."""
        del cycle
        printer.text(repr(self))

    @property
    def reads(self) -> tuple[str, ...]:
        """Letters of the operands that the C function takes a pointer to."""
        return tuple(a for a in self.layer.operands if a not in self.kernel.constants)

    def cells(self, letter: str) -> Cells:
        """The elements of a value in logical order, as indices from the start of its buffer."""
        kind = self.layer.result if letter == "y" else self.layer.operands[letter]
        layout = self.layer.layout(letter)
        pixels = kind.elements // layout.channels
        places = np.arange(pixels)[:, None] * layout.pitch + layout.places()
        return places.reshape(kind.shape)

    def size(self, letter: str) -> int:
        """Floats of a value's buffer."""
        kind = self.layer.result if letter == "y" else self.layer.operands[letter]
        layout = self.layer.layout(letter)
        return kind.elements // layout.channels * layout.pitch

    def aliased(self) -> list[Json]:
        """Letters of the operands whose pointers may not be `restrict`."""
        return [*self.over]

    def weights(self, target: Target) -> Floats:
        """The packed constants."""
        constants = {a: self.values[a] for a in self.kernel.constants if a in self.values}
        return self.kernel.pack(self.layer, target, constants)

    def blocks(self) -> dict[str, Words]:
        """The memory before the call, by letter; operands in the memory of `y` are in its block."""
        ends = [self.size(a) + d // 4 for a, d in self.over.items()]
        blocks = {"y": _poison(max([self.size("y"), *ends]))}
        for letter in self.reads:
            words = np.ascontiguousarray(self.values[letter], np.float32).view(np.uint32)
            block = "y" if letter in self.over else letter
            blocks.setdefault(block, _poison(self.size(letter)))
            blocks[block][self.cells(letter) + self.over.get(letter, 0) // 4] = words
        return blocks


def _poison(size: int) -> Words:
    return np.uint32(0x7FC00000) + np.arange(size, dtype=np.uint32) % np.uint32(0x3FFFFF)


def run_calls(
    calls: Sequence[Call],
    target: str,
    folder: Path,
    compiler: Compiler | None = None,
    flags: Sequence[str] = (),
) -> list[Floats]:
    """The logical results of some calls, compiled together with all warnings as errors.

    `flags` come after the target's own, for instance SANITIZERS. Asserts that no place changes
    which holds no channel of `y`.
    """
    command = [*flags_of(target, compiler), *WARNINGS, *flags]
    return run_built(calls, find_target(target), folder, command)


def run_built(
    calls: Sequence[Call],
    target: Target,
    folder: Path,
    command: Sequence[str],
) -> list[Floats]:
    """Run calls as `run_calls` does, for any target, compiled by a command."""
    (folder / "calls.c").write_text(_program(calls, target))
    program = link(folder, command, ["calls.c"], "calls")
    feed = b""
    for call in calls:
        blocks = call.blocks()
        feed += b"".join(block.tobytes() for block in blocks.values())
        feed += call.weights(target).tobytes()
    written = np.frombuffer(program.run(feed=feed), np.uint32)
    ends = np.cumsum([len(call.blocks()["y"]) for call in calls])
    assert len(written) == ends[-1]
    parts = np.split(written, ends[:-1])
    return [_result(call, part) for call, part in zip(calls, parts, strict=True)]


def run_call(call: Call, target: str, folder: Path, flags: Sequence[str] = ()) -> Floats:
    """The logical result of one call."""
    return run_calls([call], target, folder, flags=flags)[0]


def _result(call: Call, written: Words) -> Floats:
    cells = call.cells("y")
    others = np.ones(len(written), bool)
    others[cells] = False
    changed = np.flatnonzero((written != call.blocks()["y"]) & others)
    assert not len(changed), f"{call} writes to {changed[:8]}, where nothing of y stands"
    return written[cells].view(np.float32)


def _program(calls: Sequence[Call], target: Target) -> str:
    instances = [_instance(call, number, target) for number, call in enumerate(calls)]
    functions = [kernel_function(instance, "t").text for instance in instances]
    vectors = render("vectors.c.j2", prefix="t", **vector_words(functions, target, "t"))
    text = [_statements(c, i, target) for c, i in zip(calls, instances, strict=True)]
    main = _MAIN.replace("CALLS", "\n".join(text))
    return format_c(_HEAD + vectors + "\n".join(functions) + main)


def _instance(call: Call, number: int, target: Target) -> Instance:
    parameters = {**call.kernel.parameters(call.layer, target), "aliased": call.aliased()}
    name = f"{call.kernel.title(call.layer)}_{number}"
    return call.kernel.instance(call.layer, name, call.reads, parameters)


def _statements(call: Call, instance: Instance, target: Target) -> str:
    """C that reads the memory of a call, calls the function and prints what became of y."""
    blocks = call.blocks()
    lines = [f"float *const {a} = floats({len(block)});" for a, block in blocks.items()]
    at = {a: f"y + {call.over[a] // 4}" if a in call.over else a for a in call.reads}
    arguments = [at[a] for a in call.reads]
    if call.kernel.constants:
        lines.append(f"float *const packed = floats({len(call.weights(target))});")
        arguments.append("packed")
    lines.append(f"{function_name(instance, 't')}({', '.join([*arguments, 'y'])});")
    lines.append(f"fwrite(y, sizeof(float), {len(blocks['y'])}, stdout);")
    names = [*blocks, *(["packed"] if call.kernel.constants else [])]
    lines += [f"free({name} - 1);" for name in names]
    return "\n".join(["{", *lines, "}"])


Shape = Literal["dense", "permuted", "runs", "shuffled", "scrambled"]
_SHAPES: tuple[Shape, ...] = ("dense", "permuted", "runs", "shuffled", "scrambled")
_WITHOUT_RUNS: tuple[Shape, ...] = ("permuted", "scrambled")


@st.composite
def layouts(draw: st.DrawFn, channels: int, *, most_scrambled: int = 1000) -> Layout:
    """Draw places for `channels` channels: in order, in few long runs, or all over the place.

    More than `most_scrambled` are not all over the place: a kernel that visits each by itself would
    take long to compile.
    """
    shapes = [s for s in _SHAPES if channels <= most_scrambled or s not in _WITHOUT_RUNS]
    shape = draw(st.sampled_from(shapes))
    if shape == "dense":
        return dense_layout(channels)
    if shape == "permuted":
        return layout_of(channels, draw(st.permutations(range(channels))))
    gaps = draw(st.integers(0, 40))
    if shape == "scrambled":
        return layout_of(channels + gaps, draw(st.permutations(range(channels + gaps)))[:channels])
    order = list(range(channels))
    if shape == "shuffled":
        groups = draw(st.integers(1, 4))
        order = [c for group in range(groups) for c in range(group, channels, groups)]
    # Some runs in another order, each behind a part of the gaps.
    cuts = sorted(draw(st.lists(st.integers(0, channels), max_size=4)))
    runs = [order[a:b] for a, b in zip([0, *cuts], [*cuts, channels], strict=True)]
    places = np.full(channels, -1, np.int64)
    at = 0
    for run in draw(st.permutations(runs)):
        at += (gap := draw(st.integers(0, gaps)))
        gaps -= gap
        places[run] = at + np.arange(len(run))
        at += len(run)
    return layout_of(at + gaps, places)


@st.composite
def disjoint_layouts(
    draw: st.DrawFn, *channels: int, most_scrambled: int = 1000
) -> tuple[Layout, ...]:
    """Layouts of some values in the pixels of one buffer, no two of them in one place."""
    layout = draw(layouts(sum(channels), most_scrambled=most_scrambled))
    parts = np.split(layout.places(), np.cumsum(channels)[:-1])
    return tuple(layout_of(layout.pitch, part) for part in parts)
