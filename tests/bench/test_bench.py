"""The bench with stub runtimes: NumPy functions in worker processes; nothing asserts a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import netgen
from netgen.bench.bench import bench
from netgen.bench.peers import PEERS, Peer, load_netgen
from netgen.bench.process import WorkerProcess, default_cores
from netgen.bench.worker import Job
from netgen.dsl.tensor import constructing, finish, image
from netgen.errors import BuildError, UsageError
from netgen.ir.graph import Graph
from netgen.ops import relu
from tests.tools import require_linux, run_python

RELU = partial(np.maximum, 0.0)
quickly: dict[str, Any] = {"rounds": 3, "round_ms": 0.1}


@pytest.fixture
def graph() -> Graph:
    with constructing() as construction:
        return finish(construction, "rectifier", (relu(image(4, 5, 3)),))


@pytest.fixture
def add_peer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that adds a peer whose runtime is a NumPy function."""

    def add(name: str, function: Callable[..., Any], packages: tuple[str, ...] = ()) -> None:
        monkeypatch.setitem(PEERS, name, Peer(packages, lambda _graph: function, load_netgen))

    return add


def test_rows(graph: Graph, add_peer: Callable[..., None]) -> None:
    add_peer("first", RELU)
    add_peer("second", partial(np.clip, a_min=0.0, a_max=100.0))
    done: list[tuple[int, int]] = []
    rows = bench(
        graph,
        RELU,
        peers=["first", "second"],
        label="rectifier 4x5",
        on_round=lambda now, of: done.append((now, of)),
        **quickly,
    )
    assert [row.runtime for row in rows] == ["netgen", "first", "second"]
    assert done == [(1, 3), (2, 3), (3, 3)]
    for row in rows:
        assert (row.model, row.version, row.error) == ("rectifier 4x5", netgen.__version__, None)
        assert row.median_ms is not None
        assert row.median_ms > 0.0
        assert row.ratio is not None
        assert row.ratio_low is not None
        assert row.ratio_high is not None
        assert 0.0 < row.ratio_low <= row.ratio <= row.ratio_high
        assert row.runs >= 3
        assert row.runs % 3 == 0
        assert row.max_relative_error == 0.0
        assert row.self_ratio is not None
        assert row.self_ratio == rows[0].self_ratio
    assert rows[0].ratio == rows[1].ratio
    assert set(rows[0].as_json()) >= {
        "model", "runtime", "median_ms", "ratio", "ratio_low", "ratio_high", "runs", "version",
        "max_relative_error", "noisy",
    }  # fmt: skip


@pytest.mark.usefixtures("worker_threads")
def test_missing_peer_is_named_and_the_rest_goes_on(
    graph: Graph, add_peer: Callable[..., None]
) -> None:
    add_peer("absent", RELU, packages=("no_such_package",))
    add_peer("present", RELU)
    netgen_row, absent, present = bench(graph, RELU, peers=["absent", "present"], **quickly)
    assert absent.error == (
        "timing absent needs the package no_such_package, which is not installed; "
        "install it with: pip install onnx onnxruntime openvino ai-edge-litert flatbuffers"
    )
    assert (absent.ratio, absent.runs) == (None, 0)
    assert present.error is None
    assert netgen_row.ratio == present.ratio is not None


@pytest.mark.usefixtures("worker_threads")
def test_without_any_peer_netgen_is_timed_alone(
    graph: Graph, add_peer: Callable[..., None]
) -> None:
    add_peer("absent", RELU, packages=("no_such_package",))
    netgen_row, _ = bench(graph, RELU, peers=["absent"], **quickly)
    assert netgen_row.median_ms is not None
    assert (netgen_row.ratio, netgen_row.self_ratio, netgen_row.noisy) == (None, None, False)


@pytest.mark.usefixtures("worker_threads")
def test_peer_that_computes_something_else(graph: Graph, add_peer: Callable[..., None]) -> None:
    add_peer("wrong", partial(np.maximum, 0.1))
    add_peer("right", RELU)
    netgen_row, wrong, right = bench(graph, RELU, peers=["wrong", "right"], **quickly)
    assert wrong.error is not None
    assert wrong.error.startswith(
        "netgen and wrong do not compute the same, expected outputs within"
    )
    assert wrong.max_relative_error == pytest.approx(0.1 / 3**0.5, rel=0.1)
    assert (wrong.median_ms, wrong.ratio, wrong.runs) == (None, None, 0)
    assert netgen_row.ratio == right.ratio is not None


def test_peer_that_fails_to_start(graph: Graph, add_peer: Callable[..., None]) -> None:
    add_peer("broken", partial(np.reshape, shape=(7, 7)))
    _, row = bench(graph, RELU, peers=["broken"], **quickly)
    assert row.error is not None
    assert row.error.startswith(
        "the worker of broken ended with status 1, found ValueError: cannot"
    )


def test_model_that_fails(graph: Graph) -> None:
    with pytest.raises(BuildError, match=r"the worker of netgen ended with status 1.*ValueError"):
        bench(graph, partial(np.reshape, shape=(7, 7)), peers=[], **quickly)


def test_unknown_peer(graph: Graph) -> None:
    with pytest.raises(UsageError, match="unknown peer 'nobody', expected one of onnxruntime"):
        bench(graph, RELU, peers=["nobody"])


def test_no_rounds(graph: Graph) -> None:
    with pytest.raises(UsageError, match="at least one round, found 0"):
        bench(graph, RELU, peers=[], rounds=0)


def test_worker_is_pinned_and_its_prints_stay_out(capfd: pytest.CaptureFixture[str]) -> None:
    require_linux()  # macOS does not let a process choose its cores
    cores = default_cores()
    assert cores == (max(os.sched_getaffinity(0)),)
    # A worker whose model prints the cores it may use, and then fails.
    code = "import os; print(sorted(os.sched_getaffinity(0)), flush=True); os._exit(3)"
    with pytest.raises(BuildError, match=rf"ended with status 3, found \[{cores[0]}\]"):
        WorkerProcess("stub", Job(load_netgen, partial(exec, code + "\n"), ()), cores)
    assert capfd.readouterr() == ("", "")


def test_worker_needs_no_main_module(graph: Graph, tmp_path: Path) -> None:
    # A script without `if __name__ == "__main__"` must not run again in each worker.
    del graph
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from functools import partial\n"
        "from netgen.bench.bench import bench\n"
        "from netgen.dsl.tensor import constructing, finish, image\n"
        "from netgen.ops import relu\n"
        "with constructing() as construction:\n"
        "    graph = finish(construction, 'rectifier', (relu(image(4, 5, 3)),))\n"
        "print(len(bench(graph, partial(np.maximum, 0.0), peers=[], rounds=1, round_ms=0.1)))\n"
    )
    assert run_python(str(script)).stdout == "1\n"


def test_onnxruntime_as_peer(graph: Graph) -> None:
    _, row = bench(graph, RELU, **quickly)
    assert (row.runtime, row.error, row.version) == ("onnxruntime", None, onnxruntime.__version__)
    assert row.max_relative_error == 0.0  # outputs come back in netgen's layout
    assert row.self_ratio is not None
