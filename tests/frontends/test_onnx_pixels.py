"""Normalisation in the metadata of ONNX files, written and read, and faults in it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netgen
import netgen.ops as dsl
from netgen.dsl.tensor import constructing, finish, image
from netgen.errors import GraphError
from netgen.export.onnx_file import Interface, graph_to_onnx
from netgen.ir.graph import Graph
from netgen.ir.normalisation import Normalisation
from netgen.ir.origin import Origin


def rectifier() -> Graph:
    with constructing() as construction:
        return finish(construction, "case", (dsl.relu(image(4, 5, 3)),))


def with_metadata(folder: Path, metadata: dict[str, str]) -> Path:
    model = onnx.load_from_string(graph_to_onnx(rectifier()))
    onnx.helper.set_model_props(model, metadata)
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    return folder / "m.onnx"


def expected_pixels(path: Path) -> Normalisation | None:
    origin = netgen.load(str(path)).origin
    assert origin is not None
    return origin.normalisation


@pytest.mark.parametrize("interface", ["NHWC", "NCHW"])
@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False),
            st.floats(min_value=0.0, exclude_min=True, allow_infinity=False),
        ),
        min_size=3,
        max_size=3,
    )
)
def test_what_is_expected_of_pixels_comes_back(
    interface: Interface, numbers: list[tuple[float, float]]
) -> None:
    pixels = Normalisation(tuple(m for m, _ in numbers), tuple(s for _, s in numbers))
    graph = rectifier().with_constants({}, Origin("case", normalisation=pixels))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        path.write_bytes(graph_to_onnx(graph, interface))
        assert expected_pixels(path) == pixels


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"netgen.mean": "0.5,0.5,0.5"}, "malformed, expected one number per channel in each"),
        ({"netgen.mean": "0.5,a,0.5", "netgen.std": "1,1,1"}, "found '0.5,a,0.5' and '1,1,1'"),
        ({"netgen.mean": "0,0,0", "netgen.std": "1,0,1"}, "malformed"),
        ({"netgen.mean": "0,0", "netgen.std": "1,1,1"}, "malformed"),
        ({"netgen.mean": "nan,0,0", "netgen.std": "1,1,1"}, "malformed"),
        ({"netgen.mean": "", "netgen.std": ""}, "malformed"),
        ({"netgen.mean": "0,0", "netgen.std": "1,1"}, "one number per channel of [1, 4, 5, 3]"),
    ],
)
def test_metadata_that_cannot_be(tmp_path: Path, metadata: dict[str, str], says: str) -> None:
    path = with_metadata(tmp_path, metadata)
    with pytest.raises(GraphError, match=r"m\.onnx: the metadata netgen\.mean and") as caught:
        expected_pixels(path)
    assert says in str(caught.value)


def test_metadata_of_other_tools_says_nothing(tmp_path: Path) -> None:
    assert expected_pixels(with_metadata(tmp_path, {"author": "x", "mean": "1,2"})) is None
