"""Vectors are read and written by macros, what is one float by itself as an element."""

from __future__ import annotations

from netgen.emission.accesses import lanes, read, read_at, write


def test_vectors_go_through_macros() -> None:
    assert read(8, "p", 16, 8) == "LOAD8(p + 24)"
    assert read(4, "x0", "left", "2 * C") == "LOAD4(x0 + left + 2 * C)"
    assert read_at(4, "x + c") == "LOAD4(x + c)"
    assert write(16, "to", 0, "c0") == "STORE16(to, c0);"
    assert write(8, "y", "o + 8", "c0") == "STORE8(y + o + 8, c0);"


def test_a_vector_of_one_is_an_element() -> None:
    assert read(1, "p", 0) == "p[0]"
    assert read(1, "p", "o / 4", 0) == "p[o / 4]"
    assert read_at(1, "a") == "*a"
    assert read_at(1, "x + c") == "*(x + c)"
    assert write(1, "y", "c + 3", "relu(c0)") == "y[c + 3] = relu(c0);"


def test_lanes_are_a_loop_over_an_array() -> None:
    assert lanes(8) == "LANES for (int v = 0; v < 8; ++v) "
