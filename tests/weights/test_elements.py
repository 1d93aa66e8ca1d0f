from __future__ import annotations

import numpy as np
import pytest

from netgen.weights.elements import MAX_ELEMENTS, decode, element_size, is_too_large
from netgen.weights.naming import shown


def test_decoded_values_do_not_depend_on_the_source() -> None:
    raw = bytearray(np.arange(3, dtype="<f4").tobytes())
    values = decode(raw, "F32", "<")
    raw[:] = bytes(12)
    assert values.tolist() == [0, 1, 2]


def test_unaligned_sources_become_aligned() -> None:
    raw = b"x" + np.arange(3, dtype="<f4").tobytes()
    values = decode(memoryview(raw)[1:], "F32", "<")
    assert values.flags.aligned
    assert values.tolist() == [0, 1, 2]


def test_every_float16_survives() -> None:
    raw = np.arange(2**16, dtype="<u2").tobytes()
    values = decode(raw, "F16", "<")
    np.testing.assert_array_equal(values, np.frombuffer(raw, "<f2"))


def test_big_endian_bfloat16() -> None:
    assert decode(b"\x3f\x80\xc0\x00", "BF16", ">").tolist() == [1, -2]
    assert element_size("BF16") == 2


def test_any_byte_but_zero_is_true() -> None:
    assert decode(b"\x00\x01\xff", "BOOL", "<").tolist() == [False, True, True]


def test_no_shape_hides_its_size() -> None:
    assert not is_too_large([MAX_ELEMENTS])
    assert not is_too_large([])
    assert is_too_large([MAX_ELEMENTS + 1])
    assert is_too_large([2**20, 2**20])
    assert is_too_large([0, 2**62])


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.b", "a.b"), ("größe", "größe"), ("a\nb", r"'a\nb'"), ("\ud800", r"'\ud800'"), ("", "''")],
)
def test_shown(name: str, text: str) -> None:
    assert shown(name) == text


def test_shown_is_short() -> None:
    assert shown("x" * 1000) == "x" * 200 + "..."
