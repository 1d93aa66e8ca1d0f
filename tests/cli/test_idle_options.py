"""Options that have no effect beside others are refused, not ignored; and how --ram is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Cli, entries

MODELS_ONLY = [
    ("--ram", "8K"),
    ("--input", "rows"),
    ("--pareto",),
    ("-p", "width=4"),
    ("--target", "x86-64-v3"),
    ("--weights", "w.npz"),
    ("--by-position",),
]
CSV = ("--csv", "buffers.csv")


def refused(cli: Cli, *arguments: str) -> str:
    outcome = cli(*arguments)
    assert outcome.code == 2
    return outcome.error()


@pytest.fixture
def buffers(folder: Path) -> Path:
    file = folder / "buffers.csv"
    file.write_text("id,lower,upper,size\na,0,3,4\n")
    return file


@pytest.mark.parametrize("idle", MODELS_ONLY, ids=" ".join)
def test_buffers_are_no_model(idle: tuple[str, ...], cli: Cli, buffers: Path) -> None:
    error = refused(cli, "plan", *CSV, *idle)
    assert error.startswith(f"--csv does not go together with {idle[0]};")
    assert "--csv" in refused(cli, "plan", "resnet8", *CSV)
    assert entries(buffers.parent) == [buffers.name]


def test_a_capacity_is_met_or_not(cli: Cli, buffers: Path) -> None:
    error = refused(cli, "plan", *CSV, "--capacity", "1K", "--accept-gap")
    assert error.startswith("--capacity does not go together with --accept-gap;")
    assert cli("plan", *CSV, "--accept-gap").code == 0
    assert buffers.exists()


@pytest.mark.parametrize(
    "idle", [*MODELS_ONLY, ("--accept-gap",), ("--capacity", "1K")], ids=" ".join
)
def test_a_plan_is_no_model(idle: tuple[str, ...], cli: Cli, tiny: str, folder: Path) -> None:
    assert cli("plan", tiny, "-o", "plan.json").code == 0
    error = refused(cli, "plan", "--check", "plan.json", *idle)
    assert error.startswith(f"--check does not go together with {idle[0]};")
    assert entries(folder) == ["plan.json"]


def test_all_idle_options_are_named(cli: Cli, buffers: Path) -> None:
    assert buffers.exists()
    error = refused(cli, "plan", *CSV, "--pareto", "--ram", "8K", "--input", "rows")
    for option in ("--pareto", "--ram", "--input"):
        assert option in error


@pytest.mark.parametrize("stage", [(), ("--stage", "source"), ("--stage", "fused")], ids=" ".join)
@pytest.mark.parametrize(
    "idle",
    [("--ram", "8K"), ("--input", "rows"), ("--accept-gap",), ("--target", "x86-64-v3")],
    ids=" ".join,
)
def test_only_plans_have_memory(
    idle: tuple[str, ...], stage: tuple[str, ...], cli: Cli, tiny: str
) -> None:
    error = refused(cli, "show", tiny, *stage, *idle)
    assert error.startswith("--stage ")
    assert f"does not go together with {idle[0]};" in error
    assert cli("show", tiny, "--stage", "plan", "--accept-gap").code == 0


def test_a_curve_has_no_gap_to_accept(cli: Cli, tiny: str) -> None:
    error = refused(cli, "plan", tiny, "--pareto", "--accept-gap")
    assert error.startswith("--pareto does not go together with --accept-gap;")


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
