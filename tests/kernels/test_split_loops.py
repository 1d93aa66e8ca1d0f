"""Parts of divided loops meet where cache lines of the result do, whatever its elements."""

from __future__ import annotations

import pytest

from netgen.ir.tensor_type import ELEMENTS, TensorType
from netgen.kernels.i8.global_avg_pool import GlobalAvgPoolI8
from netgen.kernels.layer import BandShape, Layer
from netgen.kernels.split import Split
from netgen.kernels.split_loops import read_bytes, split_described, split_vectors
from netgen.kernels.stretches import VectorRun
from netgen.kernels.targets import find_target
from netgen.ops.conv2d import Conv2d
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.identity import Identity


def copied(dtype: str, shape: tuple[int, ...]) -> Layer:
    kind = TensorType(dtype, shape)
    return Layer(Identity(), {"x": kind}, kind)


@pytest.mark.parametrize("dtype", ELEMENTS)
@pytest.mark.parametrize(
    "described",
    [{"elements": 3000}, {"elements": 3000, "vector_width": 4, "vector_elements": 3000, "rest": 0}],
    ids=["elements", "vectors"],
)
def test_elements_are_parted_at_cache_lines(dtype: str, described: dict[str, int]) -> None:
    line = 64 // ELEMENTS[dtype].bytes
    (bounds,) = split_described(copied(dtype, (1, 1, 1, 3000)), {**described}, 3).bounds
    assert [bound % line for bound in bounds[:-1]] == [0, 0, 0]
    # As even as lines let.
    assert all(abs(bound - 1000 * n) <= line for n, bound in enumerate(bounds))


def test_pixels_are_parted_at_cache_lines_of_codes() -> None:
    described = {"elements": 100 * 24, "channels": 24, "spread": 1}
    (bounds,) = split_described(copied("i8", (1, 10, 10, 24)), described, 2).bounds
    assert bounds == (0, 1152, 2400)
    assert bounds[1] % 64 == bounds[1] % 24 == 0


@pytest.mark.parametrize("dtype", ELEMENTS)
def test_channels_are_parted_at_cache_lines(dtype: str) -> None:
    line = 64 // ELEMENTS[dtype].bytes
    channels = 5 * line + 4
    runs = [VectorRun(0, channels, 4, 0, {})]
    (bounds,) = split_vectors(copied(dtype, (1, 1, 1, channels)), runs, 2).bounds
    assert bounds[1] in (2 * line, 3 * line)
    # Too few lines for all parts.
    (few,) = split_vectors(copied(dtype, (1, 1, 1, channels)), runs, 5).bounds
    assert [*few] != [bound // line * line for bound in few]


@pytest.mark.parametrize(("dtype", "bytes_each"), [("f32", 4), ("i8", 1)])
def test_what_parts_read_counts_in_bytes(dtype: str, bytes_each: int) -> None:
    x, y, w = ((1, 4, 4, 8), (1, 4, 4, 16), (16, 1, 1, 8))
    operands = {"x": TensorType(dtype, x), "w": TensorType(dtype, w)}
    layer = Layer(Conv2d(), operands, TensorType(dtype, y))
    assert read_bytes(layer, Split("pixels", (), 0.5)).bytes == 128 * bytes_each
    panels = read_bytes(layer, Split("panels", (), 0.5)).bytes
    assert panels == bytes_each * (128 / 2 + 3.0 * (128 + 256) / 2)


def test_sums_take_the_bytes_of_their_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    x = TensorType("i8", (1, 4, 4, 10))
    layer = Layer(GlobalAvgPool(), {"x": x}, x.with_shape((1, 1, 1, 10)), band=BandShape(1, 1, 4))
    assert GlobalAvgPoolI8().scratch(layer, find_target("generic")) == 40
    monkeypatch.setattr(GlobalAvgPoolI8, "scratch_element", "i16")
    assert GlobalAvgPoolI8().scratch(layer, find_target("generic")) == 20
