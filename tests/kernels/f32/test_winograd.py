"""Winograd's convolutions as compiled C, against NumPy's direct ones and against exact ones."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.compiler import lower
from netgen.errors import PlanError
from netgen.ir.graph import Graph, Node
from netgen.ir.interpret import interpret
from netgen.ir.operator import Const, Input
from netgen.ir.tensor_type import TensorType
from netgen.kernels import find_kernel, select_kernel
from netgen.kernels.f32.winograd import Winograd2F32, Winograd4F32, WinogradF32
from netgen.kernels.layer import Kernel, Layer
from netgen.kernels.targets import TARGETS, Compiler, Target, find_target
from netgen.ops.channel_shuffle import ChannelShuffle
from netgen.ops.concat import Concat
from netgen.ops.conv2d import Conv2d
from netgen.plan.data.options import PlanOptions
from netgen.plan.schedule import calls, division
from tests.emission.programs import emission, flags_of
from tests.kernels.layers import SingleLayer, network_of, normal_inputs, worst_errors
from tests.tools import COMPILERS, require_processor

FORMS = (Winograd2F32(), Winograd4F32())
# As exact as direct sums: DESIGN allows Winograd's 1e-4.
LIMIT = 1e-5


@pytest.fixture(params=["x86-64-v3", "x86-64-v4"])
def target(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    require_processor(name)
    return name


# Each form and each target, the other pairs in CI.
FORMS_IN_TURN = pytest.mark.parametrize(
    ("form", "target"),
    [
        pytest.param(form, name, id=f"{form.numeric_form}-{name}", marks=heavy)
        for n, form in enumerate(FORMS)
        for m, name in enumerate(("x86-64-v3", "x86-64-v4"))
        for heavy in [[pytest.mark.heavy] * ((n + m) % 2)]
    ],
    indirect=["target"],
)


def force(monkeypatch: pytest.MonkeyPatch, form: WinogradF32) -> None:
    """Let every layer that a form accepts be computed by it."""

    def forced(layer: Layer, target: Target, **allowed: bool) -> Kernel:
        if isinstance(layer.op, form.operators) and form.accepts(layer):
            return form
        return select_kernel(layer, target, **allowed)

    monkeypatch.setattr(calls, "select_kernel", forced)


def drawn(seed: int, count: int) -> list[SingleLayer]:
    """Convolutions of every padding, images that are no multiple of a tile, any channels."""
    draw = np.random.default_rng(seed)
    layers = []
    for _ in range(count):
        top, bottom, left, right = (int(p) for p in draw.integers(0, 3, 4))
        c, n = (int(draw.choice([1, 3, 4, 7, 8, 13, 16, 24, 31, 33, 64])) for _ in range(2))
        x = (1, int(draw.integers(4, 18)), int(draw.integers(4, 23)), c)
        op = Conv2d(
            pad=(top, bottom, left, right),
            act=str(draw.choice(["none", "relu", "relu6", "hard_swish"])),
        )
        operands = (x, (n, 3, 3, c), (n,))
        result = SingleLayer(op, operands).result.shape
        layers.append(SingleLayer(op, (*operands, result) if draw.integers(2) else operands))
    return [layer for layer in layers if min(layer.result.shape[1:3]) >= 4]


@FORMS_IN_TURN
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("clang", marks=pytest.mark.heavy)])
def test_layers_agree_with_direct_sums(
    form: WinogradF32,
    compiler: Compiler,
    target: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    force(monkeypatch, form)
    layers = drawn(COMPILERS.index(compiler), 12)
    graph = network_of(layers)
    inputs = normal_inputs(graph)
    emitted = emission(graph, target, fuse=False)
    assert {step.kernel for step in emitted.plan.steps} == {form.name}
    found = emitted.run(emitted.build(tmp_path, flags_of(target, compiler)), inputs)
    errors = worst_errors(found, interpret(graph, inputs))
    wrong = {k: (e, layers[int(k.removeprefix("out"))]) for k, e in errors.items() if not e < LIMIT}
    assert not wrong


def scattered() -> Graph:
    """Two convolutions side by side, their channels shuffled, and read by a third."""
    f32 = "f32"
    shapes = {"a": (24, 3, 3, 20), "b": (16, 3, 3, 20), "c": (12, 3, 3, 40)}
    draw = np.random.default_rng(4)
    constants = {
        f"w{name}": (draw.standard_normal(s) / np.sqrt(np.prod(s[1:]))).astype(np.float32)
        for name, s in shapes.items()
    }
    weights = [
        Node(name, Const(name), (), TensorType(f32, array.shape))
        for name, array in constants.items()
    ]

    def image(channels: int) -> TensorType:
        return TensorType(f32, (1, 9, 10, channels))

    op = Conv2d(pad=(1, 1, 1, 1), act="relu")
    nodes = [
        Node("x", Input(), (), image(20)),
        *weights,
        Node("a", op, ("x", "wa"), image(24)),
        Node("b", op, ("x", "wb"), image(16)),
        Node("both", Concat(), ("a", "b"), image(40)),
        Node("shuffled", ChannelShuffle(4), ("both",), image(40)),
        Node("c", op, ("shuffled", "wc"), image(12)),
    ]
    return Graph("scattered", nodes, ["c"], constants)


@FORMS_IN_TURN
def test_channels_may_stand_anywhere(
    form: WinogradF32, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    force(monkeypatch, form)
    graph = scattered()
    inputs = normal_inputs(graph)
    emitted = emission(graph, target)
    assert emitted.plan.bytes_moved == 0
    assert [step.kernel for step in emitted.plan.steps] == [form.name] * 3
    found = emitted.run(emitted.build(tmp_path, flags_of(target)), inputs)
    assert max(worst_errors(found, interpret(graph, inputs)).values()) < LIMIT


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.numeric_form)
@pytest.mark.heavy
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_no_bit(
    form: WinogradF32,
    threads: int,
    target: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Divided by tiles where there are many, by panels where weights are."""
    force(monkeypatch, form)
    monkeypatch.setattr(division, "_MEETING_CYCLES", 0.0)
    op = Conv2d(pad=(1, 1, 1, 1), act="relu")
    shapes = [((1, 112, 110, 16), (16, 3, 3, 16)), ((1, 9, 9, 384), (200, 3, 3, 384), (200,))]
    graph = network_of([SingleLayer(op, operands) for operands in shapes])
    inputs = normal_inputs(graph)
    results = []
    for count in (1, threads):
        emitted = emission(graph, target, fuse=False, memory=PlanOptions(threads=count))
        folder = tmp_path / str(count)
        folder.mkdir()
        results.append(emitted.run(emitted.build(folder, [*flags_of(target), "-pthread"]), inputs))
    splits = [instance.parameters["split"] for instance in emitted.plan.instances]
    assert {split["by"] for split in splits if isinstance(split, dict)} == {"tiles", "panels"}
    for name, array in results[0].items():
        np.testing.assert_array_equal(array.view("u4"), results[1][name].view("u4"), name)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.numeric_form)
def test_nan_reaches_every_output_that_depends_on_it(
    form: WinogradF32, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And others of the same tiles, since all inputs of a tile are in all of its sums."""
    force(monkeypatch, form)
    graph = network_of(
        [SingleLayer(Conv2d(pad=(1, 1, 1, 1), act="relu6"), ((1, 12, 13, 5), (21, 3, 3, 5)))]
    )
    inputs = normal_inputs(graph)
    inputs["x0"][0, 6, 7, :] = np.nan
    emitted = emission(graph, target, fuse=False)
    found = emitted.run(emitted.build(tmp_path, flags_of(target)), inputs)["out0"]
    needed = np.isnan(interpret(graph, inputs)["out0"])
    assert np.isnan(found[needed]).all()
    assert not np.isnan(found).all()


# Bt and At as the templates have them, by hand from their lines.
BT = {
    4: (
        "1 -3/2 -2 3/2 1 0",
        "0 -2 1 5 2 0",
        "0 -2 5 -1 -2 0",
        "0 2 1 -2 -1 0",
        "0 1 -2 -1 2 0",
        "0 1 -3/2 -2 3/2 1",
    ),
    2: ("1 0 -1 0", "0 1 1 0", "0 -1 1 0", "0 -1 0 1"),
}
AT = {
    4: ("1 1 1 1 1 0", "0 1 -1 1/2 -2 0", "0 1 1 1/4 4 0", "0 1 -1 1/8 -8 1"),
    2: ("1 1 1 0", "0 1 -1 1"),
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.numeric_form)
def test_matrices_are_exact(form: WinogradF32) -> None:
    """At diag(G w) Bt is the matrix of the convolution, in fractions, for every tap."""
    m, reach = form.outputs, form.outputs + 2
    at = [[Fraction(v) for v in row.split()] for row in AT[m]]
    bt = [[Fraction(v) for v in row.split()] for row in BT[m]]
    g = [[Fraction(v).limit_denominator(60) for v in row] for row in form.g]
    for tap in range(3):
        for i in range(m):
            for j in range(reach):
                total = sum(at[i][p] * g[p][tap] * bt[p][j] for p in range(reach))
                assert total == (1 if j == i + tap else 0)


def test_errors_with_many_channels(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F(4x4) with 512 channels: a few times what direct sums have."""
    force(monkeypatch, FORMS[1])
    graph = network_of([SingleLayer(Conv2d(pad=(1, 1, 1, 1)), ((1, 8, 8, 512), (32, 3, 3, 512)))])
    inputs = {name: np.maximum(array, 0.0) for name, array in normal_inputs(graph).items()}
    emitted = emission(graph, target, fuse=False)
    found = emitted.run(emitted.build(tmp_path, flags_of(target)), inputs)
    (error,) = worst_errors(found, interpret(graph, inputs)).values()
    assert 0.0 < error < LIMIT


def forms(target: str, *, winograd: bool = True) -> set[str]:
    """The numeric forms of the convolutions of a ResNet."""
    graph = netgen.load("resnet8")
    plan = lower(graph, find_target(target), PlanOptions(winograd=winograd)).plan
    return {step.numeric_form for step in plan.steps if isinstance(step.op, Conv2d)}


def test_only_targets_that_say_so_and_unless_it_is_refused() -> None:
    for kind in TARGETS:
        assert any(form.startswith("winograd") for form in forms(kind.name)) == kind.f32.winograd
        assert forms(kind.name, winograd=False) == {"direct"}
    assert not find_target("generic").f32.winograd


def test_a_budget_that_whole_images_do_not_fit_into_says_how_to_go_on() -> None:
    with pytest.raises(PlanError, match="--no-winograd"):
        lower(netgen.load("resnet20"), find_target("x86-64-v4"), PlanOptions(ram=1000))


def test_kernels_are_found_by_name() -> None:
    for form in FORMS:
        assert isinstance(find_kernel(form.name), type(form))
