"""Tables of several models, the suites that have names, threads, and the command's options."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netgen.bench.bench import bench
from netgen.bench.peers import PEERS, Peer
from netgen.bench.process import default_cores
from netgen.bench.result import BenchRow, cores_note
from netgen.bench.suite import SUITES, Case, find_suite
from netgen.bench.summary import summary_markdown, summary_table
from netgen.bench.worker import Array, Loaded
from netgen.compiler import load
from netgen.errors import NetgenNote, UsageError
from tests.cli.commands import TINY_SOURCE, Cli, caller
from tests.frontends.tflite.weighted_models import weighted_models
from tests.tools import require_linux

ROWS = [
    BenchRow("one", "netgen", median_ms=1.2345, ratio=0.5),
    BenchRow("one", "onnxruntime", median_ms=2.469, ratio=0.5),
    BenchRow("one", "ncnn", error="not installed"),
    BenchRow("two a=1", "netgen", median_ms=23.456, ratio=0.75),
    BenchRow("two a=1", "onnxruntime", median_ms=31.0, ratio=0.754),
    BenchRow("two a=1", "ncnn", median_ms=31.0, ratio=1.25),
]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return caller(capsys)


def test_a_line_for_each_model() -> None:
    assert summary_markdown(ROWS).splitlines() == [
        "| model | ms | onnxruntime | ncnn |",
        "| --- | --- | --- | --- |",
        "| `one` | 1.23 | 0.50 | - |",
        "| `two a=1` | 23.5 | 0.75 | 1.25 |",
    ]
    table = summary_table(ROWS)
    assert [column.header for column in table.columns] == ["model", "ms", "onnxruntime", "ncnn"]
    assert list(table.columns[3].cells) == ["-", "1.25"]


def test_the_published_networks_load() -> None:
    assert len(SUITES["fp32"]) == 8
    for case in find_suite("fp32"):
        if case.model != "resnet50":  # 100 MB of seeded weights
            assert load(case.model, **dict[str, Any](case.parameters)).macs() > 0
    assert SUITES["fp32"][3] == Case("mobilenet_v2", {"alpha": "0.35", "input_size": "96"})
    assert SUITES["fp32"][3].label == "mobilenet_v2 alpha=0.35 input_size=96"
    with pytest.raises(UsageError, match="unknown table 'int9', expected one of fp32, int8"):
        find_suite("int9")


def test_published_files_are_found_at_any_depth(tmp_path: Path) -> None:
    for place in ("a/vww_96_int8.tflite", "a/b/kws_ref_model.tflite", "b/vww_96_int8.tflite"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    with pytest.warns(NetgenNote, match=r"left out, .*: mobilenet_v2_1.0_224_ptq\.tflite, .*"):
        found = find_suite("int8", tmp_path)
    assert [case.model for case in found] == [
        str(tmp_path / "a/vww_96_int8.tflite"), str(tmp_path / "a/b/kws_ref_model.tflite"),
    ]  # fmt: skip


def test_published_files_that_are_not_there(tmp_path: Path) -> None:
    with (
        pytest.warns(NetgenNote, match=r"left out"),
        pytest.raises(UsageError, match="no file of the table int8 is there"),
    ):
        find_suite("int8", tmp_path)
    with pytest.raises(UsageError, match="expected --models FOLDER, below which they are"):
        find_suite("int8")
    with pytest.raises(UsageError, match=r"--models FOLDER.*, found .*nowhere"):
        find_suite("int8", tmp_path / "nowhere")
    with pytest.raises(UsageError, match="the table fp32 needs no files; leave out --models"):
        find_suite("fp32", tmp_path)


def load_counting(payload: object, inputs: tuple[Array, ...], threads: int) -> Loaded:
    """A runtime that gives how many threads it was told, and on how many cores it is."""
    del payload, inputs
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads
    return Loaded("1.0", (np.array([threads, cores], np.float32),), lambda: None)


def test_peers_get_threads_and_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    # Workers, which have this process's path, find the model and the peer of this file there.
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[2]), *sys.path])
    monkeypatch.setitem(PEERS, "counting", Peer((), lambda _graph: None, load_counting))
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    threads = min(2, allowed)
    graph = load("mobilenet_v1", alpha=0.25, input_size=32, classes=2)
    ours = partial(np.full, 2, fill_value=threads, dtype=np.float32)
    rows = bench(
        graph, _Ignoring(ours), peers=["counting"], rounds=1, round_ms=0.1, threads=threads
    )
    assert [row.error for row in rows] == [None, None]
    assert [row.threads for row in rows] == [threads, threads]


class _Ignoring:
    """A model that gives the same whatever its input is."""

    def __init__(self, result: partial[Array]) -> None:
        self._result = result

    def __call__(self, *_: object) -> Array:
        return self._result()


def test_more_threads_than_cores() -> None:
    require_linux()  # macOS does not let a process choose its cores
    allowed = sorted(os.sched_getaffinity(0))
    assert default_cores(1) == (allowed[-1],)
    assert default_cores(len(allowed)) == tuple(allowed)
    with pytest.raises(UsageError, match=f"at most {len(allowed)}, the cores"):
        default_cores(len(allowed) + 1)


def test_what_the_times_are_of() -> None:
    assert cores_note(ROWS) == "fp32, one thread, one core"
    assert cores_note([BenchRow("a", "netgen", threads=2)]) == "fp32, 2 threads on as many cores"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), "there is nothing to measure; give a MODEL, or --table fp32"),
        (("--table", "fp32", "resnet8"), "--table names the models itself"),
        (("--table", "fp32", "-p", "alpha=1"), "--table does not go together with -p"),
        (("--table", "fp64"), "unknown table 'fp64'"),
        (("--table", "int8"), "the table int8 is of files that others published"),
        (("--table", "fp32", "--models", "."), "the table fp32 needs no files"),
        (("resnet8", "--models", "."), "a MODEL does not go together with --models"),
        (("--models", "."), "there is nothing to measure"),
        (("resnet8", "--profile", "--vs", "torch"), "--profile does not go together with --vs"),
        (("resnet8", "--profile", "--format", "markdown"), "not go together with --format"),
    ],
)
def test_refused(arguments: tuple[str, ...], error: str, cli: Cli) -> None:
    outcome = cli("bench", *arguments)
    assert outcome.code == 2
    assert error in outcome.error()


def test_profile_of_a_users_network(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "tiny.py"
    file.write_text(TINY_SOURCE)
    arguments = ("bench", f"{file}:tiny", "-p", "width=4", "--profile", "--rounds", "2")
    (found,) = cli(*arguments, "--target", "generic", "--json").json_list()
    assert found["target"] == "generic"
    assert found["model"].endswith("tiny width=4")
    assert [step["kernel"] for step in found["steps"]][1] == "global_avg_pool_f32"
    assert all(step["us"] > 0 for step in found["steps"])
    text = cli(*arguments, "--target", "generic").stdout
    for shown in ("GFLOP/s", "by kernel", "global_avg_pool_f32", "this core, measured", "2 runs"):
        assert shown in text


@pytest.mark.usefixtures("worker_threads")
def test_a_table_as_markdown(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    file = tmp_path / "tiny.py"
    file.write_text(TINY_SOURCE)
    monkeypatch.setitem(SUITES, "tiny", (Case(f"{file}:tiny"), Case(f"{file}:grey")))
    outcome = cli("bench", "--table", "tiny", "--rounds", "1", "--format", "markdown")
    lines = outcome.stdout.splitlines()
    assert lines[0] == "| model | ms | onnxruntime | openvino | ncnn | tflite | torch |"
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| `tiny`", "| `grey`"]
    assert "onnxruntime: timing onnxruntime needs the package onnx" in outcome.stdout
    assert outcome.code == 9
    text = cli("bench", "--table", "tiny", "--rounds", "1").stdout
    assert "grey" in text
    assert "target" in text


@pytest.mark.usefixtures("worker_threads")
def test_a_table_of_files(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (drawn,) = weighted_models("FULLY_CONNECTED", seed=3, count=1)
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "layer.tflite").write_bytes(drawn.model.content())
    cases = tuple(Case(f"{name}.tflite", published=True) for name in ("layer", "absent"))
    monkeypatch.setitem(SUITES, "files", cases)
    # Without packages nobody but netgen runs.
    monkeypatch.setattr("netgen.bench.peers._missing", lambda name: [f"package_of_{name}"])
    arguments = ("bench", "--table", "files", "--models", str(tmp_path), "--rounds", "1")
    outcome = cli(*arguments, "--target", "generic", "--format", "markdown")
    assert "left out, since they are not below" in outcome.stderr
    heading, _, line = outcome.stdout.splitlines()[:3]
    assert heading == "| model | ms | netgen fp32 | tflite | onnxruntime | openvino | tflm |"
    assert line.startswith("| `layer` | ")
    assert line.endswith(" | - | - | - | - |")
    assert "int8 and fp32, one thread, one core" in outcome.stdout
    assert outcome.code == 9
    rows = cli(*arguments, "--target", "generic", "--json").json_list()
    assert [(row["runtime"], row["precision"]) for row in rows[:3]] == [
        ("netgen", "int8"), ("netgen fp32", "fp32"), ("tflite", "int8"),
    ]  # fmt: skip
