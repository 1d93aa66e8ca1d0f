"""Words of vectors carry the model's prefix; what is one float by itself is an element."""

from __future__ import annotations

from netgen.emission.words import Words, formula_of, literal

WORDS = Words("net")


def test_vectors_go_through_macros() -> None:
    assert WORDS.read(8, "p", 16, 8) == "NET_LOAD8(p + 24)"
    assert WORDS.read(4, "x0", "left", "2 * C") == "NET_LOAD4(x0 + left + 2 * C)"
    assert WORDS.read_at(4, "x + c") == "NET_LOAD4(x + c)"
    assert WORDS.write(16, "to", 0, "c0") == "NET_STORE16(to, c0);"
    assert WORDS.write(8, "y", "o + 8", "c0") == "NET_STORE8(y + o + 8, c0);"
    assert WORDS.splat(8, "a[k]") == "NET_SPLAT_8(a[k])"
    assert WORDS.repeat(8, 2, "a", 0) == "NET_PAIRS8(a)"
    assert WORDS.repeat(4, 4, "a", "k") == "NET_LOAD4(a + k)"
    assert WORDS.fold_sums(4, 2, "c0", [3]) == "NET_SUM_PAIRS8(c0_3)"
    assert WORDS.fold_sums(4, 4, "c0", [0, 1, 2, 3]) == "NET_QUADS_OF4(c0_0, c0_1, c0_2, c0_3)"
    assert (WORDS.vector(4), WORDS.mask(4), WORDS.zero(4)) == ("net_v4", "net_mask4", "(net_v4){0}")


def test_a_vector_of_one_is_an_element() -> None:
    assert WORDS.read(1, "p", 0) == "p[0]"
    assert WORDS.read(1, "p", "o / 4", 0) == "p[o / 4]"
    assert WORDS.read_at(1, "a") == "*a"
    assert WORDS.read_at(1, "x + c") == "*(x + c)"
    assert WORDS.write(1, "y", "c + 3", "c0") == "y[c + 3] = c0;"
    assert WORDS.repeat(1, 1, "a", "k") == "a[k]"
    assert (WORDS.vector(1), WORDS.zero(1)) == ("float", "0.0f")


def test_functions_of_a_float_and_macros_of_a_vector() -> None:
    assert WORDS.applied("relu6", 1, "sum") == "net_relu6(sum)"
    assert WORDS.applied("relu6", 8, "c0") == "NET_RELU6_8(c0)"
    assert WORDS.applied("none", 8, "c0") == "c0"
    assert WORDS.larger(1, "a", "b") == "net_larger(a, b)"
    assert WORDS.larger(4, "a", "b") == "NET_LARGER_4(a, b)"
    assert WORDS.add_product("s", "a", "b", fused=True) == "s = net_multiply_add(a, b, s);"
    assert WORDS.add_product("s", "a", "b", fused=False) == "s += a * b;"
    assert WORDS.lanes(8) == "NET_LANES(v, 8) "


def test_numbers_are_floats_of_c() -> None:
    assert [literal(n) for n in (0.2, 3, -1e-8, 1e30)] == ["0.2f", "3.0f", "-1e-08f", "1e+30f"]
    assert WORDS.applied("slope", 1, "v", (0.2, 3)) == "net_slope(v, 0.2f, 3.0f)"
    assert formula_of("slope", "v", (0.2,)) == "slope(v, 0.2f)"
    assert formula_of("none", "a + b") == "a + b"
