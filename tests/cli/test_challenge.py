"""`netgen plan --csv`, the bare allocator."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from netgen.plan.arena import exhaustive
from netgen.plan.arena.requests_csv import Request, requests_csv
from tests.cli.commands import Cli
from tests.plan.arena.packings import tight

BUFFERS = "id,lower,upper,size\na,0,3,4\nb,2,5,4\nc,1,9,4\n"
CERTIFICATE = "arena 12 bytes, lower bound 12, gap 0: proven optimal\n"


@pytest.fixture
def buffers(folder: Path) -> Path:
    file = folder / "buffers.csv"
    file.write_text(BUFFERS)
    return file


@pytest.fixture
def hard(folder: Path) -> Path:
    """Blocks that no simple placement packs as tightly as they can be."""
    blocks = [shape.slices[0] for shape in tight(8, 120)]
    requests = [
        Request(str(number), block.first, block.last + 1, block.high)
        for number, block in enumerate(blocks)
    ]
    file = folder / "hard.csv"
    file.write_text(requests_csv(requests, [0] * len(requests)))
    return file


def test_offsets_go_to_stdout_and_the_certificate_to_stderr(cli: Cli, buffers: Path) -> None:
    outcome = cli("plan", "--csv", buffers)
    assert (outcome.code, outcome.stderr) == (0, CERTIFICATE)
    header, *lines = outcome.stdout.splitlines()
    assert header == "id,lower,upper,size,offset"
    assert [line.rpartition(",")[0] for line in lines] == BUFFERS.splitlines()[1:]
    assert sorted(int(line.rpartition(",")[2]) for line in lines) == [0, 4, 8]


def test_a_file_holds_what_stdout_would(cli: Cli, buffers: Path) -> None:
    printed = cli("plan", "--csv", buffers).stdout
    outcome = cli("plan", "--csv", buffers, "-o", buffers.with_name("placed.csv"))
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", CERTIFICATE)
    assert buffers.with_name("placed.csv").read_text() == printed


def test_json_is_one_object(cli: Cli, buffers: Path) -> None:
    outcome = cli("plan", "--csv", buffers, "--json")
    document = outcome.json()
    assert outcome.stderr == ""
    numbers = ("arena_bytes", "lower_bound_bytes", "gap_bytes", "proven_least_bytes")
    assert [document[name] for name in numbers] == [12, 12, 0, 12]
    assert [buffer["id"] for buffer in document["buffers"]] == ["a", "b", "c"]
    assert sorted(buffer["offset"] for buffer in document["buffers"]) == [0, 4, 8]


@pytest.mark.parametrize("capacity", ["12", "1K"])
def test_a_capacity_that_is_met(cli: Cli, buffers: Path, capacity: str) -> None:
    outcome = cli("plan", "--csv", buffers, "--capacity", capacity)
    assert (outcome.code, outcome.stderr) == (0, CERTIFICATE)


def test_a_capacity_that_cannot_be_met(cli: Cli, buffers: Path) -> None:
    outcome = cli("plan", "--csv", buffers, "--capacity", 11)
    assert outcome.code == 5
    assert "do not fit, expected 12 bytes or more, found a capacity of 11 bytes" in outcome.error()


def test_malformed_buffers(cli: Cli, buffers: Path) -> None:
    buffers.write_text(BUFFERS + "d,4,4,4\n")
    outcome = cli("plan", "--csv", buffers, "-o", buffers.with_name("placed.csv"))
    assert outcome.code == 5
    assert outcome.error().startswith(f"{buffers} line 5: the buffer is never alive")
    assert not buffers.with_name("placed.csv").exists()


@pytest.mark.heavy
def test_a_gap_is_closed_accepted_or_an_error(
    cli: Cli, hard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = cli("plan", "--csv", hard, "--json").json()
    assert closed["arena_bytes"] == closed["proven_least_bytes"] == 1 << 20
    accepted = cli("plan", "--csv", hard, "--accept-gap")
    assert "gap 0" not in accepted.stderr
    assert "at least 1,048,576 are needed" in accepted.stderr
    monkeypatch.setitem(sys.modules, "ortools", None)
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    assert cli("plan", "--csv", hard, "--accept-gap") == accepted
    refused = cli("plan", "--csv", hard)
    assert refused.code == 9
    assert "pip install ortools, or accept that with --accept-gap" in refused.error()


@pytest.mark.heavy
def test_a_capacity_may_need_the_solver(
    cli: Cli, hard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exhaustive, "_MOST_LOOKS", 0)
    placed = cli("plan", "--csv", hard, "--capacity", "1M", "--json").json()
    assert placed["arena_bytes"] == 1 << 20


@pytest.mark.parametrize(
    "arguments",
    [
        ("--csv", "buffers.csv", "--check", "plan.json"),
        ("mobilenet_v1", "--csv", "buffers.csv"),
        ("mobilenet_v1", "--capacity", "1M"),
        ("--csv", "buffers.csv", "--capacity", "fast=1K,slow=1M"),
        ("--csv", "buffers.csv", "--capacity", "-1"),
    ],
    ids=" ".join,
)
def test_wrong_usage(cli: Cli, buffers: Path, arguments: tuple[str, ...]) -> None:
    assert buffers.exists()
    assert cli("plan", *arguments).code == 2
