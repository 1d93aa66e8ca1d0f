"""list and show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netgen import __version__
from netgen.ir.text import parse_graph
from netgen.models import NETWORKS
from netgen.passes import run_pipeline
from tests.cases import heavy
from tests.cli.commands import Cli, entries
from tests.pictures import parse

SMALL = ("mobilenet_v2", "-p", "alpha=0.35", "-p", "input_size=32")


def test_list_for_programs(cli: Cli) -> None:
    outcome = cli("list", "--json")
    assert outcome.code == 0
    assert outcome.stderr == ""
    models = {model["name"]: model for model in outcome.json_list()}
    assert list(models) == list(NETWORKS)
    v2 = models["mobilenet_v2"]
    assert v2["macs"] == 300_774_272
    assert v2["weights"] == 3_504_872
    assert v2["parameters"]["alpha"] == 1.0
    assert v2["parameters"]["input_size"] == 224


def test_list_for_people(cli: Cli) -> None:
    outcome = cli("list")
    assert outcome.code == 0
    for text in ("mobilenet_v1", "300,774,272", "torchvision", "padding=tensorflow (torch|"):
        assert text in outcome.stdout


@pytest.mark.parametrize("columns", ["40", "80"])
def test_tables_are_folded_and_not_cut(
    columns: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich: write as to a terminal
    lines = re.sub(r"\x1b\[[0-9;]*m", "", cli("list").stdout).splitlines()
    assert max(map(len, lines)) == int(columns)
    assert "…" not in "".join(lines)


def test_version_and_help(cli: Cli) -> None:
    assert __version__ in cli("--version").stdout
    for command in (
        "list",
        "show",
        "compile",
        "run",
        "verify",
        "plan",
        "report",
        "export",
        "bench",
    ):
        assert command in cli("-h").stdout
        outcome = cli(command, "--help")
        assert (outcome.code, outcome.stderr) == (0, "")
        assert outcome.stdout.startswith(f"Usage: netgen {command}")


@pytest.mark.parametrize("stage", ["source", "fused"])
def test_show_as_table(stage: str, cli: Cli) -> None:
    outcome = cli("show", *SMALL, "--stage", stage)
    assert outcome.code == 0
    assert outcome.stderr == ""  # no weight's value is shown: that they are seeded does not matter
    assert "f32[1,32,32,3]" in outcome.stdout
    assert "block17.project.batch_norm" in outcome.stdout
    assert ("dropout" in outcome.stdout) == (stage == "source")
    assert "2,463,792" in outcome.stdout  # MACs in all
    assert "…" not in outcome.stdout


def test_show_as_text(cli: Cli) -> None:
    source, _ = parse_graph(cli("show", *SMALL, "--format", "text").stdout, "source")
    fused, _ = parse_graph(
        cli("show", *SMALL, "--stage", "fused", "--format", "text").stdout, "fused"
    )
    operators = {node.op.operator_name for node in source.nodes}
    assert {"batch_norm", "relu6", "dropout", "add"} <= operators
    assert not {node.op.operator_name for node in fused.nodes} & {"batch_norm", "relu6", "add"}
    assert len(fused.activations) < len(source.activations) / 2
    assert fused.macs() == source.macs()


def test_show_as_dot(cli: Cli) -> None:
    text = cli("show", *SMALL, "--format", "dot").stdout
    assert text.startswith('digraph "mobilenet_v2" {')
    assert text.endswith("}\n")
    assert '"image" -> "stem.conv2d";' in text
    assert '"block3.project.batch_norm" -> "block3.add";' in text
    assert text.count("{") == text.count("{stride") + text.count("{pad") + 1


def test_show_as_svg(cli: Cli) -> None:
    text = cli("show", *SMALL, "--stage", "fused", "--format", "svg").stdout
    root = parse(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    shown = "\n".join(element.text or "" for element in root.iter())
    assert "block3.add : f32[1,8,8,8]" in shown
    for outside in ("href", "<image", "@import", "url(http", "<script"):
        assert outside not in text


@pytest.mark.parametrize("form", ["table", heavy("text")])
def test_show_the_plan(form: str, cli: Cli) -> None:
    outcome = cli("show", *SMALL, "--stage", "plan", "--format", form)
    assert outcome.code == 0
    assert outcome.stdout.startswith("plan of mobilenet_v2 for generic: ")
    assert outcome.stdout.count("gap 0") == 1
    assert outcome.stdout == cli("plan", *SMALL, "--target", "generic").stdout
    other = cli("show", *SMALL, "--stage", "plan", "--target", "x86-64-v3")
    assert "for x86-64-v3: " in other.stdout


@pytest.mark.parametrize("form", ["dot", "svg"])
def test_a_plan_is_no_picture(form: str, cli: Cli) -> None:
    outcome = cli("show", *SMALL, "--stage", "plan", "--format", form)
    assert outcome.code == 2
    assert "use --format text" in outcome.error()


def test_a_file_s_network(cli: Cli, tiny: str) -> None:
    wide = cli("show", tiny, "-p", "width=24", "--format", "text")
    assert "f32[1,6,6,24]" in wide.stdout
    only = cli("show", tiny.removesuffix(":tiny") + ":grey", "--format", "text")
    assert only.stdout.startswith("netgen 1\ngraph grey {")


def test_an_ir_file(cli: Cli, tiny: str, folder: Path) -> None:
    text = cli("show", tiny, "--format", "text").stdout
    (folder / "net.ir").write_text(text)
    outcome = cli("show", "net.ir", "--format", "text")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, text, "")
    assert cli("show", "net.ir", "--stage", "fused").code == 0
    compiled = cli("compile", "net.ir", "-o", "net.c")
    assert compiled.code == 3  # the weights, which a text alone has not
    assert "no data" in compiled.error()
    assert entries(folder) == ["net.ir"]


def test_show_equals_the_passes(cli: Cli, tiny: str) -> None:
    source, _ = parse_graph(cli("show", tiny, "--format", "text").stdout, "text")
    assert [node.name for node in source.inputs] == ["image"]
    fused, _ = parse_graph(cli("show", tiny, "--stage", "fused", "--format", "text").stdout, "t")
    assert [node.op.operator_name for node in run_pipeline(fused).activations] == [
        node.op.operator_name for node in fused.activations
    ]
