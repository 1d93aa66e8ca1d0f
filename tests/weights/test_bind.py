from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from netgen.errors import WeightsError
from netgen.weights.bind import Layout, fit, match_fraction
from netgen.weights.read import WeightFile

Arrays = dict[str, npt.NDArray[np.generic]]

EXPECTED = {"conv.w": (4, 3, 2, 5), "dw.w": (5, 3, 2, 1), "fc.w": (7, 4), "fc.b": (7,)}
NAMES = {"conv.w": "c.weight", "dw.w": "d.weight", "fc.w": "f.weight", "fc.b": "f.bias"}


def numbers(*shape: int) -> npt.NDArray[np.float32]:
    return np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)


def good() -> Arrays:
    """Arrays in torch's layout."""
    return {
        "c.weight": numbers(4, 5, 3, 2),
        "d.weight": numbers(5, 1, 3, 2),
        "f.weight": numbers(7, 4),
        "f.bias": numbers(7),
        "c.num_batches_tracked": np.array(3),
    }


def is_counter(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def bind(arrays: Arrays, layout: Layout = "OIHW") -> dict[str, npt.NDArray[np.float32]]:
    return fit(
        WeightFile(Path("f.pth"), "torch", arrays, "", None), EXPECTED, NAMES, is_counter, layout
    )


def refusal(arrays: Arrays, layout: Layout = "OIHW") -> str:
    with pytest.raises(WeightsError) as caught:
        bind(arrays, layout)
    message = str(caught.value)
    assert message.startswith("f.pth: the weights do not fit the network: ")
    return message


def test_torch_layout() -> None:
    arrays = good()
    result = bind(arrays)
    assert list(result) == list(EXPECTED)
    for name, array in result.items():
        assert array.shape == EXPECTED[name]
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
        assert array.flags.writeable
    for o, h, w, i in np.ndindex(4, 3, 2, 5):
        assert result["conv.w"][o, h, w, i] == arrays["c.weight"][o, i, h, w]
    for c, h, w in np.ndindex(5, 3, 2):
        assert result["dw.w"][c, h, w, 0] == arrays["d.weight"][c, 0, h, w]
    np.testing.assert_array_equal(result["fc.w"], arrays["f.weight"])


def test_netgen_s_own_layout() -> None:
    arrays: Arrays = good() | {"c.weight": numbers(4, 3, 2, 5), "d.weight": numbers(5, 3, 2, 1)}
    result = bind(arrays, "OHWI")
    np.testing.assert_array_equal(result["conv.w"], arrays["c.weight"])
    np.testing.assert_array_equal(result["dw.w"], arrays["d.weight"])
    assert "d.weight: expected [5, 3, 2, 1], found [1, 3, 2, 5]" in refusal(
        arrays | {"d.weight": numbers(1, 3, 2, 5)}, "OHWI"
    )


def test_tflite_layout() -> None:
    arrays: Arrays = good() | {"c.weight": numbers(4, 3, 2, 5), "d.weight": numbers(1, 3, 2, 5)}
    result = bind(arrays, "TFLite")
    np.testing.assert_array_equal(result["conv.w"], arrays["c.weight"])
    for c, h, w in np.ndindex(5, 3, 2):
        assert result["dw.w"][c, h, w, 0] == arrays["d.weight"][0, h, w, c]


def test_tflite_convolution_of_one_input_channel() -> None:
    arrays: Arrays = {"w": numbers(8, 3, 3, 1)}
    file = WeightFile(Path("f"), "torch", arrays, "", None)
    result = fit(file, {"w": (8, 3, 3, 1)}, {"w": "w"}, is_counter, "TFLite")
    np.testing.assert_array_equal(result["w"], arrays["w"])


@pytest.mark.parametrize(("layout", "stored"), [("OIHW", (7, 4, 1, 1)), ("TFLite", (7, 1, 1, 4))])
def test_linear_weights_from_a_pointwise_convolution(
    layout: Layout, stored: tuple[int, ...]
) -> None:
    file = WeightFile(Path("f"), "torch", {"w": numbers(*stored)}, "", None)
    result = fit(file, {"w": (7, 4)}, {"w": "w"}, is_counter, layout)
    np.testing.assert_array_equal(result["w"], numbers(7, 4))


def test_two_parameters_from_one_tensor_are_apart() -> None:
    file = WeightFile(Path("f"), "torch", {"t": numbers(3)}, "", None)
    result = fit(file, {"a": (3,), "b": (3,)}, {"a": "t", "b": "t"}, is_counter, "OHWI")
    assert not np.shares_memory(result["a"], result["b"])
    assert not np.shares_memory(result["a"], file.arrays["t"])


def test_all_faults_are_listed_at_once() -> None:
    arrays: Arrays = good() | {"c.weight": numbers(8, 5, 3, 2), "extra.weight": numbers(1)}
    arrays |= {"extra.bias": numbers(2), "d.weight": numbers(5, 3, 2)}
    del arrays["f.weight"]
    arrays["f.bias"] = np.array([1, np.nan, np.inf, 4, -np.inf, 6, 7], np.float32)
    assert refusal(arrays).splitlines() == [
        "f.pth: the weights do not fit the network: 1 missing, 2 unexpected, 2 misshapen, "
        "1 not finite; check the network's parameters (-p: width, classes) against the file's, "
        "or take its tensors in their order (--by-position)",
        "  missing:",
        "    f.weight",
        "  unexpected:",
        "    extra.weight, extra.bias",
        "  misshapen:",
        "    c.weight: expected [4, 5, 3, 2], found [8, 5, 3, 2]",
        "    d.weight: expected [5, 1, 3, 2], found [5, 3, 2]",
        "  not finite:",
        "    f.bias: 3 of 7 values",
    ]


def test_few_faults_stay_on_one_line() -> None:
    arrays = good() | {"extra": numbers(1)}
    del arrays["f.bias"], arrays["f.weight"]
    assert refusal(arrays) == (
        "f.pth: the weights do not fit the network: 2 missing (f.weight, f.bias), "
        "1 unexpected (extra); check the network's parameters (-p: width, classes) against the "
        "file's, or take its tensors in their order (--by-position)"
    )


def test_what_has_no_order_is_not_to_be_taken_in_order() -> None:
    arrays = good() | {"extra": numbers(1)}
    unordered = WeightFile(Path("f.safetensors"), "safetensors", arrays, "", None)
    # As a checkpoint has it that was read from such a file, or of a tree of sorted keys.
    ordered = {name: arrays[name] for name in sorted(arrays)}
    for file in (unordered, WeightFile(Path("f.pth"), "torch", ordered, "", None)):
        with pytest.raises(WeightsError, match=r"1 unexpected \(extra\); check") as caught:
            fit(file, EXPECTED, NAMES, is_counter, "OIHW")
        assert "position" not in str(caught.value)


def test_long_lists_are_complete_and_wrapped_between_names() -> None:
    names = [f"block.{i}.with-a-dash.{'w' * (i % 120)}" for i in range(500)]
    first, heading, *lines = refusal(good() | {name: numbers(1) for name in names}).splitlines()
    assert first.startswith("f.pth: the weights do not fit the network: 500 unexpected; check")
    assert heading == "  unexpected:"
    assert [name for line in lines for name in line.strip().removesuffix(",").split(", ")] == names
    assert all(line.startswith("    ") for line in lines)
    assert all(len(line) <= 100 or ", " not in line for line in lines)
    assert len(lines) < 500


def test_a_transposed_weight_is_misshapen() -> None:
    message = refusal(good() | {"f.weight": numbers(4, 7)})
    assert "f.weight: expected [7, 4], found [4, 7]" in message
    message = refusal(good() | {"c.weight": numbers(4, 3, 2, 5)})
    assert "c.weight: expected [4, 5, 3, 2], found [4, 3, 2, 5]" in message


def test_tflite_shapes_in_a_message() -> None:
    message = refusal(good(), "TFLite")
    assert "d.weight: expected [1, 3, 2, 5], found [5, 1, 3, 2]" in message


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_])
def test_integers_are_not_parameters(dtype: npt.DTypeLike) -> None:
    message = refusal(good() | {"f.bias": numbers(7).astype(dtype)})
    assert f"1 not floating point (f.bias: {np.dtype(dtype)})" in message
    assert "export the weights again" in message


def test_float64_is_rounded_or_refused() -> None:
    double = numbers(7).astype(np.float64) / 3
    assert bind(good() | {"f.bias": double})["fc.b"].tolist() == double.astype("f4").tolist()
    double[2] = 1e39
    assert "1 too large for float32 (f.bias: 1 of 7 values)" in refusal(good() | {"f.bias": double})


def test_names_are_shown_on_one_line() -> None:
    message = refusal(good() | {"a\nb\x1b": numbers(1)})
    assert r"1 unexpected ('a\nb\x1b')" in message
    assert "\n" not in message


def test_match_fraction() -> None:
    file = WeightFile(Path("f"), "torch", good(), "", None)
    assert match_fraction(file, NAMES) == 1
    assert match_fraction(file, {"a": "f.bias", "b": "other"}) == 0.5
    assert match_fraction(file, {}) == 0
