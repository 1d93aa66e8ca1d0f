"""Weights, outputs, compilers and photos that cannot be: one line, a way out, no file."""

from __future__ import annotations

import os
import pickle
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

import netgen
from tests.cli.commands import Cli, entries

Arrays = dict[str, NDArray[np.float32]]


def save(file: Path, arrays: Mapping[str, Any]) -> None:
    np.savez(file, **arrays)


class Caller:
    """Pickles itself as a call that leaves a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f": > '{self.trace}'",)


@pytest.fixture
def arrays(tiny: str) -> Arrays:
    """All weights of the tiny network, under netgen's own names."""
    graph = netgen.load(tiny)
    names = [node.name for node in graph.nodes if graph.is_const(node.name)]
    return {name: np.array(graph.constant(name), np.float32) for name in names}


@pytest.fixture
def refused(cli: Cli, tiny: str, folder: Path) -> Callable[[Path], str]:
    """A function that compiles with a weight file and gives the error."""

    def compile_with(weights: Path) -> str:
        outcome = cli("compile", tiny, "--weights", weights, "-o", "model.c")
        assert outcome.code == 4, outcome
        assert entries(folder) == []
        return outcome.error()

    return compile_with


def test_good_weights(cli: Cli, tiny: str, folder: Path, arrays: Arrays, tmp_path: Path) -> None:
    save(tmp_path / "good.npz", arrays)
    outcome = cli("compile", tiny, "--weights", tmp_path / "good.npz", "-o", "model.c")
    assert outcome.code == 0
    assert "note" not in outcome.stderr
    text = (folder / "model.c").read_text()
    assert "good.npz" in text
    assert str(tmp_path) not in text


def test_truncated_pickle(refused: Callable[[Path], str], tmp_path: Path) -> None:
    content = pickle.dumps({"stem.conv2d.w": [1.0] * 100}, 2)
    for size in (2, 20, len(content) - 1):
        (tmp_path / "cut.pth").write_bytes(content[:size])
        assert "cut.pth" in refused(tmp_path / "cut.pth")


def test_a_pickle_that_calls(refused: Callable[[Path], str], tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Caller(trace), 2))
    assert "evil.pth" in refused(tmp_path / "evil.pth")
    assert not trace.exists()
    pickle.loads((tmp_path / "evil.pth").read_bytes())
    assert trace.exists()  # the attack was a real one


def test_safetensors_header_longer_than_the_file(
    refused: Callable[[Path], str], tmp_path: Path
) -> None:
    for length in (3, 1000, 2**40, 2**64 - 1):
        (tmp_path / "long.safetensors").write_bytes(struct.pack("<Q", length) + b"{}")
        assert "long.safetensors" in refused(tmp_path / "long.safetensors")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(
    value: float, refused: Callable[[Path], str], arrays: Arrays, tmp_path: Path
) -> None:
    arrays["linear.w"][0, 0] = value
    save(tmp_path / "odd.npz", arrays)
    error = refused(tmp_path / "odd.npz")
    assert "not finite (linear.w: 1 of 80 values)" in error
    assert "again" in error


def test_all_misfits_are_listed(cli: Cli, tiny: str, arrays: Arrays, tmp_path: Path) -> None:
    for name in ("stem.batch_norm.mean", "linear.b"):
        del arrays[name]
    arrays["extra"] = np.zeros(1, np.float32)
    arrays["another"] = np.zeros(1, np.float32)
    arrays["linear.w"] = np.zeros((10, 9), np.float32)
    arrays["stem.batch_norm.var"] = np.zeros(3, np.float32)
    save(tmp_path / "bad.npz", arrays)
    outcome = cli("compile", tiny, "--weights", tmp_path / "bad.npz", "-o", tmp_path / "model.c")
    assert outcome.code == 4
    assert not (tmp_path / "model.c").exists()
    summary, details = outcome.detailed_error()
    assert ": 2 missing, 2 unexpected, 2 misshapen; check the network's parameters" in summary
    assert "-p" in summary
    assert "--by-position" in summary
    assert details == [
        "  missing:",
        "    stem.batch_norm.mean, linear.b",
        "  unexpected:",
        "    extra, another",
        "  misshapen:",
        "    stem.batch_norm.var: expected [8], found [3]",
        "    linear.w: expected [10, 8], found [10, 9]",
    ]


def test_weights_of_a_wider_network_of_the_zoo(cli: Cli, folder: Path, tmp_path: Path) -> None:
    """Hundreds of tensors: the way out comes first, no line is long, every tensor is there."""
    graph = netgen.load("mobilenet_v2", alpha=0.5, input_size=32)
    names = [node.name for node in graph.nodes if graph.is_const(node.name)]
    save(tmp_path / "half.npz", {name: graph.constant(name) for name in names})
    outcome = cli("compile", "mobilenet_v2", "--weights", tmp_path / "half.npz", "-o", "model.c")
    assert outcome.code == 4
    assert entries(folder) == []
    summary, details = outcome.detailed_error()
    found = re.search(r"the network: (\d+) misshapen; check the .* \(-p", summary)
    assert found is not None
    assert len(summary) - len(str(tmp_path)) < 200
    assert "--by-position" not in summary  # the names fit
    assert details[0] == "  misshapen:"
    assert len(details) == 1 + int(found.group(1)) > 200
    assert max(map(len, details)) <= 100


def test_safetensors_have_no_order(cli: Cli, tiny: str, arrays: Arrays, tmp_path: Path) -> None:
    """The option is refused, and the error of names that nobody knows does not recommend it."""
    file = tmp_path / "w.safetensors"
    save_file({f"x.{name}": array for name, array in arrays.items()}, file)
    for option, words in (
        (["--by-position"], "a .safetensors file has no order of its own; name the network's"),
        ([], "no tensor has a name that tiny knows"),
    ):
        outcome = cli("compile", tiny, "--weights", file, *option, "-o", tmp_path / "model.c")
        assert outcome.code == 4
        assert words in outcome.error()
        assert "--by-position" not in outcome.error()
    assert not (tmp_path / "model.c").exists()


def test_weights_of_something_else(refused: Callable[[Path], str], tmp_path: Path) -> None:
    save(tmp_path / "other.npz", {"layer\n1": np.zeros(3, np.float32)})
    error = refused(tmp_path / "other.npz")
    assert "no tensor has a name that tiny knows" in error
    assert "stem.conv2d.w" in error
    (tmp_path / "photo.pth").write_bytes(b"\xff\xd8\xff\xe0")
    assert "safetensors" in refused(tmp_path / "photo.pth")
    assert "No such file" in refused(tmp_path / "absent.pth")
    assert "a folder" in refused(tmp_path)


OUTPUTS = [
    ("nowhere/model.c", "cannot write to nowhere"),
    ("file/model.c", "cannot write to file"),
    ("folder.c", "folder.c is a folder"),
    ("folder", "the output must be a C file"),
    (".", "the output must be a C file"),
    ("model", "the output must be a C file"),
    ("model.h", "the output must be a C file"),
    ("1st.c", "'1st' cannot open the names"),
    ("my-net.c", "'my-net' cannot open the names"),
    ("double.c", "'double' cannot open the names"),
    ("modèle.c", "'modèle' cannot open the names"),
    ("n" * 300 + ".c", "too long"),
]


@pytest.mark.parametrize(("output", "says"), OUTPUTS, ids=lambda text: str(text)[:20])
def test_outputs(output: str, says: str, cli: Cli, tiny: str, folder: Path) -> None:
    (folder / "file").write_text("mine")
    for name in ("folder", "folder.c"):
        (folder / name).mkdir()
    before = entries(folder)
    outcome = cli("compile", tiny, "-o", output)
    assert outcome.code == 2
    assert says in outcome.error()
    assert entries(folder) == before
    assert entries(folder / "folder.c") == []
    assert (folder / "file").read_text() == "mine"


@pytest.mark.parametrize("prefix", ["9lives", "a-b", "int", "while", "", "a b", "é", "a\n"])
def test_prefixes(prefix: str, cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("compile", tiny, "-o", "model.c", "--prefix", prefix)
    assert outcome.code == 2
    assert "cannot open the names of C functions" in outcome.error()
    assert entries(folder) == []


@pytest.mark.parametrize("command", ["plan", "export"])
def test_other_outputs(command: str, cli: Cli, tiny: str, folder: Path) -> None:
    more = ("--as", "onnx") if command == "export" else ()
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    for output in ("nowhere/x", "folder", ".", "pipe", "/dev/null"):
        outcome = cli(command, tiny, *more, "-o", output)
        assert outcome.code == 2
        assert "cannot write to" in outcome.error()
        assert entries(folder) == ["folder", "pipe"]


def test_a_folder_without_permission(cli: Cli, tiny: str, folder: Path) -> None:
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        outcome = cli("compile", tiny, "-o", "/proc/model.c")  # root may write everywhere else
    else:
        outcome = cli("compile", tiny, "-o", "model.c")
    folder.chmod(0o700)
    assert outcome.code == 2
    assert "choose another place with -o" in outcome.error()
    assert entries(folder) == []


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(tmp_path / "fresh"))


def stub_compiler(file: Path, body: str) -> Path:
    file.write_text(f'#!/bin/sh\ncase "$*" in *--version*) echo gcc 99; exit;; esac\n{body}\n')
    file.chmod(0o755)
    return file


def test_no_compiler(cli: Cli, tiny: str, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    outcome = cli("run", tiny, photo)
    assert outcome.code == 6
    assert "no C compiler" in outcome.error()
    assert "install" in outcome.error()


@pytest.mark.usefixtures("fresh_cache")
def test_compilers_that_fail(
    cli: Cli, tiny: str, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = stub_compiler(
        tmp_path / "failing", "echo warm-up >&2; echo 'model.c:7: error: out of luck' >&2; exit 1"
    )
    silent = stub_compiler(tmp_path / "silent", "exit 3")
    lazy = stub_compiler(tmp_path / "lazy", "exit 0")
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\nexit 1\n")
    mute.chmod(0o755)
    for setting, says in (
        ("/no/such/compiler", "CC=/no/such/compiler: there is no program"),
        (str(mute), "is not a working gcc or clang"),
        (str(failing), "the C compiler failed: model.c:7: error: out of luck"),
        (str(silent), "exit status 3"),
        (str(lazy), "the C compiler failed"),
    ):
        monkeypatch.setenv("CC", setting)
        for arguments in (("run", tiny, photo), ("verify", tiny), ("bench", tiny)):
            outcome = cli(*arguments)
            assert outcome.code == 6
            assert says in outcome.error()


def test_photos(cli: Cli, tiny: str, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a photo")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "half.png").write_bytes(photo.read_bytes()[:200])
    for name, says in (
        ("text.jpg", "not an image"),
        ("empty.png", "not an image"),
        ("half.png", "cannot be read"),
        ("absent.jpg", "No such file"),
        (".", "Is a directory"),
    ):
        outcome = cli("run", tiny, tmp_path / name, "--json")
        assert outcome.code == 7
        assert says in outcome.error()
        assert "leave it out" in outcome.error()
