"""Shells complete commands, options, choices and models."""

from __future__ import annotations

import pytest

from tests.cli.commands import Cli
from tests.tools import run_python, run_tool

CALL = "from netgen.cli.main import main; main(prog_name='netgen')"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("netgen compl", {"completion"}),
        ("netgen cache ", {"list", "size", "clear"}),
        ("netgen compile shufflenet_v", {"shufflenet_v1", "shufflenet_v2"}),
        ("netgen compile resnet8 --weights-as in", {"inline", "incbin"}),
        ("netgen compile resnet8 --sel", {"--selftest"}),
    ],
)
def test_words_are_completed(words: str, expected: set[str]) -> None:
    place = str(len(words.split()) - (0 if words.endswith(" ") else 1))
    printed = run_python(
        *("-c", CALL), COMP_WORDS=words, COMP_CWORD=place, _NETGEN_COMPLETE="bash_complete"
    ).stdout
    assert {line.partition(",")[2] for line in printed.splitlines()} == expected


def test_bash_understands_its_script(cli: Cli) -> None:
    script = cli("completion", "bash").stdout
    shown = run_tool(["bash", "-c", f"{script}\ncomplete -p netgen"]).decode()
    assert shown.strip().endswith("_netgen_completion netgen")
    assert "_NETGEN_COMPLETE=bash_complete" in script


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_scripts(shell: str, cli: Cli) -> None:
    outcome = cli("completion", shell)
    assert outcome.code == 0
    assert f"_NETGEN_COMPLETE={shell}_complete" in outcome.stdout


def test_shells_that_there_are_not(cli: Cli) -> None:
    assert "one of 'bash', 'zsh', 'fish'" in cli("completion", "tcsh").error().replace('"', "'")
