"""compile -o MODEL.netgen and run MODEL.netgen: no C is written, no pipeline runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.kernels.targets import find_target
from netgen.runtime import cpu
from tests.cli.commands import NOTE, Cli, entries
from tests.tools import require_architecture


@pytest.fixture
def compiled(cli: Cli, tiny: str, folder: Path) -> str:
    outcome = cli("compile", tiny, "-o", "tiny.netgen", "--verify")
    assert outcome.code == 0
    assert entries(folder) == ["tiny.netgen"]
    assert f"wrote tiny.netgen ({(folder / 'tiny.netgen').stat().st_size:,} bytes)" in (
        outcome.stderr
    )
    return "tiny.netgen"


def test_it_runs_as_what_it_was_made_of(
    cli: Cli, tiny: str, compiled: str, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = cli("run", tiny, photo, "--json").json_list()
    monkeypatch.setenv("CC", "no-such-compiler")
    outcome = cli("run", compiled, photo, "--json")
    assert outcome.json_list() == expected
    assert NOTE not in outcome.stderr
    assert cli("run", compiled, photo).stdout


def test_it_is_for_this_machine_unless_told_otherwise(
    cli: Cli, tiny: str, compiled: str, folder: Path
) -> None:
    here = netgen.compile(netgen.load(tiny)).image.target
    assert netgen.load_compiled(compiled).image.target == here
    assert cli("compile", tiny, "-o", "slow.netgen", "--target", "generic").code == 0
    assert netgen.load_compiled(folder / "slow.netgen").image.target == "generic"


@pytest.mark.parametrize(
    "idle", [("--weights", "w.npz"), ("-p", "width=4"), ("--target", "generic"), ("--ram", "8K")]
)
def test_what_is_decided_is_not_asked_again(
    idle: tuple[str, ...], cli: Cli, compiled: str, photo: Path
) -> None:
    outcome = cli("run", compiled, photo, *idle)
    assert outcome.code == 2
    assert outcome.error().startswith(f"a compiled model does not go together with {idle[0]};")


def test_options_of_c_are_refused(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("compile", tiny, "-o", "tiny.netgen", "--weights-as", "blob")
    assert outcome.code == 2
    assert outcome.error().startswith("-o tiny.netgen does not go together with --weights-as;")
    assert entries(folder) == []


def test_a_file_of_c_is_for_one_target(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("compile", tiny, "-o", "tiny.c", "--target", "x86-64-v2,generic")
    assert outcome.code == 2
    assert outcome.error() == (
        "-o tiny.c is for one target, found x86-64-v2,generic; choose one, or write a file that "
        "takes several: -o tiny.netgen"
    )
    assert entries(folder) == []


@pytest.mark.heavy
def test_several_targets_in_one_file(
    cli: Cli, tiny: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_architecture("x86_64")
    targets = "x86-64-v2,generic,x86-64-v3"
    assert cli("compile", tiny, "-o", "t.netgen", "--target", targets, "--verify").code == 0
    cpuinfo = folder / "cpuinfo"
    monkeypatch.setattr(cpu, "_CPUINFO", cpuinfo)
    found = []
    for target in ("x86-64-v3", "x86-64-v2", "generic"):
        cpuinfo.write_text(f"flags : {' '.join(find_target(target).cpu_features)}\n")
        cpu.cpu_features.cache_clear()
        model = netgen.load_compiled("t.netgen")
        found.append(model.image.target)
        image = np.ones((12, 12, 3), np.float32)
        expected = netgen.compile(netgen.load(tiny), target="generic")(image)
        np.testing.assert_allclose(model(image), expected, rtol=1e-5, atol=1e-6)
    cpu.cpu_features.cache_clear()
    assert found == ["x86-64-v3", "x86-64-v2", "generic"]
