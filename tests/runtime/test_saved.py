"""Models as single files: what comes back, what is refused, what loading them takes."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

import netgen
from netgen.errors import BuildError, UsageError
from netgen.runtime.cpu import platform_name
from netgen.runtime.model import CompiledModel, load_compiled
from netgen.runtime.model_image import ModelImage, WeightsFile
from tests.tools import STRICTLY, require_linux, start_python

HEAD = 48  # magic, sha256 and length of the JSON that follows
IMAGE = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
PAGE = 4096


class Stub(Protocol):
    """The interface of conftest's stubs."""

    def image(self) -> ModelImage: ...
    def model(self) -> CompiledModel: ...


@pytest.fixture
def saved(sum_stub: Stub, tmp_path: Path) -> Path:
    file = tmp_path / "model.netgen"
    sum_stub.model().save(file)
    return file


def test_everything_comes_back(sum_stub: Stub, saved: Path) -> None:
    image, again = sum_stub.image(), netgen.load_compiled(saved)
    np.testing.assert_array_equal(again(IMAGE), sum_stub.model()(IMAGE))
    assert isinstance(again.image.weights, WeightsFile)
    assert again.image.weights.path == saved
    assert again.image.weights.offset % PAGE == 0
    assert isinstance(again._weights, np.memmap)
    assert dataclasses.replace(again.image, weights=image.weights) == image
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(again))(IMAGE), again(IMAGE))


@pytest.mark.parametrize("changed", [{"normalisation": None}, {"fast_bytes": 8}])
def test_fields_that_may_be_absent(changed: dict[str, Any], sum_stub: Stub, tmp_path: Path) -> None:
    image = dataclasses.replace(sum_stub.image(), **changed)
    file = tmp_path / "model.netgen"
    CompiledModel(image).save(str(file))
    found = load_compiled(str(file)).image
    assert dataclasses.replace(found, weights=image.weights) == image


def test_several_ports(pair_stub: Stub, tmp_path: Path) -> None:
    pair_stub.model().save(tmp_path / "pair.netgen")
    again = load_compiled(tmp_path / "pair.netgen")
    assert (again.inputs, again.outputs) == (pair_stub.model().inputs, pair_stub.model().outputs)


def test_loading_needs_no_compiler_and_little_else(saved: Path, tmp_path: Path) -> None:
    script = """
import sys, netgen
assert "numpy" not in sys.modules  # of what netgen needs, it takes longest to import
model = netgen.load_compiled(sys.argv[1])
import numpy
print(model(numpy.arange(24, dtype=numpy.float32).reshape(4, 3, 2)).tolist())
heavy = {"networkx", "jinja2", "PIL", "cffi", "pycparser", "click", "rich", "safetensors"}
print(sorted(heavy & set(sys.modules)))
own = {name.split(".")[1] for name in sys.modules if name.startswith("netgen.")}
print(sorted(own))
"""
    cache = str(tmp_path / "elsewhere")
    child = start_python(*STRICTLY, script, str(saved), PATH="", CC="", NETGEN_CACHE_DIR=cache)
    result, heavy, own = child.communicate()[0].splitlines()
    assert result == str([2.0 * 132 + 0.5, -3.0 * 144 + 10])
    assert heavy == "[]"
    # Packages of the plan and of what is emitted, whose modules read none of the others.
    assert own == str(["emission", "errors", "ir", "plan", "runtime"])


@pytest.mark.parametrize("form", ["pickle", "netgen"])
def test_weights_are_in_memory_once(form: str, sum_stub: Stub, tmp_path: Path) -> None:
    """A model with 64 MB of weights, of which the C reads the first 16 bytes."""
    image = sum_stub.image()
    assert isinstance(image.weights, bytes)
    model = CompiledModel(dataclasses.replace(image, weights=image.weights + bytes(64 << 20)))
    model.save(tmp_path / "model.netgen")
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    script = """
import pickle, resource, sys, numpy, netgen.runtime.model
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
if sys.argv[1].endswith(".netgen"):
    model = netgen.load_compiled(sys.argv[1])
else:
    with open(sys.argv[1], "rb") as file:
        model = pickle.load(file)
model(numpy.ones((4, 3, 2), numpy.float32))
print(peak() - before)
"""
    require_linux()  # elsewhere ru_maxrss is in bytes
    child = start_python(*STRICTLY, script, str(tmp_path / f"model.{form}"))
    found = int(child.communicate()[0])
    # What is read of a pickle has been in memory once; of a mapping nothing but what is used.
    assert found < (64 << 20) * (form == "pickle") + (12 << 20)


DAMAGES = (
    (slice(0, None), "no compiled model that this version"),
    (slice(7, 8), "no compiled model that this version"),
    (slice(8, 9), "the head of the compiled model is damaged"),
    (slice(40, 48), "the head of the compiled model is damaged"),
    (slice(HEAD, HEAD + 1), "the head of the compiled model is damaged"),
    (slice(20_000, 20_001), "the library of the compiled model is damaged"),
)


def test_damage_is_found(saved: Path) -> None:
    whole = saved.read_bytes()
    for at, fault in DAMAGES:
        content = bytearray(whole)
        content[at] = bytes(255 - byte for byte in content[at])
        saved.write_bytes(content)
        with pytest.raises(BuildError, match=fault) as caught:
            load_compiled(saved)
        assert str(saved) in str(caught.value)


def test_other_files_and_cut_ones(saved: Path, tmp_path: Path) -> None:
    content = saved.read_bytes()
    for size in (0, 5, HEAD, HEAD + 40, 20_000):
        saved.write_bytes(content[:size])
        with pytest.raises(BuildError, match=r"compiled model"):
            load_compiled(saved)
    saved.write_bytes(content[:-1])
    with pytest.raises(BuildError, match=r"the weights file is damaged, expected 16 bytes"):
        load_compiled(saved)
    with pytest.raises(BuildError, match="cannot be read: No such file"):
        load_compiled(tmp_path / "nothing.netgen")
    with pytest.raises(UsageError, match="cannot write to"):
        CompiledModel(load_compiled_again(content, saved)).save(tmp_path / "no" / "folder.netgen")


def load_compiled_again(content: bytes, file: Path) -> ModelImage:
    file.write_bytes(content)
    return load_compiled(file).image


def test_another_systems_model_is_refused(sum_stub: Stub, tmp_path: Path) -> None:
    file = tmp_path / "model.netgen"
    sum_stub.model().save(file)
    here = platform_name()
    there = here[::-1]
    content = bytearray(file.read_bytes())
    end = HEAD + int.from_bytes(content[40:HEAD], "little")
    content[HEAD:end] = content[HEAD:end].replace(f'"{here}"'.encode(), f'"{there}"'.encode())
    content[8:40] = hashlib.sha256(content[HEAD:end]).digest()
    file.write_bytes(content)
    with pytest.raises(BuildError, match=f"it was built for another system, expected {there}"):
        load_compiled(file)


def test_a_pickle_is_about_as_large_as_the_file(sum_stub: Stub, tmp_path: Path) -> None:
    """With 1 MB of weights: what else there is may take a tenth of it."""
    image = sum_stub.image()
    assert isinstance(image.weights, bytes)
    model = CompiledModel(dataclasses.replace(image, weights=image.weights + bytes(1 << 20)))
    model.save(tmp_path / "model.netgen")
    size = (tmp_path / "model.netgen").stat().st_size
    assert len(pickle.dumps(model)) < 1.1 * size
    assert len(pickle.dumps(load_compiled(tmp_path / "model.netgen"))) < 1.1 * size
