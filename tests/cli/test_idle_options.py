"""Options that have no effect beside others are refused, not ignored; and how --ram is written."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from netgen.cli.main import main
from tests.cli.commands import Cli, entries

TUNING = '{"version": 1, "netgen": "0", "target": "generic", "compiler": "gcc", "layers": {}}'
CSV = ("--csv", "buffers.csv")

# A value of each option that takes one; whatever else is asked for, it can be read.
VALUES = {
    "-p": "width=4",
    "--weights": "w.npz",
    "--target": "generic",
    "--tuning": "t.json",
    "--ram": "8K",
    "--input": "rows",
    "--input-type": "u8",
    "--threads": "2",
    "--weights-dtype": "float16",
    "--stage": "source",
    "--format": "text",
    "-o": "out",
    "--weights-as": "blob",
    "--prefix": "net",
    "--labels": "l.txt",
    "--top": "3",
    "--resize": "20",
    "--interpolation": "nearest",
    "--mean": "1,1,1",
    "--std": "1,1,1",
    "--against": "numpy",
    "--tolerance": "1e-3",
    "--check": "plan.json",
    "--csv": "buffers.csv",
    "--capacity": "1K",
    "--as": "onnx",
    "--most": "3",
    "--vs": "torch",
    "--table": "fp32",
    "--models": ".",
    "--rounds": "3",
    "--depfile": "m.d",
    "--measure": "mps2-an386",
    "--max-arena": "1K",
    "--max-flash": "1K",
    "--name": "net",
    "--package-version": "1.2",
    "--board": "mps2-an386",
    "--chart": "c.svg",
    "--outputs": "y",
    "--input-shape": "x=1,2,2,3",
}
LOADING = {"-p", "--weights", "--by-position", "--outputs", "--input-shape"}
PLANNING = {
    *("--ram", "--input", "--accept-gap", "--winograd", "--tuning", "--threads", "--copies"),
    *("--small", "--weights-dtype", "--input-type", "--mean", "--std"),
}
BENCH = {
    "--vs",
    "--rounds",
    "--threads",
    "--chart",
    "--target",
    "--tuning",
    "--small",
    "--weights-dtype",
}
RUNNING = {"--labels", "--top", "--interpolation", "--mean", "--std", "--json"}

# A command in some mode, the options that have an effect there, and those that choose another mode:
# all others are refused.
MODES: list[tuple[tuple[str, ...], set[str], set[str]]] = [
    (("show", "tiny", "--stage", "source"), {*LOADING, "--format"}, set()),
    (("show", "tiny", "--stage", "fused"), {*LOADING, "--format"}, set()),
    (("compile", "tiny", "-o", "m.netgen"), {*LOADING, *PLANNING, "--target", "--verify"}, set()),
    (
        ("compile", "tiny", "-o", "m.so"),
        {*LOADING, *PLANNING, "--target", "--verify", "--prefix", "--selftest", "--labels"},
        set(),
    ),
    (("run", "m.netgen", "photo.png"), {*RUNNING, "--resize"}, {"--no-crop"}),
    (
        ("run", "tiny", "photo.png", "--no-crop"),
        {*RUNNING, *LOADING, *PLANNING, "--target"},
        set(),
    ),
    (
        ("verify", "tiny", "--json"),
        {*LOADING, *PLANNING, "--target", "--against", "--tolerance"},
        set(),
    ),
    (("plan", "--check", "plan.json"), {"-o", "--json"}, {"--csv"}),
    (("plan", *CSV), {"-o", "--json", "--accept-gap"}, {"--check", "--capacity"}),
    (
        ("plan", *CSV, "--capacity", "1K"),
        {"-o", "--json"},
        {"--check", "--pareto", "--target", *LOADING, *PLANNING - {"--accept-gap"}},
    ),
    (
        ("plan", "tiny"),
        {*LOADING, *PLANNING, "--target", "-o", "--json"},
        {"--check", "--csv", "--pareto", "--accept-gap"},
    ),
    (
        ("plan", "tiny", "--pareto"),
        {
            *(*LOADING, "--input", "--input-type", "--mean", "--std", "--winograd", "--target"),
            *("--weights-dtype", "-o", "--json"),
        },
        {"--check", "--csv", "--capacity"},
    ),
    (
        ("tune", "tiny", "-o", "t.json"),
        {*LOADING, *PLANNING - {"--tuning", "--threads"}, "--target", "--most", "--json"},
        set(),
    ),
    (("export", "tiny", "-o", "m.onnx", "--as", "onnx"), LOADING, set()),
    (
        ("export", "tiny", "-o", "folder", "--as", "make"),
        {*LOADING, *PLANNING - {"--threads"}, "--target", "--name", "--board"},
        set(),
    ),
    (
        ("export", "tiny", "-o", "folder", "--as", "wheel"),
        {
            *(*LOADING, *PLANNING - {"--threads", "--input"}, "--target", "--name", "--labels"),
            "--package-version",
        },
        set(),
    ),
    (
        ("bench", "tiny", "--json"),
        {*LOADING, *BENCH},
        {"--table", "--models", "--profile", "--board"},
    ),
    (
        ("bench", "--table", "fp32"),
        {*BENCH, "--format", "--json", "--models"},
        {"--profile", "--board"},
    ),
    (
        ("bench", "tiny", "--profile"),
        {*LOADING, "--rounds", "--target", "--tuning", "--small", "--weights-dtype", "--json"},
        {"--board"},
    ),
    (
        ("bench", "tiny", "--board", "mps2-an386"),
        {
            *LOADING,
            "--ram",
            "--input",
            "--target",
            "--tuning",
            "--small",
            "--weights-dtype",
            "--json",
        },
        {"--table", "--models", "--profile"},
    ),
    (
        ("plan", "tiny", "--ram", "fast=1K,slow=2K"),
        {*LOADING, *PLANNING - {"--accept-gap"}, "--target", "-o", "--json"},
        {"--check", "--csv", "--pareto", "--capacity"},
    ),
]


def options_of(command: str) -> set[str]:
    """The options of a command, as they are written first."""
    found = main.commands[command].params
    return {p.opts[0] for p in found if isinstance(p, click.Option)}


def words(options: set[str]) -> list[str]:
    return [word for name in sorted(options) for word in (name, VALUES.get(name)) if word]


@pytest.mark.parametrize(
    ("mode", "used", "other"), MODES, ids=[" ".join(words) for words, _, _ in MODES]
)
def test_what_has_no_effect_is_refused(
    mode: tuple[str, ...],
    used: set[str],
    other: set[str],
    cli: Cli,
    tiny: str,
    folder: Path,
) -> None:
    """With all options at once the error names those that are refused, and no others.

    An option that is new must be put on one of the lists.
    """
    (folder / "t.json").write_text(TUNING)
    given = options_of(mode[0]) - other - set(mode)
    arguments = [tiny if word == "tiny" else word for word in mode]
    error = refused(cli, *arguments, *words(given))
    assert " does not go together with " in error
    named = error[error.index(" with ") + len(" with ") : error.index("; leave out ")]
    assert set(named.split(", ")) == given - used
    assert used <= options_of(mode[0])
    assert entries(folder) == ["t.json"]


def refused(cli: Cli, *arguments: str) -> str:
    outcome = cli(*arguments)
    assert outcome.code == 2
    return outcome.error()


@pytest.fixture
def buffers(folder: Path) -> Path:
    file = folder / "buffers.csv"
    file.write_text("id,lower,upper,size\na,0,3,4\n")
    return file


def test_all_commands_are_looked_at() -> None:
    always = {
        "list",
        "report",
        "fit",
        "diff",
        "quantize",
        "accuracy",
        "help",
        "doctor",
        "cache",
        "completion",
    }  # each option of these has an effect
    assert set(main.commands) == {mode[0] for mode, _, _ in MODES} | always


def test_a_capacity_is_met_or_not(cli: Cli, buffers: Path) -> None:
    error = refused(cli, "plan", *CSV, "--capacity", "1K", "--accept-gap")
    assert error.startswith("--capacity does not go together with --accept-gap;")
    assert cli("plan", *CSV, "--accept-gap").code == 0
    assert buffers.exists()


def test_a_capacity_is_one_number(cli: Cli, buffers: Path) -> None:
    assert buffers.exists()
    outcome = cli("plan", *CSV, "--capacity", "abc")
    assert outcome.code == 2
    assert "such as 262144, 256K or 2M" in outcome.stderr
    assert "fast=" not in outcome.stderr


def test_regions_of_ram_in_either_order(cli: Cli, tiny: str) -> None:
    plans = [
        cli("plan", tiny, "--json", "--ram", ram).json()
        for ram in ("fast=2K,slow=512K", "slow=512K,fast=2K", " slow=512K, fast=2K ")
    ]
    assert plans[0]["fast_bytes"] <= 2048
    assert plans[0] == plans[1] == plans[2]


@pytest.mark.parametrize(
    "ram", ["abc", "fast=1K", "1K,2K", "fast=1K,fast=2K", "fast=1K,slow=2K,slow=3K", "fast=,slow=1"]
)
def test_ram_that_cannot_be(ram: str, cli: Cli, tiny: str) -> None:
    outcome = cli("plan", tiny, "--ram", ram)
    assert outcome.code == 2
    assert "fast=128K,slow=2M" in outcome.stderr
