"""Every option of a plan can be given in Python and on the command line, and comes out in the C."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import netgen
from netgen.errors import PlanError
from netgen.ir.graph import Graph
from netgen.kernels.targets import Target
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.tuning import Tuning
from tests.cli.commands import Cli

TUNING = '{"version": 1, "netgen": "0", "target": "generic", "compiler": "gcc", "layers": {}}'

# A value of each option that is not its default, and how the header writes it.
VALUES: dict[str, tuple[object, str]] = {
    "ram": (61440, "--ram 61440"),
    "input": ("rows", "--input rows"),
    "accept_gap": (True, "--accept-gap"),
    "winograd": (False, "--no-winograd"),
    "tuning": ("t.json", "--tuning t.json"),
    "threads": (3, "--threads 3"),
    "copies": (True, "--copies"),
    "small": (True, "--small"),
    "weights_dtype": ("float16", "--weights-dtype float16"),
    "input_type": ("u8", "--input-type u8"),
    "mean": ((0.5, 0.4, 0.3), "--input-type u8 --mean 0.5,0.4,0.3 --std 1.0,1.0,1.0"),
    "std": ((0.5, 0.4, 0.3), "--input-type u8 --mean 0.0,0.0,0.0 --std 0.5,0.4,0.3"),
}
# What must be given together with an option.
BESIDE: dict[str, dict[str, object]] = {
    "mean": {"input_type": "u8", "std": (1.0, 1.0, 1.0)},
    "std": {"input_type": "u8", "mean": (0.0, 0.0, 0.0)},
}
FILES: dict[str, tuple[str, ...]] = {
    "compile": ("-o", "model.c"),
    "report": ("-o", "page.html"),
    "run": ("photo.png",),
    "show": ("--stage", "plan"),
    "plan": (),
    "verify": (),
}


@pytest.fixture
def asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[PlanOptions]:
    """The options that reach the planner, which then stops; the folder holds `t.json`."""
    (folder / "t.json").write_text(TUNING)
    found: list[PlanOptions] = []

    def stop(_: Graph, __: Target, options: PlanOptions) -> None:
        found.append(options)
        raise PlanError("nothing is planned here")

    monkeypatch.setattr("netgen.compiler.build_plan", stop)
    return found


def wanted(name: str) -> PlanOptions:
    value, _ = VALUES[name]
    given: dict[str, Any] = {name: Tuning("generic", {}, "t.json") if name == "tuning" else value}
    return PlanOptions(**given | BESIDE.get(name, {}))


def test_every_option_has_a_value_here() -> None:
    assert list(VALUES) == [field.name for field in fields(PlanOptions)]
    assert all(wanted(name) != PlanOptions() for name in VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_python_gives_them_to_the_planner(
    name: str, tiny: str, folder: Path, asked: list[PlanOptions]
) -> None:
    graph, options = netgen.load(tiny), {name: VALUES[name][0], **BESIDE.get(name, {})}
    calls: list[Callable[..., object]] = [
        lambda **given: netgen.emit(graph, folder / "model.c", **given),
        lambda **given: netgen.compile(graph, **given),
    ]
    for call in calls:
        with pytest.raises(PlanError, match="nothing is planned here"):
            call(**options)
    assert asked == [wanted(name)] * 2


@pytest.mark.parametrize("command", FILES)
def test_commands_give_them_to_the_planner(
    command: str, cli: Cli, tiny: str, asked: list[PlanOptions]
) -> None:
    for name, (_, words) in VALUES.items():
        outcome = cli(command, tiny, *FILES[command], *words.split())
        assert outcome.error() == "nothing is planned here"
        assert asked.pop() == wanted(name)
        assert not asked


@pytest.mark.parametrize(
    "name", ["ram", "input", "accept_gap", "winograd", "copies", "small", "weights_dtype", "std"]
)
def test_tuning_plans_as_it_is_told(
    name: str, cli: Cli, tiny: str, asked: list[PlanOptions]
) -> None:
    outcome = cli("tune", tiny, "-o", "new.json", *VALUES[name][1].split())
    assert outcome.error() == "nothing is planned here"
    assert asked == [wanted(name)]


@pytest.mark.parametrize("name", VALUES)
def test_the_header_says_them(
    name: str, cli: Cli, tiny: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)  # where the file of the network is
    value, words = VALUES[name]
    Path("t.json").write_text(TUNING)
    given: dict[str, Any] = {"ram": 1 << 20, name: value, **BESIDE.get(name, {})}
    graph = netgen.load(tiny)
    if name == "tuning":
        with pytest.warns(netgen.errors.NetgenNote, match="no layer was faster"):
            netgen.emit(graph, folder / "model.c", **given)
    else:
        netgen.emit(graph, folder / "model.c", **given)
    written = (folder / "model.c").read_text()
    comment = " ".join(written[: written.index("*/")].replace("\n * ", " ").split())
    assert words in comment
    command = comment[comment.index("netgen compile") : comment.index(" weights:")]
    again = folder / "again" / "model.c"
    again.parent.mkdir()
    assert cli(*shlex.split(command)[1:-1], again).code == 0
    assert again.read_text() == written
