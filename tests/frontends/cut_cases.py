"""Operators that cut tensors, as cases."""

from __future__ import annotations

from tests.frontends.operator_cases import Cases, case

END = 2**63 - 1
VECTOR = (1, 6)

CUTS: Cases = {
    "Slice": [
        case("Slice", "x", [1, 0], [END, -1], [-3, 2], [2, 1]),
        case("Slice", "x", [-END, 1], [5, 2], [1, -1], [1, END]),
        case("Slice", "x", [0, 1], [1, 5]),
        case("Slice", "x", [4, 9], [0, 1], [1, 2], [-1, -2]),
        case("Slice", "x", [4], [4], [1], refused="nothing is left of a slice"),
        case("Slice", "x", [0, 0], [2, 3], [1, 1], refused="an axis stands twice"),
        case("Slice", "x", [0], [2], [1], [0], refused="malformed"),
        case("Slice", "x", [0, 0], [2], [1], refused="malformed"),
    ],
    "Split": [
        case("Split", "x", outputs="ab", read="ba", axis=1, last=17),
        case("Split", "x", outputs="abc", read="c", axis=-1, shape=VECTOR, last=17),
        case("Split", "x", outputs="abcd", read="d", axis=1, last=17, refused="parts are not equa"),
        case("Split", "x", outputs="ab", read="ba", axis=1, split=[1, 5], last=12),
        case("Split", "x", [4, 2], outputs="ab", read="ba", axis=1, first=13),
        case("Split", "x", [4, 1], outputs="ab", read="a", axis=1, first=13, refused="not add up"),
        case("Split", "x", [9, -3], outputs="ab", read="a", axis=1, first=13, refused="not add up"),
        case(
            "Split",
            "x",
            outputs="abcd",
            read="da",
            axis=1,
            num_outputs=4,
            shape=(1, 7, 2, 2),
            first=18,
        ),
        case(
            "Split",
            "x",
            outputs="abcd",
            read="a",
            axis=1,
            num_outputs=4,
            first=18,
            refused="parts are not equal",
        ),
        case(
            "Split",
            "x",
            outputs="ab",
            read="a",
            axis=1,
            num_outputs=3,
            first=18,
            refused="num_outputs is not",
        ),
        case("Split", "x", outputs="ab", read="a", axis=1, first=18, refused="either split or nu"),
        case("Split", "x", outputs="ab", read="ba", axis=3, last=17),
    ],
}
