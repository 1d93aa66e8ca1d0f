"""netgen from Python: load, compile, emit, and what a compiled model promises."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import netgen
from netgen.errors import BuildError, InputError, UsageError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.kernels.targets import TARGETS
from netgen.runtime import cpu
from netgen.runtime.compare import relative_error
from netgen.runtime.model import CompiledModel
from netgen.weights.seeded import uniform
from tests.tools import run_python

Array = NDArray[np.float32]
PARAMETERS: dict[str, Any] = {"alpha": 0.35, "input_size": 48, "classes": 10}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return netgen.load("mobilenet_v2", **PARAMETERS)


@pytest.fixture(scope="module")
def model(graph: Graph) -> CompiledModel:
    return netgen.compile(graph)


@pytest.fixture(scope="module")
def images() -> Array:
    return (3.0 * uniform("photos", (6, 48, 48, 3))).astype(np.float32)


def one(result: object) -> Array:
    assert isinstance(result, np.ndarray)
    assert result.dtype == np.float32
    return result


def test_signatures() -> None:
    def keywords(function: Callable[..., object]) -> dict[str, object]:
        parameters = inspect.signature(function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    assert keywords(netgen.load) == {"weights": None, "by_position": False, "named": None}
    options: dict[str, object] = {
        "ram": None,
        "input": "caller",
        "accept_gap": False,
        "winograd": True,
        "tuning": None,
        "threads": 1,
        "copies": False,
        "small": False,
        "weights_dtype": "float32",
        "input_type": "declared",
        "mean": None,
        "std": None,
    }
    assert keywords(netgen.compile) == {"target": "native", **options, "progress": None}
    files = {
        "target": "generic",
        "weights_as": "c",
        "prefix": None,
        "selftest": False,
        "labels": None,
        "footprint": None,
    }
    assert keywords(netgen.emit) == {**files, **options}
    for name in netgen.__all__:
        assert getattr(netgen, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'compilation'"):
        _ = netgen.compilation


def test_functions_stay_functions(tmp_path: Path) -> None:
    """No folder of the package hides one of them once it is imported."""
    script = "import netgen; g = netgen.load('mobilenet_v2', alpha=0.35, input_size=32)\n"
    script += "import netgen.cli.main, netgen.report.verify\n"
    script += f"netgen.emit(g, {str(tmp_path / 'model.c')!r}); netgen.compile; netgen.load\n"
    script += "assert all(map(callable, (netgen.emit, netgen.compile, netgen.load)))"
    run_python("-W", "error", "-c", script)
    assert (tmp_path / "model.c").is_file()


def test_import_is_light() -> None:
    heavy = ("numpy", "jinja2", "networkx", "cffi", "_cffi_backend", "rich", "click", "safetensors")
    script = f"import sys, netgen; print([m for m in {heavy!r} if m in sys.modules])"
    assert run_python("-c", script).stdout.strip() == "[]"


def test_right(graph: Graph, model: CompiledModel, images: Array) -> None:
    expected = interpret(graph, {"image": images[:1]})["classifier.linear"]
    assert relative_error(one(model(images[0])), expected) < 1e-5


def test_a_batch_is_its_images(model: CompiledModel, images: Array) -> None:
    batch = one(model(images))
    assert batch.shape == (6, 10)
    for image, scores in zip(images, batch, strict=True):
        single = one(model(image))
        assert single.shape == (10,)
        assert single.tobytes() == scores.tobytes()
    assert one(model(images[:0])).shape == (0, 10)
    assert one(model(images[:1])).shape == (1, 10)


def test_strides_do_not_matter(model: CompiledModel, images: Array) -> None:
    expected = one(model(images)).tobytes()
    planes = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    wide = np.zeros((6, 96, 50, 4), np.float32)
    wide[:, ::2, 1:49, :3] = images
    backwards = np.ascontiguousarray(images[:, ::-1, ::-1])[:, ::-1, ::-1]
    for view in (planes, wide[:, ::2, 1:49, :3], backwards, np.asfortranarray(images)):
        assert not view.flags.c_contiguous
        assert one(model(view)).tobytes() == expected
    before = images.copy()
    frozen = images.view()
    frozen.flags.writeable = False
    assert one(model(frozen)).tobytes() == expected
    assert images.tobytes() == before.tobytes()


def test_threads(model: CompiledModel, images: Array) -> None:
    expected = [one(model(image)).tobytes() for image in images]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda i: one(model(images[i % 6])).tobytes(), range(120)))
    assert found == expected * 20


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda x: (x * 20 + 100).astype(np.uint8), "preprocess"),
        (lambda x: x.astype(np.float64), "astype"),
        (lambda x: x.astype(np.float16), "astype"),
        (lambda x: x.transpose(0, 3, 1, 2), "channels first"),
        (lambda x: x[0].transpose(2, 0, 1), "channels first"),
        (lambda x: x[:, :40], "resize"),
        (lambda x: x[..., :1], "found float32 (6, 48, 48, 1)"),
        (lambda x: x[np.newaxis], "found float32 (1, 6, 48, 48, 3)"),
        (lambda x: x.tolist(), "not an array"),
        (lambda _: "photo.jpg", "not an array"),
    ],
)
def test_other_arrays(
    change: Callable[[Array], object], says: str, model: CompiledModel, images: Array
) -> None:
    with pytest.raises(InputError) as caught:
        model(change(images))
    message = str(caught.value)
    assert says in message
    assert "(48, 48, 3)" in message
    assert "\n" not in message


@pytest.mark.heavy
def test_compiled_once(
    graph: Graph, images: Array, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(tmp_path))
    told: list[str] = []
    first = netgen.compile(graph, target="generic", progress=told.append)
    assert len(told) == 1
    assert "generic" in told[0]
    second = netgen.compile(graph, target="generic", progress=told.append)
    assert len(told) == 1
    assert one(first(images)).tobytes() == one(second(images)).tobytes()
    # Other weights of the same network need no compiler either: only logic was compiled.
    changed = graph.with_constants({name: 0.5 * a for name, a in graph.constants.items()})
    third = netgen.compile(changed, target="generic", progress=told.append)
    assert len(told) == 1
    assert one(third(images)).tobytes() != one(first(images)).tobytes()
    netgen.compile(netgen.load("mobilenet_v2", **{**PARAMETERS, "classes": 9}),
                   target="generic", progress=told.append)  # fmt: skip
    assert len(told) == 2


def test_pickled_to_a_machine_without_a_compiler(
    model: CompiledModel, images: Array, tmp_path: Path
) -> None:
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    np.save(tmp_path / "images.npy", images)
    script = """
import pickle, sys, numpy
model = pickle.loads(open("model.pickle", "rb").read())
numpy.save("logits.npy", model(numpy.load("images.npy")))
print([m for m in ("jinja2", "networkx", "click", "rich") if m in sys.modules])
"""
    options = ("-W", "error", "-c", script)
    other = str(tmp_path / "other")
    done = run_python(*options, folder=tmp_path, PATH="", CC="", NETGEN_CACHE_DIR=other)
    assert done.stdout.strip() == "[]"
    assert np.load(tmp_path / "logits.npy").tobytes() == one(model(images)).tobytes()


@pytest.mark.heavy
def test_targets_agree() -> None:
    graph = netgen.load("ds_cnn")
    images = uniform("sounds", (6, *graph.inputs[0].type.shape[1:])).astype(np.float32)
    expected = one(netgen.compile(graph)(images))
    for target in TARGETS:
        if cpu.missing_features(target):
            refusal = r"this processor lacks|which this machine .* cannot run"
            with pytest.raises(BuildError, match=refusal):
                netgen.compile(graph, target=target.name)
        else:
            found = one(netgen.compile(graph, target=target.name)(images))
            assert relative_error(found, expected) < 1e-5


def test_native_is_what_the_processor_has(
    model: CompiledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert model.image.target == cpu.native_target().name
    monkeypatch.setattr(cpu, "cpu_features", frozenset)
    portable = netgen.compile(netgen.load("ds_cnn", filters=8))
    assert portable.image.target == "generic"
    assert pickle.loads(pickle.dumps(portable)).image.target == "generic"
    if model.image.cpu_features:  # a machine may know no target better than generic
        with pytest.raises(BuildError, match="this processor lacks"):
            pickle.loads(pickle.dumps(model))


def test_wrong_arguments(graph: Graph, tmp_path: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"target": "z80"},
        {"weights_as": "zip"},
        {"prefix": "9"},
        {"prefix": ""},
    ]
    for arguments in wrong:
        with pytest.raises(UsageError, match="expected"):
            netgen.emit(graph, tmp_path / "model.c", **arguments)
    with pytest.raises(UsageError, match="must be a C file"):
        netgen.emit(graph, tmp_path / "model.cpp")
    with pytest.raises(UsageError, match="unknown target"):
        netgen.compile(graph, target="z80")
    assert list(tmp_path.iterdir()) == []


def test_emit_tells_what_it_wrote(graph: Graph, tmp_path: Path) -> None:
    files = netgen.emit(graph, str(tmp_path / "model.c"), weights_as="blob")
    assert sorted(files) == sorted(tmp_path.iterdir())
    assert all(isinstance(file, Path) for file in files)


def test_a_name_is_no_graph(tmp_path: Path) -> None:
    name: Any = "mobilenet_v2"
    with pytest.raises(UsageError, match=r"load the model first"):
        netgen.compile(name)
    with pytest.raises(UsageError, match=r"load the model first"):
        netgen.emit(name, tmp_path / "model.c")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [{"ram": "60K"}, {"input": "foo"}, {"threads": 0}], ids=str)
def test_options_that_cannot_be(wrong: dict[str, Any], graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is no .*, expected"):
        netgen.compile(graph, **wrong)
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is no .*, expected"):
        netgen.emit(graph, tmp_path / "model.c", **wrong)
    assert not list(tmp_path.iterdir())


def test_position_needs_weights() -> None:
    with pytest.raises(UsageError, match="no weights to take by position"):
        netgen.load("mobilenet_v2", by_position=True)
