"""Wheels: their files, what they need of a system, what they compute where only NumPy is."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import netgen
from netgen.dsl import Tensor, image, network, scope
from netgen.errors import BuildError, InputError, UsageError
from netgen.export.wheel.elf import platform_tag
from netgen.export.wheel.files import default_targets, wheel_file
from netgen.export.wheel.model import Model
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.normalisation import Normalisation
from netgen.kernels.targets import find_target
from netgen.ops import conv2d, flatten, global_avg_pool, linear, relu
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.runtime.cpu import machine
from tests.plan.stateful_graphs import stateful
from tests.tools import new_python, require_linux, run_tool

PIXELS = Normalisation(mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))
BYTES = np.random.default_rng(3).integers(0, 256, (3, 12, 12, 3)).astype(np.uint8)


@network(normalisation=PIXELS)
def tiny() -> Tensor:
    with scope("stem"):
        x = relu(conv2d(image(12, 12, 3), 8, 3, stride=2, pad=1))
    return linear(flatten(global_avg_pool(x)), 4)


def unpacked(content: bytes, folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labels.txt"
    file.write_text("cat\ndog\nowl\nnewt\n")
    return file


def test_a_wheel_of_one_library(tmp_path: Path, labels: Path) -> None:
    require_linux()
    graph = netgen.load(tiny)
    name, content = wheel_file(graph, "pets", "2.1", ["generic"], DEFAULT, labels)
    assert name.startswith("pets-2.1-py3-none-manylinux_2_")
    assert name.endswith(f"_{machine()}.whl")
    files = unpacked(content, tmp_path)

    # RECORD, by the rules of PEP 376: every file but itself, its hash and its size.
    rows = list(csv.reader(files["pets-2.1.dist-info/RECORD"].decode().splitlines()))
    assert {row[0] for row in rows} == files.keys()
    for path, digest, size in rows[:-1]:
        hashed = urlsafe_b64encode(hashlib.sha256(files[path]).digest()).decode().rstrip("=")
        assert (digest, int(size)) == (f"sha256={hashed}", len(files[path]))
    assert "Requires-Dist: numpy" in files["pets-2.1.dist-info/METADATA"].decode()
    assert b"0BSD" in files["pets-2.1.dist-info/licenses/LICENSE"]
    bill = json.loads(files["pets-2.1.dist-info/sboms/sbom.cdx.json"])
    assert [part["name"] for part in bill["components"]] == ["pets-code", "weights", "numpy"]

    # Its module is the one that is copied.
    model = Model(tmp_path / "pets")
    x = model.preprocess(BYTES)
    mean, std = np.array(PIXELS.mean), np.array(PIXELS.std)
    np.testing.assert_allclose(x, (BYTES / 255 - mean) / std, rtol=1e-6, atol=1e-6)
    expected = np.concatenate([reference(graph, each) for each in x])
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(x[1]), expected[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.predict(np.asfortranarray(x)), model.predict(x))
    best = int(np.argmax(expected[0]))
    assert model.top(model.predict(x[0]), 1)[0][0] == ("cat", "dog", "owl", "newt")[best]
    with pytest.raises(
        TypeError, match=r"expected float32 \(12, 12, 3\) or \(N, 12, 12, 3\), found"
    ):
        model.predict(BYTES)
    with pytest.raises(ValueError, match=r"found float32 \(3, 12, 3\)"):
        model.predict(x[0, :3])
    with pytest.raises(TypeError, match="expected 1 inputs"):
        model.predict(x, x)


def reference(graph: Graph, image: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """The output of one image by NumPy in float64, with its batch axis."""
    values = interpret(graph, {graph.inputs[0].name: image[np.newaxis]})
    return values[graph.outputs[0]]


@pytest.mark.heavy
def test_it_is_installed_where_only_numpy_is(tmp_path: Path, labels: Path) -> None:
    """The package works in a new environment: no netgen, no compiler, equal results by level."""
    require_linux()
    graph = netgen.load(tiny)
    name, content = wheel_file(graph, "pets", "1.0", default_targets(), DEFAULT, labels)
    (tmp_path / name).write_bytes(content)
    python = new_python(tmp_path / "venv", "numpy")
    python.install(tmp_path / name)
    np.save(tmp_path / "x.npy", BYTES)
    script = """
import json, sys
from pathlib import Path
import numpy as np, pets
from pets._model import Model
for name in ("netgen", "cffi", "jinja2"):
    try:
        __import__(name)
    except ImportError:
        continue
    raise SystemExit(f"{name} is installed")
x = pets.preprocess(np.load(sys.argv[1]))
found = {"own": (pets.MODEL.target, pets.predict(x).tolist(), pets.LABELS)}
for cpuinfo in sys.argv[2:]:
    model = Model(Path(pets.__file__).parent, Path(cpuinfo))
    found[cpuinfo] = (model.target, model.predict(x).tolist(), pets.LABELS)
print(json.dumps(found))
"""
    runs = [t for t in default_targets() if netgen_runs(t)]
    lists = [tmp_path / f"{target}.txt" for target in runs]
    for target, file in zip(runs, lists, strict=True):
        file.write_text(f"Features : {' '.join(find_target(target).cpu_features)}\n")
    found = json.loads(python.run(script, tmp_path / "x.npy", *lists))
    assert [found[str(file)][0] for file in lists] == runs
    assert found["own"][0] == runs[0]
    assert found["own"][2] == ["cat", "dog", "owl", "newt"]
    for target, file in zip(runs, lists, strict=True):
        model = netgen.compile(graph, target=target)
        np.testing.assert_array_equal(
            np.array(found[str(file)][1], np.float32), model(model.preprocess(BYTES))
        )


def netgen_runs(target: str) -> bool:
    from netgen.runtime.cpu import missing_features

    return not missing_features(find_target(target))


@pytest.mark.heavy
def test_equal_models_are_equal_wheels() -> None:
    require_linux()
    graph = netgen.load(tiny)
    first, second = (wheel_file(graph, "pets", "1.0", ["generic"], DEFAULT) for _ in range(2))
    assert first == second


@pytest.mark.heavy
def test_states_begin_anew_but_in_streams(tmp_path: Path) -> None:
    require_linux()
    graph = stateful("chain")
    content = wheel_file(graph, "words", "1.0", ["generic"], DEFAULT)[1]
    unpacked(content, tmp_path)
    model, peer = Model(tmp_path / "words"), netgen.compile(graph, target="generic")
    port = peer.inputs[0]
    x = np.linspace(-1, 1, 4 * int(np.prod(port.shape))).astype(port.dtype)
    x = x.reshape(4, *port.shape)
    expected = peer.run(x)[0]
    assert not np.array_equal(expected[1], peer.run(x[1])[0])
    first = model.predict(x)
    np.testing.assert_array_equal(first[0] if isinstance(first, tuple) else first, expected)
    stream = model.stream()
    for index in (0, 1):
        got = stream(x[index])
        np.testing.assert_array_equal(got[0] if isinstance(got, tuple) else got, expected[index])
    stream.reset()
    again = stream(x[0])
    np.testing.assert_array_equal(again[0] if isinstance(again, tuple) else again, expected[0])


def test_no_library_fits(tmp_path: Path) -> None:
    library = {"file": "a.so", "target": "x86-64-v3", "cpu_features": ["avx2", "fma"]}
    facts: dict[str, Any] = {"machine": machine(), "libraries": [library]}
    (tmp_path / "model.json").write_text(json.dumps(facts))
    (tmp_path / "cpuinfo").write_text("flags : fma sse\n")
    with pytest.raises(ImportError, match="x86-64-v3 needs avx2; export it again, with generic"):
        Model(tmp_path, tmp_path / "cpuinfo")


@pytest.mark.parametrize(
    ("name", "version"),
    [("Pets", "1"), ("my-net", "1"), ("json", "1"), ("numpy", "1"), ("lambda", "1"), ("a", "1a")],
)
def test_names_and_versions_that_cannot_be(name: str, version: str) -> None:
    with pytest.raises(UsageError):
        wheel_file(netgen.load(tiny), name, version, ["generic"], DEFAULT)


def test_what_wheels_do_not_take() -> None:
    require_linux()
    graph = netgen.load(tiny)
    other = "aarch64" if machine() == "x86_64" else "x86-64-v2"
    with pytest.raises(BuildError, match=f"target {other} is for"):
        wheel_file(graph, "pets", "1.0", [other], DEFAULT)
    with pytest.raises(UsageError, match="a wheel takes whole images"):
        wheel_file(graph, "pets", "1.0", ["generic"], PlanOptions(input="rows"))


def test_what_cannot_be_is_known_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_linux()
    monkeypatch.setenv("CC", "no-such-compiler")
    graph = netgen.load(tiny)
    with pytest.raises(InputError, match="labels cannot be read"):
        wheel_file(graph, "pets", "1.0", ["generic"], DEFAULT, tmp_path / "none.txt")
    with pytest.raises(UsageError, match="one arena"):
        wheel_file(graph, "pets", "1.0", ["generic"], PlanOptions(ram=(1 << 20, 1 << 20)))


def elf(tmp_path: Path, source: str, *flags: str) -> bytes:
    (tmp_path / "a.c").write_text(source)
    run_tool(["gcc", "-shared", "-fPIC", "a.c", *flags, "-o", "a.so"], tmp_path)
    return (tmp_path / "a.so").read_bytes()


@pytest.mark.heavy
def test_the_platform_is_what_readelf_says(tmp_path: Path) -> None:
    """Libraries of the C library's newer and older functions, and one of another library."""
    require_linux()
    plain = elf(tmp_path, "int f(int x) { return x; }")
    assert platform_tag([plain], "x86_64") == "manylinux_2_17_x86_64"
    newer = elf(tmp_path, "#include <math.h>\nfloat f(float x) { return expf(x); }", "-lm")
    shown = run_tool(["readelf", "-VW", "a.so"], tmp_path).decode()
    versions = [word for word in shown.split() if word.startswith("GLIBC_2.")]
    newest = max(tuple(map(int, each.removeprefix("GLIBC_").split(".")[:2])) for each in versions)
    assert newest > (2, 17)
    assert platform_tag([plain, newer], "x86_64") == f"manylinux_2_{newest[1]}_x86_64"
    other = elf(
        tmp_path, "int f(int x) { return x; }", "-Wl,--no-as-needed", "-ldl", "-lrt", "-lutil"
    )
    needed = run_tool(["readelf", "-dW", "a.so"], tmp_path).decode()
    assert ("libutil" in needed) == (platform_tag([other], "x86_64") == "linux_x86_64")
    assert platform_tag([plain[:100]], "x86_64") == "linux_x86_64"
    assert platform_tag([b"MZ"], "x86_64") == "linux_x86_64"
