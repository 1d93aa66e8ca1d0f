"""Graphs in files: both files together, unchanged, or an error."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from netgen.errors import GraphError, UsageError
from netgen.ir.files import load_graph, save_graph, write_whole
from netgen.ir.graph import Graph
from netgen.ir.normalisation import Normalisation
from netgen.ir.origin import Origin
from netgen.ir.text import parse_graph, print_graph

NETWORK = """\
netgen 1
graph net {
  %x : f32[1,2] = input
  %w : f32[3,2] = const {data=@weights/w}
  %b : f32[3]   = const {data=@weights/b}
  %y : f32[1,3] = linear(%x, %w, %b)
  return %y
}
"""
ORIGIN = Origin("net", {"alpha": 0.5}, normalisation=Normalisation((0.5,), (0.25,)))


@pytest.fixture
def graph() -> Graph:
    w = np.arange(6, dtype=np.float32).reshape(2, 3).T  # not contiguous
    arrays = {"weights/w": w, "weights/b": np.array([0.1, -0.0, 1e-45], np.float32)}
    return parse_graph(NETWORK)[0].with_constants(arrays, ORIGIN)


def same(first: Graph, second: Graph) -> bool:
    return (
        first.nodes == second.nodes
        and first.outputs == second.outputs
        and first.origin == second.origin
        and first.constants.keys() == second.constants.keys()
        and all(
            a.tobytes() == second.constants[key].tobytes() for key, a in first.constants.items()
        )
    )


def test_what_is_saved_loads(graph: Graph, tmp_path: Path) -> None:
    save_graph(graph, tmp_path / "net.ir")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.ir", "net.safetensors"]
    assert same(load_graph(tmp_path / "net.ir"), graph)
    digest = hashlib.sha256((tmp_path / "net.safetensors").read_bytes()).hexdigest()
    assert (tmp_path / "net.ir").read_text() == print_graph(graph, digest)


def test_other_programs_can_read_the_constants(graph: Graph, tmp_path: Path) -> None:
    save_graph(graph, tmp_path / "net.ir")
    arrays = safetensors.numpy.load_file(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(arrays["weights/w"], [[0, 3], [1, 4], [2, 5]])


def test_the_bytes_depend_on_the_graph_alone(graph: Graph, tmp_path: Path) -> None:
    contents = set()
    for name in ("a.ir", "b.ir"):
        save_graph(graph, tmp_path / name)
        contents.add((tmp_path / name).with_suffix(".safetensors").read_bytes())
        graph = graph.with_constants(dict(reversed(graph.constants.items())), graph.origin)
    assert len(contents) == 1


def test_new_files_have_the_users_permissions(graph: Graph, tmp_path: Path) -> None:
    save_graph(graph, tmp_path / "net.ir")
    (tmp_path / "plain").touch()
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_graph_without_data_is_text_alone(tmp_path: Path) -> None:
    save_graph(parse_graph(NETWORK)[0], tmp_path / "net.ir")
    assert [path.name for path in tmp_path.iterdir()] == ["net.ir"]
    assert (tmp_path / "net.ir").read_text() == NETWORK
    assert load_graph(tmp_path / "net.ir").constants == {}


def test_data_for_a_part_of_the_constants_is_an_error(graph: Graph, tmp_path: Path) -> None:
    part = graph.with_constants({"weights/b": graph.constants["weights/b"]})
    with pytest.raises(GraphError, match="no data for @weights/w"):
        save_graph(part, tmp_path / "net.ir")
    assert not list(tmp_path.iterdir())


def test_constants_of_another_graph(graph: Graph, tmp_path: Path) -> None:
    save_graph(graph, tmp_path / "net.ir")
    path = tmp_path / "net.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        GraphError, match=r"net\.safetensors: these are not the constants .*SHA-256"
    ):
        load_graph(tmp_path / "net.ir")


def test_missing_constants(graph: Graph, tmp_path: Path) -> None:
    save_graph(graph, tmp_path / "net.ir")
    (tmp_path / "net.safetensors").unlink()
    with pytest.raises(
        GraphError, match=r"net\.safetensors: the constants cannot be read: No such"
    ):
        load_graph(tmp_path / "net.ir")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the constants are damaged"),
        (b"\xff" * 64, "the constants are damaged"),
        (
            safetensors.numpy.save({"weights/w": np.zeros((3, 2), np.float32)}),
            "no array @weights/b",
        ),
        (
            safetensors.numpy.save(
                {"weights/w": np.zeros((2, 3), np.float32), "weights/b": np.zeros(3, np.float32)}
            ),
            r"net\.ir:4: %w: the data is float32\[2, 3\]",
        ),
        (
            safetensors.numpy.save(
                {"weights/w": np.zeros((3, 2), np.float64), "weights/b": np.zeros(3, np.float32)}
            ),
            r"%w: the data is float64",
        ),
        (
            safetensors.numpy.save(
                {"weights/w": np.zeros((3, 2), np.float32), "weights/b": np.zeros(3, np.float32)},
                {"netgen.origin": "nonsense"},
            ),
            "the origin of the graph is malformed",
        ),
    ],
)
def test_constants_that_do_not_fit(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").write_bytes(content)
    text = print_graph(parse_graph(NETWORK)[0], hashlib.sha256(content).hexdigest())
    (tmp_path / "net.ir").write_text(text)
    with pytest.raises(GraphError, match=message):
        load_graph(tmp_path / "net.ir")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"net\.ir: cannot be read: No such file"):
        load_graph(tmp_path / "net.ir")
    (tmp_path / "net.ir").write_bytes(b"netgen 1 \xff")
    with pytest.raises(GraphError, match=r"net\.ir: no IR text: it is not UTF-8"):
        load_graph(tmp_path / "net.ir")
    (tmp_path / "net.ir").write_text("netgen 1\ngraph")
    with pytest.raises(GraphError, match=r"net\.ir:2: IR text is malformed"):
        load_graph(tmp_path / "net.ir")


@pytest.mark.parametrize("name", ["net.txt", "net", "net.safetensors"])
def test_the_ending_is_fixed(name: str, graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must be named NAME\.ir"):
        save_graph(graph, tmp_path / name)
    with pytest.raises(UsageError, match=r"must be named NAME\.ir"):
        load_graph(tmp_path / name)


def test_nothing_is_left_where_one_file_cannot_be_written(graph: Graph, tmp_path: Path) -> None:
    save_graph(graph, tmp_path / "net.ir")
    before = (tmp_path / "net.safetensors").read_bytes()
    (tmp_path / "net.ir").unlink()
    (tmp_path / "net.ir").mkdir()
    other = graph.with_constants({key: a + 1 for key, a in graph.constants.items()})
    with pytest.raises(UsageError, match=r"net\.ir: cannot be written: Is a directory"):
        save_graph(other, tmp_path / "net.ir")
    assert (tmp_path / "net.safetensors").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.ir", "net.safetensors"]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"b: cannot be written: No such file"):
        write_whole({tmp_path / "a": b"1", tmp_path / "none" / "b": b"2"})
    assert not list(tmp_path.iterdir())
