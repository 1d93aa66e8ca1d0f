"""verify, plan, export, bench; and what goes to which stream."""

from __future__ import annotations

import importlib.util
import os
import pty
import re
from pathlib import Path

import onnx
import pytest

from netgen import __version__
from netgen.report import verify as judge
from netgen.runtime.compare import Comparison, LayerError
from tests.cli.commands import NOTE, Cli, entries
from tests.frontends.tflite.operator_models import channels_first
from tests.tools import find_package, run_python, start_python


def test_verify_json(cli: Cli, tiny: str) -> None:
    outcome = cli("verify", tiny, "--target", "generic", "--json")
    assert outcome.code == 0
    assert outcome.stderr.splitlines() == [NOTE]
    shown = outcome.json()
    assert shown["against"] == "numpy"
    assert 0.0 < shown["max_relative_error"] < 1e-6
    layers = {layer["name"]: layer["max_relative_error"] for layer in shown["layers"]}
    assert list(layers) == ["stem.relu6", "global_avg_pool", "linear"]
    assert layers["linear"] == shown["max_relative_error"]
    assert shown.keys() == {"against", "inputs", "max_relative_error", "layers"}
    assert {*map(len, shown["layers"])} == {2}


def test_verify_for_people(cli: Cli, tiny: str) -> None:
    short = cli("verify", tiny)
    assert short.code == 0
    assert short.stdout.startswith("worst error against numpy: ")
    _, inputs = short.stdout.splitlines()
    assert re.fullmatch(r"target \S+, one run of seeded inputs", inputs)
    long = cli("verify", tiny, "--layers")
    assert "stem.relu6" in long.stdout
    assert long.stdout.endswith(short.stdout)


def test_verify_against_onnxruntime(cli: Cli, tiny: str) -> None:
    shown = cli("verify", tiny, "--against", "onnxruntime", "--json").json()
    assert shown["against"] == "onnxruntime"
    assert shown["max_relative_error"] < 1e-5
    assert shown["layers"][0]["name"] == "stem.relu6"


def test_codes_are_judged_step_by_step(cli: Cli, tiny: str, folder: Path) -> None:
    rounded = tiny.replace(":tiny", ":rounded")
    outcome = cli("verify", rounded, "--target", "generic", "--layers")
    assert outcome.code == 0
    *table, first, second, inputs = outcome.stdout.splitlines()
    assert inputs == "target generic, one run of seeded inputs"
    assert "codes that differ" in table[1]
    assert first.startswith("worst error against numpy: ")
    assert second.startswith(
        "codes that differ, step by step: 0 of 8,192; from the inputs on, where rounding adds up: "
    )
    assert second.endswith(" of 8,192, by 1 at most")
    shown = cli("verify", rounded, "--target", "generic", "--json").json()
    assert shown["codes"] == {"count": 0, "total": 8192, "largest": 0}
    assert shown["end_to_end"]["count"] > 0
    assert [layer.get("codes") for layer in shown["layers"]] == [None, shown["codes"], None]
    written = cli("compile", rounded, "--verify", "-o", "m.c")
    assert written.code == 0
    assert second in written.stderr.splitlines()
    assert "m.c" in entries(folder)
    refused = cli("verify", rounded, "--against", "onnxruntime")
    assert refused.code == 2
    assert "%quantize: networks with codes cannot be" in refused.error()
    assert refused.error().endswith("; use --against numpy")


def test_verify_of_a_tflite_file(cli: Cli, folder: Path) -> None:
    (folder / "m.tflite").write_bytes(channels_first().content())
    own = cli("verify", "m.tflite", "--json")
    assert own.code == 0
    find_package("ai_edge_litert")
    shown = cli("verify", "m.tflite", "--against", "tflite", "--json").json()
    assert shown["against"] == "tflite"
    assert shown["max_relative_error"] < 1e-6
    layers = {layer["name"] for layer in shown["layers"]}
    assert layers == {layer["name"] for layer in own.json()["layers"]}
    assert layers == {"x2", "y", "z"}  # of x6 it stores z, which is the output


def test_only_a_tflite_file_can_be_compared_with_tflite(cli: Cli, tiny: str) -> None:
    outcome = cli("verify", tiny, "--against", "tflite")
    assert outcome.code == 2
    assert "only a .tflite file" in outcome.stderr


def test_a_disagreement_is_an_exit_code(cli: Cli, tiny: str) -> None:
    outcome = cli("verify", tiny, "--tolerance", "1e-30", "--json")
    assert outcome.code == 8
    assert outcome.json()["max_relative_error"] > 0.0
    assert "netgen verify --layers" in outcome.stderr
    assert cli("verify", tiny, "--tolerance", "1").code == 0
    assert cli("verify", tiny, "--against", "nobody").code == 2


@pytest.mark.parametrize("tolerance", ["nan", "inf", "-inf", "0", "-1", "x"])
def test_tolerances_that_cannot_be(
    tolerance: str, cli: Cli, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_work(*_: object) -> None:
        raise AssertionError("it is refused before anything is compiled")

    monkeypatch.setattr(judge, "verify_graph", no_work)
    outcome = cli("verify", tiny, "--tolerance", tolerance)
    assert outcome.code == 2
    assert "--tolerance" in outcome.stderr


def test_results_that_are_not_finite(cli: Cli, tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Comparison(float("inf"), (LayerError("x", float("inf")),))
    monkeypatch.setattr(judge, "verify_graph", lambda *_: broken)
    outcome = cli("verify", tiny, "--json")
    assert outcome.code == 8
    assert outcome.json()["max_relative_error"] is None  # JSON has no infinity


def test_plan_json(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("plan", tiny, "--json", "-o", "plan.json")
    assert outcome.code == 0
    assert outcome.stderr == ""
    document = outcome.json()
    assert document["gap_bytes"] == 0
    assert document["bytes_moved"] == 0
    assert document["arena_bytes"] == document["lower_bound_bytes"] > 0
    assert document["mac_factor"] == 1.0
    assert document["buffers"]
    assert isinstance(document["segments"], list)
    assert "push_rows" in document
    assert entries(folder) == ["plan.json"]
    checked = cli("plan", "--check", "plan.json", "--json")
    assert checked.code == 0
    assert checked.stderr == ""
    assert checked.json() == document


def test_plan_for_people(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("plan", tiny, "--target", "x86-64-v3", "-o", "plan.json")
    assert outcome.stdout.startswith("plan of tiny for x86-64-v3")
    assert "gap 0" in outcome.stdout
    checked = cli("plan", "--check", "plan.json")
    assert checked.stdout.startswith("the plan is right")
    assert entries(folder) == ["plan.json"]


def test_a_wrong_plan_is_found(cli: Cli, tiny: str, folder: Path) -> None:
    cli("plan", tiny, "-o", "plan.json")
    file = folder / "plan.json"
    text = file.read_text()
    size = f'"arena_bytes": {cli("plan", tiny, "--json").json()["arena_bytes"]}'
    assert size in text
    file.write_text(text.replace(size, '"arena_bytes": 4'))
    outcome = cli("plan", "--check", "plan.json")
    assert outcome.code == 5
    outcome.error()


def test_plan_usage(cli: Cli, tiny: str, folder: Path) -> None:
    for arguments in ((), (tiny, "--check", "plan.json")):
        outcome = cli("plan", *arguments)
        assert outcome.code == 2
        assert "either a MODEL" in outcome.error()
    (folder / "x.json").write_text("{")
    for file in ("absent.json", "x.json", folder):
        outcome = cli("plan", "--check", file)
        assert outcome.code == 5
        outcome.error()


def test_export(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("export", tiny, "--as", "onnx", "-o", "tiny.onnx")
    assert outcome.code == 0
    assert outcome.stdout == ""
    note, wrote = outcome.stderr.splitlines()
    assert note == NOTE  # the file holds the seeded weights
    assert wrote.startswith("wrote tiny.onnx")
    assert entries(folder) == ["tiny.onnx"]
    onnx.checker.check_model(onnx.load(folder / "tiny.onnx"))
    assert cli("export", tiny, "--as", "exe", "-o", "tiny.exe").code == 2


@pytest.mark.usefixtures("worker_threads")
def test_bench(cli: Cli, tiny: str) -> None:
    outcome = cli("bench", tiny, "--rounds", "2", "--json")
    assert outcome.code == 0
    assert outcome.stderr == ""
    ours, peer = outcome.json_list()
    assert (ours["runtime"], peer["runtime"]) == ("netgen", "onnxruntime")
    for row in (ours, peer):
        assert row["error"] is None
        assert row["median_ms"] > 0.0
        assert row["ratio_low"] <= row["ratio"] <= row["ratio_high"]
        assert row["runs"] >= 2
        assert row["version"]


ABSENT = ("ai_edge_litert", "openvino")


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which the peers tflite and openvino are not installed."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name in ABSENT else find_spec(name)
    )


@pytest.mark.usefixtures("without_packages")
@pytest.mark.parametrize("vs", ["tflite", "openvino,tflite"])
@pytest.mark.usefixtures("worker_threads")
def test_a_bench_without_any_peer_fails_after_it_has_shown_our_time(
    vs: str, cli: Cli, tiny: str
) -> None:
    outcome = cli("bench", tiny, "--rounds", "1", "--vs", vs)
    assert outcome.code == 9
    assert re.search(
        rf"^ *netgen +{re.escape(__version__)} +\d+\.\d{{3}} ", outcome.stdout, re.MULTILINE
    )
    assert "pip install" in outcome.stdout
    shown = cli("bench", tiny, "--rounds", "1", "--vs", vs, "--json")
    assert shown.code == 9
    ours, *peers = shown.json_list()
    assert ours["median_ms"] > 0.0
    assert [row["exit_code"] for row in peers] == [9] * len(peers)
    assert all("pip install" in row["error"] for row in peers)


@pytest.mark.usefixtures("without_packages")
@pytest.mark.usefixtures("worker_threads")
def test_a_bench_goes_on_with_the_peers_that_are_there(cli: Cli, tiny: str) -> None:
    outcome = cli("bench", tiny, "--rounds", "1", "--vs", "tflite,onnxruntime", "--json")
    assert outcome.code == 0
    assert [row["exit_code"] for row in outcome.json_list()] == [None, 9, None]


@pytest.mark.usefixtures("worker_threads")
def test_a_peer_that_computes_something_else_fails_the_bench(
    cli: Cli, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netgen.bench.bench.LARGEST_ERROR", 0.0)
    outcome = cli("bench", tiny, "--rounds", "1")
    assert outcome.code == 8
    assert "do not compute the same" in outcome.stdout


def test_bench_for_people(cli: Cli, tiny: str) -> None:
    outcome = cli("bench", tiny, "--rounds", "1")
    assert outcome.code == 0
    assert "onnxruntime" in outcome.stdout
    refused = cli("bench", tiny, "--vs", "nobody")
    assert refused.code == 2
    assert "unknown peer 'nobody'" in refused.error()


RUN = ("-W", "error", "-m", "netgen")


def test_a_pipe_sees_no_progress(tiny: str, tmp_path: Path) -> None:
    done = run_python(*RUN, "verify", tiny, "--json", NETGEN_CACHE_DIR=str(tmp_path / "fresh"))
    assert done.stdout.startswith("{")
    assert done.stderr.splitlines() == [NOTE]


def test_a_terminal_sees_progress(tiny: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = (*RUN, "verify", tiny, "--target", "generic", "--json")
    fresh = str(tmp_path / "fresh")
    done = run_python(*command, errors_to=theirs, NETGEN_CACHE_DIR=fresh, TERM="xterm")
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    assert b"for generic with" in shown  # which compiler works on what
    assert done.stdout.startswith("{")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""


def test_a_reader_that_stops(tiny: str) -> None:
    """`netgen show ... | head -1` is no error."""
    process = start_python(*RUN, "show", tiny, "--format", "text")
    assert process.stdout is not None
    assert process.stdout.readline() == "netgen 1\n"
    process.stdout.close()
    assert process.wait() == 0


def test_debug_shows_the_traceback(tiny: str) -> None:
    done = run_python(*RUN, "--debug", "show", tiny, "-p", "nothing=1", check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "UsageError" in done.stderr
