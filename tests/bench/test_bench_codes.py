"""Benches of networks of codes: who runs what, and what it is compared with; no times."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netgen.bench.bench import bench
from netgen.bench.compiled import bench_target
from netgen.bench.peers import PEERS, Form, Peer, entries, load_netgen, of_floats
from netgen.bench.result import BenchRow, cores_note, failure
from netgen.bench.subject import Subject
from netgen.errors import BuildError, UsageError
from netgen.ir.graph import Graph
from netgen.ir.text import parse_graph

pytestmark = pytest.mark.usefixtures("worker_threads")
quickly: dict[str, Any] = {"rounds": 2, "round_ms": 0.1}
FILE = Path("some.tflite")

CODES = """netgen 1
  graph codes {
    %image : i8[1,4,5,3] {scale=0x1p-5, zero=-8}  = input
    %y     : i8[1,4,5,3] {scale=0x1p-5, zero=-8}  = relu(%image)
    return %y
  }"""
# relu of codes, of one that rounds otherwise, and of the numbers that they stand for.
RECTIFIED = partial(np.maximum, np.int8(-8))
APART = partial(np.maximum, np.int8(-7))
FLOATS = partial(np.maximum, np.float32(0.0))


@pytest.fixture
def graph() -> Graph:
    return parse_graph(CODES)[0]


@pytest.fixture
def add_peer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that adds a peer of NumPy functions: of floats, of files, of codes."""

    def form(function: object) -> Form | None:
        return None if function is None else Form(lambda _: function, load_netgen)

    def add(
        name: str, floats: object = FLOATS, of_file: object = None, of_codes: object = None
    ) -> None:
        prepare = None if floats is None else lambda _graph: floats
        peer = Peer((), prepare, load_netgen, of_file=form(of_file), of_codes=form(of_codes))
        monkeypatch.setitem(PEERS, name, peer)

    return add


def test_rows(graph: Graph, add_peer: Callable[..., None]) -> None:
    add_peer("files", of_file=APART)
    add_peer("both", of_codes=RECTIFIED)
    add_peer("floats")
    rows = bench(
        graph, RECTIFIED, floats=FLOATS, file=FILE, peers=["files", "both", "floats"], **quickly
    )
    assert [(row.runtime, row.precision) for row in rows] == [
        ("netgen", "int8"),
        ("netgen fp32", "fp32"),
        ("files int8", "int8"),
        ("both fp32", "fp32"),
        ("both int8", "int8"),
        ("floats fp32", "fp32"),
    ]
    assert [row.error for row in rows] == [None] * 6
    assert all(row.ratio is not None and row.median_ms is not None for row in rows)
    # One code of the 135 above zero.
    assert rows[2].max_relative_error == pytest.approx(1 / 135, rel=0.1)
    assert [row.max_relative_error for row in (rows[1], *rows[3:])] == [0.0] * 4
    # The ratio to itself is that of the first peer, not of netgen's floats.
    assert rows[0].ratio == rows[2].ratio
    assert rows[0].as_json()["precision"] == "int8"
    assert cores_note(rows) == "int8 and fp32, one thread, one core"
    assert failure(rows) == 0


def test_without_a_file_floats_run(graph: Graph, add_peer: Callable[..., None]) -> None:
    add_peer("files", of_file=APART)
    rows = bench(graph, RECTIFIED, floats=FLOATS, peers=["files"], **quickly)
    assert [row.runtime for row in rows] == ["netgen", "netgen fp32", "files fp32"]
    assert rows[-1].max_relative_error == 0.0


def test_a_file_of_floats_has_one_row(add_peer: Callable[..., None]) -> None:
    add_peer("files", floats=partial(np.add, 1.0), of_file=FLOATS)
    graph = parse_graph("""netgen 1
      graph floats {
        %x : f32[1,4,5,3] = input
        %y : f32[1,4,5,3] = relu(%x)
        return %y
      }""")[0]
    rows = bench(graph, FLOATS, file=FILE, peers=["files"], **quickly)
    assert [(row.runtime, row.precision, row.error) for row in rows] == [
        ("netgen", "fp32", None), ("files", "fp32", None),
    ]  # fmt: skip


def test_codes_that_are_something_else(graph: Graph, add_peer: Callable[..., None]) -> None:
    add_peer("wrong", of_file=partial(np.minimum, np.int8(-8)))
    add_peer("other", floats=partial(np.maximum, np.float32(0.1)))
    rows = bench(graph, RECTIFIED, floats=FLOATS, file=FILE, peers=["wrong", "other"], **quickly)
    codes, floats = rows[2:]
    assert codes.error is not None
    assert "wrong int8 do not compute the same, expected outputs within 0.5 of" in codes.error
    assert floats.error is not None
    assert "other fp32 do not compute the same, expected outputs within 0.001 of" in floats.error
    assert failure(rows) == codes.exit_code != 0


def test_floats_are_judged_where_the_twin_did_not_compile(
    graph: Graph, add_peer: Callable[..., None]
) -> None:
    add_peer("right")
    add_peer("other", floats=partial(np.maximum, np.float32(0.1)))
    rows = bench(
        graph, RECTIFIED, floats=BuildError("no kernel"), peers=["right", "other"], **quickly
    )
    assert [row.error is None for row in rows] == [True, False, True, False]
    assert rows[1].error == "no kernel"


def test_outputs_of_another_number(graph: Graph, add_peer: Callable[..., None]) -> None:
    add_peer("two", of_file=partial(np.broadcast_arrays, np.int8(0)))
    row = bench(graph, RECTIFIED, file=FILE, peers=["two"], **quickly)[-1]
    assert row.error is not None
    assert "outputs of different shapes" in row.error


def test_only_peers_count_for_the_exit_code() -> None:
    rows = [
        BenchRow("a", "netgen"),
        BenchRow("a", "netgen fp32"),
        BenchRow("a", "tflite", error="not installed", exit_code=9),
    ]
    assert failure(rows) == 9


def test_peers_of_files_alone(graph: Graph) -> None:
    assert "tflm" not in of_floats()
    with pytest.raises(UsageError, match=r"tflm is timed on \.tflite files only, found codes"):
        entries("tflm", Subject(graph))


def test_a_graph_of_codes_is_compiled_twice(graph: Graph, add_peer: Callable[..., None]) -> None:
    add_peer("files", of_file=RECTIFIED)
    rows = bench_target(graph, "generic", ("files",), 1, "codes", lambda _: None, file=FILE)
    assert [(row.runtime, row.error) for row in rows] == [
        ("netgen", None), ("netgen fp32", None), ("files int8", None),
    ]  # fmt: skip
    assert [row.max_relative_error for row in rows] == [0.0] * 3


def test_an_unknown_peer_is_named_before_anything_is_compiled(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netgen.bench.compiled.compile_graph", lambda *_, **__: 1 / 0)
    with pytest.raises(UsageError, match="unknown peer 'nobody'"):
        bench_target(graph, "generic", ("nobody",), 1, "codes", lambda _: None)
