"""The table of C's types, against those of Python's own C; constants are read back."""

from __future__ import annotations

import ctypes
import re

import numpy as np
import pytest

from netgen.emission.c_types import C_TYPES, arena_members, packed_members, pointer_name
from netgen.emission.weights import c_words
from netgen.ir.tensor_type import ELEMENTS

BYTES = {
    name: ctypes.sizeof(kind)
    for name, kind in (
        ("float", ctypes.c_float),
        ("int32_t", ctypes.c_int32),
        ("uint32_t", ctypes.c_uint32),
        ("int16_t", ctypes.c_int16),
        ("uint16_t", ctypes.c_uint16),
        ("int8_t", ctypes.c_int8),
        ("uint8_t", ctypes.c_uint8),
        ("unsigned char", ctypes.c_ubyte),
    )
}


@pytest.mark.parametrize("dtype", C_TYPES)
def test_an_element_has_the_bytes_of_its_c_type(dtype: str) -> None:
    kind = C_TYPES[dtype]
    assert BYTES[kind.name] == BYTES[kind.words] == ELEMENTS[dtype].bytes
    assert ELEMENTS[dtype].bytes == int(dtype[1:]) // 8


def test_every_type_of_the_graph_has_one_of_c() -> None:
    assert C_TYPES.keys() == ELEMENTS.keys()


def test_pointers_and_members_of_several_types_have_names_of_their_own() -> None:
    assert len({pointer_name("arena", dtype) for dtype in C_TYPES}) == len(C_TYPES)
    assert len({kind.member for kind in C_TYPES.values()} | {"u"}) == len(C_TYPES) + 1


def union_bytes(members: str) -> set[int]:
    parts = [re.fullmatch(r"([\w ]+) (\w+)\[(\d+)\]", part) for part in members.split("; ")]
    return {BYTES[part[1]] * int(part[3]) for part in parts if part}


def test_members_of_a_union_are_all_as_long() -> None:
    assert packed_members(["f32"], 12) == "uint32_t u[3]; float f[3]"
    assert packed_members(["i8"], 12) == "uint8_t u[12]; int8_t i8[12]"
    assert packed_members(["f32", "i8"], 12) == "uint8_t u[12]; float f[3]; int8_t i8[12]"
    assert arena_members(["f32"], 0) == ["float f[1]", "int32_t i[1]", "unsigned char bytes[4]"]
    assert "; ".join(arena_members(["f32", "i16", "i8"], 12)) == (
        "float f[3]; int32_t i[3]; int16_t i16[6]; unsigned char bytes[12]"
    )
    assert union_bytes("; ".join(arena_members(["f16", "i32", "u8"], 40))) == {40}


@pytest.mark.parametrize(("size", "count"), [(4, 21), (2, 25), (1, 33), (4, 8), (1, 0)])
def test_words_say_the_bits(size: int, count: int) -> None:
    content = np.random.default_rng(size).integers(0, 256, size * count).astype(np.uint8)
    lines = c_words(content, size).splitlines()
    assert all(len(line) <= 100 for line in lines)
    words = [int(word, 16) for line in lines for word in line.split(",")[:-1]]
    assert b"".join(word.to_bytes(size, "little") for word in words) == content.tobytes()
