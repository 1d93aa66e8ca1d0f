"""The alternatives of one layer as a C file, and the memory on which they are timed.

Weights come from where they come from in the network: each call reads another copy, and the copies
together are as large as all the weights of the network. Operands and result stay where they are, as
activations do that the layer before has just written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from netgen.emission.c_types import C_TYPES
from netgen.emission.environment import render
from netgen.emission.functions import vector_words
from netgen.emission.kernels import kernel_function
from netgen.ir.tensor_type import ELEMENTS, Array
from netgen.kernels.layer import Choice, Json, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.runtime.build import build_library, load_function
from netgen.runtime.compilers import CCompiler
from netgen.runtime.cpu import require_processor
from netgen.weights.seeded import uniform

# More copies of weights than this say nothing new: no cache near the processor holds them.
_MOST_WEIGHTS = 64 << 20
_ALIGNMENT = 64

# Seconds that one call of alternative `which` takes, `repeats` calls after each other.
TimedCalls: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True)
class Case:
    """A layer of a network: the letters that its C function reads, and which may be the result."""

    kernel: Kernel
    layer: Layer
    arguments: tuple[str, ...]
    aliased: tuple[str, ...] = ()
    network_weights: int = 0

    def packed_bytes(self, choice: Choice, target: Target) -> int:
        """Bytes of the packed constants, aligned."""
        if not self.kernel.constants:
            return 0
        size = self.kernel.packed_bytes(replace(self.layer, choice=choice), target)
        return -(-size // _ALIGNMENT) * _ALIGNMENT


def candidates_source(case: Case, choices: Sequence[Choice], target: Target) -> str:
    """A function for each choice, and one that calls them: `tune_run`."""
    texts, needs = [], []
    for number, choice in enumerate(choices):
        layer = replace(case.layer, choice=choice)
        aliased: list[Json] = [*case.aliased]
        parameters = {**case.kernel.parameters(layer, target), "aliased": aliased}
        instance = case.kernel.instance(layer, str(number), case.arguments, parameters)
        texts.append(kernel_function(instance, "tune").text)
        needs.append(bool(parameters.get("scratch")))
    vectors = render("vectors.c.j2", prefix="tune", **vector_words(texts, target, "tune"))
    head = "#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n\n"
    # Each a function of its own, as where a network calls it from several places.
    attribute = "#define TUNE_CODE_ATTR __attribute__((noinline))\n\n"
    return "\n".join([head + attribute, vectors, *texts, _driver(case, needs, target)])


def _driver(case: Case, needs: Sequence[bool], target: Target) -> str:
    """The function that calls the others, of which some need scratch."""
    types = [C_TYPES[case.layer.operands[letter].dtype].name for letter in case.arguments]
    arguments = [
        f"(const {name} *){letter}" for name, letter in zip(types, case.arguments, strict=True)
    ]
    weights = C_TYPES[_packed_element(case, target)].name
    arguments += [f"(const {weights} *)(w + at)"] if case.kernel.constants else []
    arguments += [f"({C_TYPES[case.layer.result.dtype].name} *)y"]
    if case.layer.band is not None:
        # A row that is no edge.
        arguments.append(str(case.layer.result.shape[1] // 2))
    scratch = [f"({C_TYPES[case.kernel.scratch_element].name} *)scratch"]
    calls = [", ".join([*arguments, *(scratch if own else [])]) for own in needs]
    cases = "".join(
        f"        case {n}: tune_{n}({given}); break;\n" for n, given in enumerate(calls)
    )
    reads = "".join(f"uintptr_t {letter}, " for letter in case.arguments)
    return (
        f"void tune_run(int32_t which, int32_t repeats, {reads}uintptr_t w, size_t step, "
        "size_t end, uintptr_t y, uintptr_t scratch)\n{\n    size_t at = 0;\n    (void)scratch;\n"
        "    for (int32_t n = 0; n < repeats; ++n) {\n        switch (which) {\n"
        f"{cases}        }}\n        at = at + step < end ? at + step : 0;\n    }}\n}}\n"
    )


def load_candidates(
    case: Case, choices: Sequence[Choice], target: Target, compiler: CCompiler
) -> TimedCalls:
    """Compile the alternatives; gives a function of the alternative's number and the repeats.

    Raises BuildError where they cannot be compiled, or not run by this processor.
    """
    require_processor(target)
    source = candidates_source(case, choices, target)
    library = build_library(source, "", "tune", target, compiler)
    pointers = ", ".join(["uintptr_t"] * len(case.arguments))
    behind = "uintptr_t, size_t, size_t, uintptr_t, uintptr_t"
    signature = f"void(*)(int32_t, int32_t, {pointers}, {behind})"
    run = load_function(library, "tune_run", signature)
    operands = [_memory_of(case.layer, letter) for letter in case.arguments]
    y = _memory_of(case.layer, "y")
    steps = [case.packed_bytes(choice, target) for choice in choices]
    room = max(min(case.network_weights, _MOST_WEIGHTS), *steps, _ALIGNMENT)
    w = _memory(_packed_element(case, target), room if max(steps) else _ALIGNMENT)
    needed = [case.kernel.scratch(replace(case.layer, choice=choice), target) for choice in choices]
    scratch = _memory(case.kernel.scratch_element, max(*needed, _ALIGNMENT))

    def call(which: int, repeats: int) -> None:
        step = steps[which]
        end = room // step * step if step else 0
        addresses = [operand.ctypes.data for operand in operands]
        lent = y.ctypes.data, scratch.ctypes.data
        run(which, repeats, *addresses, w.ctypes.data, step, end, *lent)

    return call


def _packed_element(case: Case, target: Target) -> str:
    return case.kernel.packed_element(case.kernel.parameters(case.layer, target))


def _memory_of(layer: Layer, letter: str) -> Array:
    """An operand or the result, the gaps of its layout and its slots included."""
    kind = layer.result if letter == "y" else layer.operands[letter]
    pitch = layer.layout(letter).pitch
    pixels = kind.elements // kind.shape[-1]
    if letter == "x" and layer.band is not None:
        pixels = max(pixels, layer.band.slots * layer.band.row_pixels)
    return _memory(kind.dtype, pixels * pitch * kind.element.bytes)


def _memory(dtype: str, size: int) -> Array:
    """Aligned elements in so many bytes: floats, none of them zero or denormal, or any codes."""
    element = ELEMENTS[dtype]
    room = np.empty(size + 2 * _ALIGNMENT, np.uint8)
    skip = -room.ctypes.data % _ALIGNMENT
    elements = room[skip : skip + size].view(element.storage)
    numbers = uniform("tune", (4093,))
    if not element.is_float:
        numbers = element.low + (numbers + 1.0) / 2.0 * (element.high - element.low)
    elements[:] = np.resize(numbers.astype(element.storage), elements.size)
    return elements
