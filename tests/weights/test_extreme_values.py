"""Values that float32 does not hold: refused by name from every format, without a warning.

Warnings are errors in all tests.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import save_file

from netgen.dsl import Tensor, image, network
from netgen.errors import WeightsError
from netgen.ir.graph import Graph
from netgen.ops import conv2d
from netgen.weights.assign import weighted_graph

if TYPE_CHECKING:
    from tests.weights.conftest import Writer

LARGEST = float(np.finfo(np.float32).max)
HALF_STEP = 2.0**103  # beyond the largest: from there float32 rounds to infinity


@network
def single() -> Tensor:
    return conv2d(image(1, 1, 1), 2, name="conv")


def load(form: str, values: npt.NDArray[np.generic], folder: Path, writer: Writer) -> Graph:
    arrays = {"conv.weight": np.ones((2, 1, 1, 1), np.float32), "conv.bias": values}
    path = folder / f"w.{form}"
    if form == "safetensors":
        save_file(arrays, path)
    elif form == "npz":
        np.savez(path, allow_pickle=False, **arrays)
    else:
        path.write_bytes(writer.form(form, arrays))
    return weighted_graph(single, "single", path, {})


FORMS = ("zip", "legacy", "safetensors", "npz")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (np.float64(1e39), "too large for float32"),
        (np.float64(-1e308), "too large for float32"),
        (np.float64(LARGEST + HALF_STEP), "too large for float32"),
        (np.float64(np.inf), "not finite"),
        (np.float64(np.nan), "not finite"),
        (np.float32(-np.inf), "not finite"),
        (np.float16(np.inf), "not finite"),
    ],
)
def test_beyond_float32(
    form: str, value: np.generic, fault: str, tmp_path: Path, writer: Writer
) -> None:
    with pytest.raises(WeightsError) as caught:
        load(form, np.array([1, value], value.dtype), tmp_path, writer)
    summary = f"1 {fault} (conv.bias: 1 of 2 values); train or export the weights again"
    assert summary in str(caught.value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("given", "rounded"),
    [
        (LARGEST + HALF_STEP * (1 - 2**-20), LARGEST),
        (2.0**-149, 2.0**-149),
        (-1e-300, -0.0),
    ],
)
def test_within_float32(
    form: str, given: float, rounded: float, tmp_path: Path, writer: Writer
) -> None:
    """Rounded to nearest: just below infinity, a denormal number, zero."""
    graph = load(form, np.array([given, 1.0], np.float64), tmp_path, writer)
    found = graph.constants["conv.b"]
    assert found.tolist() == [rounded, 1.0]
    assert np.signbit(found[0]) == np.signbit(given)


@pytest.mark.parametrize(
    ("form", "dtype"),
    [(form, np.complex64) for form in FORMS]
    # safetensors has no type for numbers of twice that size.
    + [(form, np.complex128) for form in FORMS if form != "safetensors"],
)
def test_complex_numbers(
    form: str, dtype: type[np.generic], tmp_path: Path, writer: Writer
) -> None:
    with pytest.raises(WeightsError) as caught:
        load(form, np.ones(2, dtype), tmp_path, writer)
    words = {
        "safetensors": "tensor conv.bias cannot be read, expected one of BF16, ",
        "npz": f"conv.bias is not an array of real numbers, but {dtype.__name__}; save it again",
    }
    storage = {"complex64": "ComplexFloat", "complex128": "ComplexDouble"}[dtype.__name__]
    torch = f"tensors of torch.{storage}Storage cannot be read, expected real numbers; convert"
    assert words.get(form, torch) in str(caught.value)
