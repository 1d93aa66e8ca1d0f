"""The same input gives the same bytes, whatever the folder, hash seed, BLAS or extras."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.emission.options import WeightsAs
from tests.cases import heavy
from tests.tools import Process, run_python, start_python

# Prints a digest of all files of a network for one target, and of another one for all.
DIGESTS = """
import hashlib, pathlib, sys, tempfile
for name in sys.argv[1:]:
    sys.modules[name] = None
import netgen
from netgen.kernels.targets import TARGETS
graphs = [
    netgen.load("mobilenet_v2", alpha=0.35, input_size=32, classes=10),
    netgen.load("ds_cnn", height=13, width=5, filters=24),
]
# The first in vectors once: the second has all targets.
some = ("x86-64-v4",)
digest = hashlib.sha256()
with tempfile.TemporaryDirectory() as folder:
    for graph in graphs:
        for target in TARGETS:
            if graph is graphs[0] and target.name not in some:
                continue
            # The text of the weights is one for all targets, and takes the time.
            form = "c" if graph is graphs[1] else "blob"
            path = pathlib.Path(folder, "model.c")
            for file in netgen.emit(graph, path, target=target.name, weights_as=form):
                digest.update(file.name.encode() + file.read_bytes())
print(digest.hexdigest())
"""
EXTRAS = ("onnx", "onnxruntime", "PIL", "torch", "ortools", "h5py", "scipy")


def start(folder: Path, *arguments: str, **variables: str) -> Process:
    """Another Python, in another folder and environment."""
    folder.mkdir()
    return start_python("-c", DIGESTS, *arguments, folder=folder, **variables)


def test_bytes_depend_on_the_input_alone(tmp_path: Path) -> None:
    processes = [
        start(tmp_path / "a", PYTHONHASHSEED="0", OPENBLAS_CORETYPE="Prescott"),
        start(
            tmp_path / "b",
            *EXTRAS,
            PYTHONHASHSEED="7",
            OPENBLAS_CORETYPE="Haswell",
            OPENBLAS_NUM_THREADS="2",
            LC_ALL="C",
            TZ="Asia/Tokyo",
        ),
    ]
    answers = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert answers[0]
    assert len(set(answers)) == 1


@pytest.mark.parametrize("weights_as", [heavy("c"), "blob"])
def test_command_of_the_header_writes_the_same_bytes(weights_as: WeightsAs, tmp_path: Path) -> None:
    graph = netgen.load("mobilenet_v2", alpha=0.35, input_size=32, classes=10)
    first, second = folders(tmp_path)
    written = netgen.emit(
        graph, first / "toy.c", target="x86-64-v3", weights_as=weights_as, prefix="zoo"
    )
    assert_writes_the_same(printed_command(written), first, second)


def test_command_of_the_header_keeps_by_position(tmp_path: Path) -> None:
    """Without the option the command fails: nobody knows the names of these tensors."""
    first, second = folders(tmp_path)
    declared = netgen.load("resnet8")
    names = [node.name for node in declared.nodes if declared.is_const(node.name)]
    arrays = {f"t{n}": declared.constant(name) for n, name in enumerate(names)}
    for folder in (first, second):
        np.savez(folder / "w.npz", allow_pickle=False, **arrays)
    graph = netgen.load("resnet8", weights=first / "w.npz", by_position=True)
    words = printed_command(netgen.emit(graph, first / "toy.c"))
    assert "--by-position" in words
    assert_writes_the_same(words, first, second)


def test_command_of_the_header_keeps_accept_gap(tmp_path: Path) -> None:
    first, second = folders(tmp_path)
    graph = netgen.load("resnet8")
    words = printed_command(netgen.emit(graph, first / "toy.c", accept_gap=True))
    assert "--accept-gap" in words
    assert_writes_the_same(words, first, second)


def folders(place: Path) -> tuple[Path, Path]:
    first, second = place / "first", place / "second"
    first.mkdir()
    second.mkdir()
    return first, second


def printed_command(written: list[Path]) -> list[str]:
    """The words of the command that the C of a model names."""
    logic = next(path for path in written if path.suffix == ".c" and "weights" not in path.name)
    # A long line is continued on the next.
    text = logic.read_text().split(" * command:")[1].split(" * weights:")[0]
    words = shlex.split(text.replace("\n *", " "))
    assert words[:2] == ["netgen", "compile"]
    return words


def assert_writes_the_same(words: list[str], first: Path, second: Path) -> None:
    """Run a command in the second folder; then it holds what the first one does."""
    run_python("-m", "netgen", *words[1:], folder=second)
    assert {p.name: p.read_bytes() for p in second.iterdir()} == {
        p.name: p.read_bytes() for p in first.iterdir()
    }
