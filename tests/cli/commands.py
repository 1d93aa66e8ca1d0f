"""The command line called in this process, and a network that compiles in a moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from netgen.cli.main import main

# In `tiny.py`: an image of 12 x 12, a few hundred weights.
TINY_SOURCE = """
from netgen.dsl import image, network, scope
from netgen.ir.normalisation import Normalisation
from netgen.ops import batch_norm, conv2d, flatten, global_avg_pool, linear, relu6

PIXELS = Normalisation(mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))

@network(normalisation=PIXELS)
def tiny(size: int = 12, width: int = 8, classes: int = 10):
    x = image(size, size, 3)
    with scope("stem"):
        x = relu6(batch_norm(conv2d(x, width, 3, stride=2, pad=1, bias=False)))
    return linear(flatten(global_avg_pool(x)), classes)

@network
def grey(classes: int = 10):
    return linear(flatten(image(12, 12, 1)), classes)

from netgen.ops import dequantize, quantize

@network
def rounded():
    return dequantize(quantize(conv2d(image(32, 32, 8), 8, 3, pad=1), 1e-4, 100, "i16"))
"""

NOTE = "netgen: note: no --weights given: the weights are seeded numbers, not trained ones"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a command: its exit code and the text that it wrote."""

    code: int
    stdout: str
    stderr: str

    def json(self) -> dict[str, Any]:
        """The standard output, which must be one JSON object and nothing else."""
        document = json.loads(self.stdout, parse_constant=_refuse_constant)
        assert isinstance(document, dict)
        return document

    def json_list(self) -> list[dict[str, Any]]:
        """The standard output, which must be one JSON list of objects and nothing else."""
        document = json.loads(self.stdout, parse_constant=_refuse_constant)
        assert isinstance(document, list)
        assert all(isinstance(item, dict) for item in document)
        return document

    def error(self) -> str:
        """The text of the one error on standard error, where notes may come before it."""
        summary, details = self.detailed_error()
        assert not details, self.stderr
        return summary

    def detailed_error(self) -> tuple[str, list[str]]:
        """The one error of a command that prints nothing else, and the lines of its lists."""
        first, *details = [line for line in self.stderr.splitlines() if line != NOTE]
        assert first.startswith("netgen: error: "), self.stderr
        assert all(line.startswith("  ") for line in details), self.stderr
        assert self.stdout == ""
        return first.removeprefix("netgen: error: "), details


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


Cli = Callable[..., Outcome]


def caller(capsys: pytest.CaptureFixture[str]) -> Cli:
    """A function that calls a command: `cli("compile", "mobilenet_v2", "-o", path)`."""

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main.main([str(argument) for argument in arguments], prog_name="netgen")
        written = capsys.readouterr()
        code = stopped.value.code
        assert isinstance(code, int)
        return Outcome(code, written.out, written.err)

    return call


def entries(folder: Path) -> list[str]:
    """All names in a folder, hidden ones too."""
    return sorted(file.name for file in folder.iterdir())
