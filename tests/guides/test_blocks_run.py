"""Blocks of the README and the guides, run one after the other as a reader does."""

from __future__ import annotations

import os
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.guides.blocks import DOCUMENTS, Block, blocks, blocks_of, commands
from tests.tools import TOP, find_package, find_tool, run_python, run_tool

# What a guide takes for the reader's own, from the shared data.
SHARED = {
    "model.tflite": "mlperf_tiny/vww_96_int8.tflite",
    "wake_word.tflite": "tflite_models/okay_nabu.tflite",
    "resnet20.th": "cifar10/resnet20-12fca82f.th",
}

# Packages that hand out work to processes; their blocks are programs of their own.
ENGINES = {"joblib", "dask", "ray"}
# Ray takes a minute to start, and is large: its program is run by hand.
ENGINE_PACKAGES = {"joblib": ["joblib"], "dask": ["dask", "distributed"]}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photo, names of classes, and `netgen` on PATH; the current one."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "netgen").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m netgen "$@"\n')
    (programs / "netgen").chmod(0o755)
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(TOP))
    y, x = np.mgrid[0:120, 0:160]
    pixels = np.stack([x, 2 * y, (x * y) % 256], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "photo.jpg")
    (folder / "labels.txt").write_text("".join(f"class {n}\n" for n in range(1000)))
    return folder


def run_console(block: Block, folder: Path) -> None:
    """Run the commands of a block; what is shown must be among what each prints."""
    if "emulator" in block.words:
        find_tool("qemu-system-arm")
        find_tool("arm-none-eabi-gcc")
    for shown in commands(block):
        for words in shown.programs():
            assert words[0] == "netgen" or find_tool(words[0])
        script = f"exec 2>&1; set -eo pipefail; {shown.command}"
        printed = run_tool(["bash", "-c", script], folder, variables=os.environ).decode()
        assert shown.agrees(printed), (block.document.name, shown, printed)


@pytest.mark.heavy
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_blocks_run(
    document: Path, desk: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands and Python of one document, in one folder and one interpreter."""
    text = document.read_text(encoding="utf-8")
    for name, source in SHARED.items():
        if name in text:
            shutil.copy(request.getfixturevalue("shared_data") / source, desk / name)
    for package in ("tflite", "ai_edge_litert", "onnxruntime"):
        find_package(package)
    names: dict[str, object] = {}
    for block in blocks(document):
        if "wheel" in block.words:  # as pip installs it
            for wheel in desk.glob("dist/*.whl"):
                shutil.unpack_archive(wheel, desk / "installed", "zip")
            monkeypatch.syspath_prepend(desk / "installed")
        if block.language == "python" and not ENGINES.intersection(block.words):
            file = desk / (block.file or "block.py")
            file.write_text(block.text)
            names = runpy.run_path(str(file), names)
        elif block.language == "console" and "long" not in block.words:
            run_console(block, desk)


@pytest.mark.heavy
@pytest.mark.parametrize("engine", sorted(ENGINE_PACKAGES))
def test_engines_run(engine: str, desk: Path) -> None:
    """Two workers compute what one process does; the block says so itself, by its assertions."""
    for package in ENGINE_PACKAGES[engine]:
        find_package(package)
    (block,) = [block for block in blocks_of("python") if engine in block.words]
    assert block.file is not None
    (desk / block.file).write_text(block.text)
    done = run_python(block.file, folder=desk)
    assert "Error" not in done.stdout


KILLED = """
import os, signal, time
import numpy as np, netgen
from dask.distributed import Client, LocalCluster

def slowly(run, part):
    time.sleep(0.5)
    return run(part)

if __name__ == "__main__":
    model = netgen.compile(netgen.load("resnet8"))
    os.environ["CC"] = "no-such-compiler"  # of the workers, too
    images = np.random.default_rng(0).normal(size=(16, 32, 32, 3)).astype(np.float32)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            sent = client.scatter(model, broadcast=True)
            parts = [client.submit(slowly, sent, part) for part in np.array_split(images, 8)]
            time.sleep(0.7)
            os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)
            print(np.array_equal(np.concatenate(client.gather(parts)), model(images)))
"""


@pytest.mark.heavy
def test_a_worker_that_is_killed_loses_nothing(desk: Path) -> None:
    for package in ENGINE_PACKAGES["dask"]:
        find_package(package)
    (desk / "killed.py").write_text(KILLED)
    assert run_python("killed.py", folder=desk).stdout.splitlines()[-1] == "True"
