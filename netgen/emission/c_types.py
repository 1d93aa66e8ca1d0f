"""Element types as C has them: what an element is called, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netgen.emission.words import literal
from netgen.ir.tensor_type import ELEMENTS


@dataclass(frozen=True)
class CType:
    """An element: its `name` in C, its `zero`, its `words` where bits are written.

    Unions that hold arrays of several types have one `member` for each. Comments say its `title`.
    """

    title: str
    name: str
    zero: str
    words: str
    member: str


# By the element type of the IR. C99 has no half precision: f16 are bits, which kernels widen.
C_TYPES = {
    "f32": CType("float32", "float", "0.0f", "uint32_t", "f"),
    "f16": CType("float16", "uint16_t", "0", "uint16_t", "f16"),
    "i32": CType("int32", "int32_t", "0", "uint32_t", "i32"),
    "i16": CType("int16", "int16_t", "0", "uint16_t", "i16"),
    "i8": CType("int8", "int8_t", "0", "uint8_t", "i8"),
    "u8": CType("uint8", "uint8_t", "0", "uint8_t", "u8"),
}
# What is named without its type: networks of floats need no other names.
PLAIN = "f32"


def number_of(dtype: str, number: float) -> str:
    """A number as an element of a type; of codes it is whole."""
    if not number:
        return C_TYPES[dtype].zero
    return literal(number) if ELEMENTS[dtype].is_float else str(int(number))


def pointer_name(region: str, dtype: str) -> str:
    """The pointer of one type into a region that holds several: `arena`, `arena_i8`."""
    return region if dtype == PLAIN else f"{region}_{dtype}"


def word_bytes(dtypes: Sequence[str]) -> int:
    """The bytes of the words in which constants are written.

    Elements of one type are words, right in any byte order; several types in one array are bytes.
    """
    return ELEMENTS[dtypes[0]].bytes if len(dtypes) == 1 else 1


def packed_members(dtypes: Sequence[str], size: int) -> str:
    """The members of a union of `size` bytes of constants: words `u` to write, then each type."""
    words = C_TYPES[dtypes[0]].words if len(dtypes) == 1 else "uint8_t"
    return _members([(words, "u", word_bytes(dtypes)), *map(_of_type, dtypes)], size)


def arena_members(dtypes: Sequence[str], size: int) -> list[str]:
    """The members of a union of `size` bytes that admits all that an arena stores.

    Characters alias everything, so types of one byte need none of their own.
    """
    wide = [dtype for dtype in dtypes if ELEMENTS[dtype].bytes > 1 and dtype not in (PLAIN, "i32")]
    parts = [_of_type(PLAIN), ("int32_t", "i", 4), *map(_of_type, wide)]
    # No array is empty, and all are as long.
    return _members([*parts, ("unsigned char", "bytes", 1)], max(size, 4)).split("; ")


def _of_type(dtype: str) -> tuple[str, str, int]:
    kind = C_TYPES[dtype]
    return kind.name, kind.member, ELEMENTS[dtype].bytes


def _members(parts: Sequence[tuple[str, str, int]], size: int) -> str:
    return "; ".join(f"{name} {member}[{size // each}]" for name, member, each in parts)
