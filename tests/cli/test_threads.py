"""--threads: what is written, planned, run, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Cli

MODEL = ("mobilenet_v2", "-p", "alpha=0.35", "-p", "input_size=32")


def test_the_header_says_how_to_write_it_again(cli: Cli, folder: Path) -> None:
    assert cli("compile", *MODEL, "--threads", 3, "-o", "model.c").code == 0
    text, header = (folder / "model.c").read_text(), (folder / "model.h").read_text()
    assert "--threads 3 -o model.c" in " ".join(text.replace(" * ", " ").split())
    assert "-pthread" in text
    assert "#define MODEL_THREADS 3" in header
    assert cli("compile", *MODEL, "--threads", 1, "-o", "one.c").code == 0
    assert "thread" not in (folder / "one.c").read_text() + (folder / "one.h").read_text()


def test_a_plan_says_what_is_divided(cli: Cli, folder: Path) -> None:
    outcome = cli("plan", *MODEL, "--threads", 2, "--json", "-o", "plan.json")
    assert outcome.json()["threads"] == 2
    assert "threads" not in cli("plan", *MODEL, "--json").json()
    assert "2 threads share" in cli("show", *MODEL, "--stage", "plan", "--threads", 2).stdout
    assert cli("plan", "--check", folder / "plan.json").code == 0


def test_a_divided_model_is_right(cli: Cli) -> None:
    assert cli("verify", *MODEL, "--threads", 2).code == 0


@pytest.mark.parametrize("threads", ["0", "-1", "65", "two", "1.5"])
def test_what_is_no_number_of_threads_is_refused(threads: str, cli: Cli, folder: Path) -> None:
    outcome = cli("compile", *MODEL, "--threads", threads, "-o", "model.c")
    assert outcome.code == 2
    assert "--threads" in outcome.stderr
    assert not (folder / "model.c").exists()


@pytest.mark.parametrize("command", [("show", *MODEL), ("plan", *MODEL, "--pareto")])
def test_where_nothing_is_divided_it_is_refused(command: tuple[str, ...], cli: Cli) -> None:
    outcome = cli(*command, "--threads", 2)
    assert outcome.code == 2
    assert "does not go together with --threads" in outcome.stderr
