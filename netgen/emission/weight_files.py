"""The files that hold the weights, for each form in which they come."""

from __future__ import annotations

from collections.abc import Mapping

from netgen.emission.c_types import PLAIN
from netgen.emission.environment import render
from netgen.emission.interface import int_bytes
from netgen.emission.options import EmitOptions
from netgen.emission.weights import BLOB_HEADER_BYTES, WeightArray, blob, c_array
from netgen.emission.wrap import wrap_comment
from netgen.ir.tensor_type import ELEMENTS
from netgen.plan.data.plan import Plan
from netgen.plan.packing import PackedBytes

_LICENCE = "SPDX-License-Identifier: 0BSD"


def weight_files(
    plan: Plan,
    packed: PackedBytes,
    options: EmitOptions,
    arrays: Mapping[int, WeightArray],
    layout: bytes,
    number: str,
) -> dict[str, bytes]:
    """The files by name; none where the weights are in the C file itself.

    Files of text carry the model's `number`.
    """
    stem, upper, name = options.stem, options.prefix.upper(), f"{options.stem}_weights"
    if options.weights_as == "blob":
        return {f"{name}.bin": blob(plan, packed, layout)}
    if options.weights_as == "incbin":
        assembler = render(
            "weights.S.j2", prefix=options.prefix, stem=stem, upper=upper, tag=id_tag(number)
        )
        content = blob(plan, packed, layout)[BLOB_HEADER_BYTES:]
        return {f"{name}.S": assembler.encode(), f"{name}.bin": content}
    if options.weights_as == "inline":
        return {}
    head = "\n".join(wrap_comment([f"/* Packed weights of {stem}.c. {_LICENCE} */"], ""))
    head += f'\n#define {upper}_PRIVATE\n#include "{stem}.h"\n\n'
    head += f'#if {upper}_ID != {number}\n#error "{stem}.h is of another model"\n#endif\n\n'
    return {f"{name}.c": (head + _arrays(plan, packed, options, arrays)).encode()}


def id_tag(number: str) -> str:
    """The model's number as the end of a name."""
    return number.removeprefix("0x").removesuffix("u")


def inline_arrays(
    plan: Plan, packed: PackedBytes, options: EmitOptions, arrays: Mapping[int, WeightArray]
) -> str:
    """The arrays as they stand in the C file itself."""
    return _arrays(plan, packed, options, arrays)


def _arrays(
    plan: Plan,
    packed: PackedBytes,
    options: EmitOptions,
    arrays: Mapping[int, WeightArray],
) -> str:
    attributes = weight_attributes(plan, options)
    inline = options.weights_as == "inline"
    return "\n".join(
        c_array(
            array,
            packed,
            # The header declares those of the other file, with their members.
            f"static const union {{ {array.members}; }}" if inline else f"const union {array.tag}",
            attributes,
        )
        for array in arrays.values()
    )


def weight_attributes(plan: Plan, options: EmitOptions) -> str:
    """The attributes behind the name of an array of weights."""
    upper = options.prefix.upper()
    return f" {upper}_WEIGHTS_ATTR{alignment_attribute(plan, upper)}"


def alignment_attribute(plan: Plan, upper: str) -> str:
    """The attribute of arrays and arenas where C's own alignment is less; else empty.

    Compilers for processors of 8 bits, with an `int` of 16, align nothing by themselves.
    """
    own = 1 if int_bytes(plan) == 2 else ELEMENTS[PLAIN].bytes
    return f" {upper}_ALIGNED" if plan.alignment > own else ""
