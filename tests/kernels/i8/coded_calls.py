"""Single kernels of codes as compiled C, on buffers whose channels stand anywhere.

Every buffer has exactly pixels * pitch bytes and ends where its block of memory ends. Places that
hold no channel have a content of their own, and must keep it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis.vendor.pretty import RepresentationPrinter

from netgen.emission.environment import render
from netgen.emission.format import format_c
from netgen.emission.functions import vector_words
from netgen.emission.kernels import function_name, kernel_function
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array
from netgen.kernels.layer import Instance, Kernel, Layer
from netgen.kernels.split import Split
from netgen.kernels.targets import Target
from netgen.ops.window import Sliding
from tests.tools import link

_HEAD = """\
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define T_CODE_ATTR

typedef struct {
    const void *reads[1];
    const void *w;
    void *y;
    int first;
    void *scratch;
} t_call;
"""

_MAIN = """\
/* Exactly so many bytes from the standard input, at an odd address unless they are words. */
static void *bytes(size_t count, int words)
{
    unsigned char *const block = malloc(count + 64);
    unsigned char *const at = words ? block : block + 64;
    if (block == NULL || fread(at, 1, count, stdin) != count) {
        exit(90);
    }
    return at;
}

int main(void)
{
CALLS
    return 0;
}
"""


@dataclass(frozen=True, repr=False)
class CodedCall:
    """A kernel on a layer, its operands and scales, and the rows of a band that are computed."""

    kernel: Kernel
    layer: Layer
    values: Mapping[str, Array]
    scales: Mapping[str, Array]
    first: int = 0
    split: Split | None = None

    def __repr__(self) -> str:
        layer = self.layer
        layouts = {a: layer.layout(a) for a in ("x", "y")}
        places = {a: (layout.pitch, *layout.places().tolist()) for a, layout in layouts.items()}
        return (
            f"{layer.op} of {[str(kind) for kind in layer.operands.values()]}, pitch and places "
            f"{places}, {layer.band} from {self.first}, {layer.choice}, {self.split}"
        )

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        """Hypothesis would print all fields."""
        del cycle
        printer.text(repr(self))

    def expected(self) -> Array:
        """The codes by the meaning of the operator, those of the band's rows."""
        layer = self.layer
        types = tuple(layer.operands.values())
        whole = [self.values[letter].astype(np.int64) for letter in layer.operands]
        signature = Signature(types, layer.result, self.scales)
        y = layer.op.reference(whole, signature)
        return y[:, self.first : self.first + layer.band.rows] if layer.band else y

    def cells(self, letter: str) -> Array:
        """The places of a value's elements in its buffer; rows of x stand in the band's slots."""
        layer = self.layer
        layout = layer.layout(letter)
        shape = layer.result.shape if letter == "y" else layer.operands[letter].shape
        if layer.band is None or letter == "y":
            rows = layer.band.rows if layer.band else shape[1]
            if len(shape) == 2:
                return np.asarray(layout.places()[None])
            pixels = np.arange(rows * shape[2]).reshape(1, rows, shape[2], 1)
            return np.asarray(pixels * layout.pitch + layout.places())
        band = layer.band
        row = (np.arange(shape[1]) % band.slots) * band.row_pixels
        pixels = (row[:, None] + np.arange(shape[2]))[None, :, :, None]
        return np.asarray(pixels * layout.pitch + layout.places())

    def size(self, letter: str) -> int:
        """Bytes of a value's buffer."""
        layer = self.layer
        shape = layer.result.shape if letter == "y" else layer.operands[letter].shape
        pitch = layer.layout(letter).pitch
        if layer.band is None:
            return int(np.prod(shape[1:-1])) * pitch
        rows = layer.band.rows * shape[2] if letter == "y" else 0
        return (rows or layer.band.slots * layer.band.row_pixels) * pitch

    def packed(self, target: Target) -> Array:
        """The packed constants."""
        constants = {a: self.values[a] for a in self.kernel.constants if a in self.values}
        scales = {"w.scale": np.concatenate([*self.scales.values()])} if self.scales else {}
        return self.kernel.pack(self.layer, target, {**constants, **scales})

    def x(self) -> Array:
        """The memory of x before the call: of a ring the rows that the band sees."""
        content = _content(self.size("x"))
        values = self.values["x"].view(np.uint8)
        cells = np.broadcast_to(self.cells("x"), values.shape)
        if self.layer.band is None:
            content[cells] = values
            return content
        for row in self._rows():
            content[cells[:, row]] = values[:, row]
        return content

    def _rows(self) -> list[int]:
        """The rows of x that are there: the last ones that the band sees, as many as slots."""
        band, shape = self.layer.band, self.layer.operands["x"].shape
        assert band is not None
        assert isinstance(self.layer.op, Sliding)
        window = self.layer.op.window(self.layer.operands["w"].shape)
        last = (self.first + band.rows - 1) * window.stride[0] - window.pad[0]
        last += (window.size[0] - 1) * window.dilation[0]
        end = min(last + 1, shape[1])
        return [*range(max(end - band.slots, 0), max(end, 0))]


def _content(size: int) -> Array:
    return (np.arange(size) * 37 % 251).astype(np.uint8)


def run_coded(
    calls: Sequence[CodedCall], target: Target, folder: Path, command: Sequence[str]
) -> list[Array]:
    """The codes of some calls."""
    (folder / "calls.c").write_text(program_of(calls, target))
    program = link(folder, command, ["calls.c"], "calls")
    return read_codes(calls, program.run(feed=written_for(calls, target)))


def written_for(calls: Sequence[CodedCall], target: Target) -> bytes:
    """The standard input of the program of some calls."""
    return b"".join(
        call.x().tobytes() + call.packed(target).astype("<i4").tobytes() for call in calls
    )


def read_codes(calls: Sequence[CodedCall], printed: bytes) -> list[Array]:
    """The codes that it printed. Asserts that no place changed which holds no channel of y."""
    written = np.frombuffer(printed, np.uint8)
    ends = np.cumsum([call.size("y") for call in calls])
    assert len(written) == ends[-1]
    found = []
    for call, part in zip(calls, np.split(written, ends[:-1]), strict=True):
        cells = call.cells("y")
        others = np.ones(len(part), bool)
        others[cells] = False
        changed = np.flatnonzero((part != _content(len(part))) & others)
        assert not len(changed), f"{call.layer} writes to {changed[:8]}, where nothing stands"
        found.append(part[cells].view(call.layer.result.element.storage))
    return found


def program_of(calls: Sequence[CodedCall], target: Target) -> str:
    """The C of some calls, and a main function that makes them."""
    instances = [_instance(call, number, target) for number, call in enumerate(calls)]
    apart = target.processor.calls_apart
    functions = [kernel_function(instance, "t", apart=apart).text for instance in instances]
    vectors = render("vectors.c.j2", prefix="t", **vector_words(functions, target, "t"))
    text = [_statements(c, i, target) for c, i in zip(calls, instances, strict=True)]
    main = _MAIN.replace("CALLS", "\n".join(text))
    return format_c(_HEAD + vectors + "\n".join(functions) + main)


def _instance(call: CodedCall, number: int, target: Target) -> Instance:
    parameters = {**call.kernel.parameters(call.layer, target), "aliased": []}
    if call.split:
        split = call.split
        parameters["split"] = {"by": split.by, "bounds": [[*row] for row in split.bounds]}
    name = f"{call.kernel.title(call.layer)}_{number}"
    return call.kernel.instance(call.layer, name, ["x"], parameters)


def _statements(call: CodedCall, instance: Instance, target: Target) -> str:
    """C that reads the memory of a call, calls the function and prints what became of y."""
    size = call.size("y")
    scratch = call.kernel.scratch(call.layer, target)
    arguments = ["x", "packed", "y"]
    arguments += [str(call.first)] if call.layer.band else []
    arguments += ["scratch"] if scratch else []
    parts = len(call.split.bounds[0]) - 1 if call.split else 1
    lines = [
        f"unsigned char *const y = malloc({size});",
        "if (y == NULL) { exit(91); }",
        f"for (int n = 0; n < {size}; ++n) {{ y[n] = (unsigned char)(n * 37 % 251); }}",
        f"void *const x = bytes({call.size('x')}, 0);",
        f"int32_t *const packed = bytes({call.packed(target).nbytes}, 1);",
        f"int32_t *const scratch = malloc({max(parts * scratch, 4)});",
        "if (scratch == NULL) { exit(92); }",
    ]
    arguments[2] = "(void *)y"
    name = function_name(instance, "t")
    for part in range(parts):
        lines += ["{", f"memset(scratch, {part + 77}, {max(parts * scratch, 4)});"]
        if call.split:
            lines.append(f"t_call call = {{{{x}}, packed, y, {call.first}, scratch}};")
            lines.append(f"{name}_part(&call, {part});")
            lines += [_others_kept(scratch, part, parts)] if scratch else []
        else:
            lines.append(f"{name}({', '.join(arguments)});")
        lines.append("}")
    lines += [f"fwrite(y, 1, {size}, stdout);", "free(y);", "free(packed);", "free(scratch);"]
    lines.append("free((unsigned char *)x - 64);")
    return "\n".join(["{", *lines, "}"])


def _others_kept(scratch: int, part: int, parts: int) -> str:
    """C that refuses a part which writes to scratch that is another's."""
    begin, end = part * scratch, (part + 1) * scratch
    return (
        f"for (int n = 0; n < {parts * scratch}; ++n) "
        f"{{ if ((n < {begin} || n >= {end}) && ((unsigned char *)scratch)[n] != {part + 77}) "
        "{ exit(93); } }"
    )
