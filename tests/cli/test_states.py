"""Networks with a state on the command line: what is shown, compared and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from netgen.bench.peers import PEERS, entries
from netgen.bench.subject import Subject
from netgen.errors import UsageError
from netgen.ir.files import save_graph
from tests.cli.commands import Cli
from tests.plan.stateful_graphs import stateful


@pytest.fixture
def rings(folder: Path) -> str:
    save_graph(stateful("rings"), folder / "rings.ir")
    return "rings.ir"


def test_verify_runs_several_times(cli: Cli, rings: str) -> None:
    outcome = cli("verify", rings, "--target", "generic", "--json")
    assert outcome.code == 0
    shown = outcome.json()
    assert 0.0 < shown["max_relative_error"] < 1e-5
    assert "y" in {layer["name"] for layer in shown["layers"]}
    refused = cli("verify", rings, "--against", "onnxruntime")
    assert refused.code != 0
    message = "%a: networks with a state cannot be compared with ONNX Runtime; use --against numpy"
    assert message in refused.error()


def test_plans(cli: Cli, rings: str, folder: Path) -> None:
    text = cli("plan", rings).stdout
    assert (
        "its first 216 bytes hold 2 states between runs (160 bytes moved to their places)" in text
    )
    shown = cli("plan", rings, "--json").json()
    assert [(state["value"], state["next"]) for state in shown["states"]] == [
        ("a", "a.next"),
        ("b", "b.next"),
    ]
    assert shown["bytes_moved"] == 184
    assert cli("plan", rings, "-o", "plan.json").code == 0
    assert cli("plan", "--check", "plan.json").code == 0
    broken = (folder / "plan.json").read_text().replace('"next": "a.next"', '"next": "a"')
    (folder / "broken.json").write_text(broken)
    refused = cli("plan", "--check", "broken.json")
    assert refused.code != 0
    assert "end of the plan, for the next run" in refused.error()


def test_pictures(cli: Cli, rings: str, folder: Path) -> None:
    assert '"an" -> "a" [style=dashed' in cli("show", rings, "--format", "dot").stdout
    assert "state" in cli("show", rings, "--format", "svg").stdout
    assert "%a" in cli("show", rings, "--format", "text").stdout
    assert "next %b = %bn" in cli("show", rings, "--format", "text").stdout
    assert cli("report", rings, "-o", "r.html", "--target", "generic").code == 0
    assert "state, then a.next" in (folder / "r.html").read_text()


def test_what_has_no_states(cli: Cli, rings: str) -> None:
    outcome = cli("export", rings, "-o", "m.onnx", "--as", "onnx")
    assert outcome.code != 0
    assert "%a: networks with a state cannot be exported to ONNX" in outcome.error()
    for name in PEERS:
        with pytest.raises(UsageError, match=f"{name} is timed on networks without a state only"):
            entries(name, Subject(stateful("rings")))


def test_compiled(cli: Cli, rings: str, folder: Path) -> None:
    assert cli("compile", rings, "-o", "model.c").code == 0
    assert "MODEL_STATE_BYTES 216u" in (folder / "model.h").read_text()
