"""The kernels of convolutions and the small operators, as compiled C, against NumPy."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import netgen.plan.schedule.calls
from netgen.ir.graph import Graph, Node
from netgen.ir.interpret import interpret
from netgen.ir.operator import Const, Input
from netgen.ir.tensor_type import Array, TensorType
from netgen.kernels import KERNELS, select_kernel
from netgen.kernels.layer import Kernel, Layer
from netgen.kernels.targets import Compiler, Target, find_target
from netgen.ops.add import Add
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.hard_swish import HardSwish
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.plan.data.options import DEFAULT, PlanOptions
from tests.emission.programs import Emission, emission, flags_of
from tests.kernels.layers import (
    CORNERS,
    KINDS,
    SingleLayer,
    drawn_layers,
    network_of,
    normal_inputs,
    worst_errors,
)
from tests.kernels.product_layers import layer_of
from tests.tools import COMPILERS, require_processor

X86_TARGETS = ("generic", "x86-64-v2", "x86-64-v3", "x86-64-v4")
# gcc is what most targets are compiled with; the other one takes its turn in CI.
SECOND_IN_CI = ["gcc", pytest.param("clang", marks=pytest.mark.heavy)]
# The widest vectors, which fuse; the other targets take their turn in CI, too.
WIDEST_AT_FIRST = [
    pytest.param(name, marks=[pytest.mark.heavy] * (name != "x86-64-v4")) for name in X86_TARGETS
]
LIMIT = 1e-5


@pytest.fixture(params=X86_TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    require_processor(name)
    return name


def run(
    graph: Graph,
    target: str,
    compiler: Compiler | None,
    folder: Path,
    inputs: dict[str, Array],
    memory: PlanOptions = DEFAULT,
) -> dict[str, Array]:
    emitted = emission(graph, target, fuse=False, memory=memory)
    return emitted.run(emitted.build(folder, flags_of(target, compiler)), inputs)


def check(layers: list[SingleLayer], target: str, compiler: Compiler, folder: Path) -> None:
    """Compile the layers as one network, and compare each of them."""
    graph = network_of(layers)
    inputs = normal_inputs(graph)
    errors = worst_errors(run(graph, target, compiler, folder, inputs), interpret(graph, inputs))
    wrong = {
        name: (error, layers[int(name.removeprefix("out"))])
        for name, error in errors.items()
        if not error < LIMIT
    }
    assert not wrong


# Each compiler once, with the least and the widest vectors; the other pairs in CI.
@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        pytest.param(compiler, name, marks=[pytest.mark.heavy] * (n != 3 * m))
        for m, compiler in enumerate(("clang", "gcc"))
        for n, name in enumerate(X86_TARGETS)
    ],
    indirect=["target"],
)
def test_layers_agree_with_the_references(compiler: Compiler, target: str, tmp_path: Path) -> None:
    # Another selection for each compiler: most of what can be wrong is wrong with both.
    seed = COMPILERS.index(compiler)
    check([*CORNERS, *drawn_layers(seed, KINDS, 2 * len(KINDS))], target, compiler, tmp_path)


@pytest.mark.usefixtures("as_users_compile")
@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(2, 8))
def test_more_layers_agree_with_the_references(seed: int, target: str, tmp_path: Path) -> None:
    check(drawn_layers(seed, KINDS, 6 * len(KINDS)), target, COMPILERS[seed % 2], tmp_path)


@pytest.mark.parametrize("target", WIDEST_AT_FIRST, indirect=True)
def test_nan_reaches_every_output_that_depends_on_it(target: str, tmp_path: Path) -> None:
    """Through every activation, in vectors and in the channels that are left over."""
    x = (1, 6, 9, 21)
    layers = []
    for act in ("none", "relu", "relu6", "hard_swish"):
        layers += [
            SingleLayer(Conv2d(act=act), (x, (21, 1, 1, 21), (21,))),
            SingleLayer(Conv2d(pad=(1, 1, 1, 1), act=act), (x, (21, 3, 3, 21), (21,))),
            SingleLayer(DepthwiseConv2d(pad=(1, 1, 1, 1), act=act), (x, (21, 3, 3, 1), (21,))),
            SingleLayer(Add(act=act), (x, x)),
        ]
    layers += [SingleLayer(op, (x,)) for op in (Relu(), Relu6(), HardSwish())]
    graph = network_of(layers)
    inputs = normal_inputs(graph)
    for array in inputs.values():
        array[0, 2, 4, :] = np.nan
    expected = interpret(graph, inputs)
    direct = PlanOptions(winograd=False)
    for name, array in run(graph, target, None, tmp_path, inputs, direct).items():
        np.testing.assert_array_equal(np.isnan(array), np.isnan(expected[name]), name)
        assert np.isnan(array).any()


def test_zero_keeps_its_sign_in_vectors_and_scalars_alike(target: str, tmp_path: Path) -> None:
    x = (1, 1, 1, 23)  # more than a vector of every width, and scalars
    ops = (Relu(), Relu6(), HardSwish(), Add())
    layers = [SingleLayer(op, (x,) * len(op.operand_names)) for op in ops]
    layers += [
        SingleLayer(DepthwiseConv2d(act=act), (x, (23, 1, 1, 1), (23,)))
        for act in ("none", "relu", "relu6")
    ]
    graph = network_of(layers)
    constants = {
        name: np.full_like(array, 1.0 if name.startswith("w") else -0.0)
        for name, array in graph.constants.items()
    }
    graph = graph.with_constants(constants)
    inputs = {name: np.full_like(array, -0.0) for name, array in normal_inputs(graph).items()}
    for name, array in run(graph, target, None, tmp_path, inputs).items():
        assert (array == 0.0).all()
        assert np.signbit(array).all(), name


class _Portable:
    """Selection among the kernels that take every layer of their operator."""

    def __call__(self, layer: Layer, target: Target, **allowed: bool) -> Kernel:
        del target, allowed
        fitting = [k for k in KERNELS if isinstance(layer.op, k.operators) and k.accepts(layer)]
        return max(fitting, key=lambda kernel: "portable" in kernel.name)


def _is_folded(layer: SingleLayer, target: Target) -> bool:
    """Whether some outputs are sums of several inputs side by side."""
    letters = layer.op.operand_names
    described = layer_of(layer.op, dict(zip(letters, layer.shapes, strict=False)))
    kernel = select_kernel(described, target, winograd=False)
    return re.search(r"'fold': [24]", str(kernel.parameters(described, target))) is not None


@pytest.mark.parametrize("target", WIDEST_AT_FIRST, indirect=True)
@pytest.mark.parametrize("compiler", SECOND_IN_CI)
def test_kernels_of_one_numeric_form_agree(
    compiler: Compiler, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit; but where the processor fuses, gcc makes vectors of the products of a plain
    loop, adds them one by one, and so fuses less in the portable kernels than in the tiles. Sums of
    folded vectors are added in an order of their own, which portable kernels do not know."""
    unfused = compiler == "gcc" and "fma" in find_target(target).cpu_features
    kinds = ("pointwise", "conv2d", "depthwise")
    layers = [*CORNERS, *drawn_layers(7, kinds, 6)]
    layers = [layer for layer in layers if isinstance(layer.op, Conv2d | DepthwiseConv2d)]
    graph = network_of(layers)
    inputs = normal_inputs(graph)
    folders = [tmp_path / "fast", tmp_path / "portable"]
    for folder in folders:
        folder.mkdir()
    fast = run(graph, target, compiler, folders[0], inputs, PlanOptions(winograd=False))
    monkeypatch.setattr(netgen.plan.schedule.calls, "select_kernel", _Portable())
    portable = run(graph, target, compiler, folders[1], inputs)
    for name, array in fast.items():
        layer = layers[int(name.removeprefix("out"))]
        if unfused or _is_folded(layer, find_target(target)):
            np.testing.assert_allclose(array, portable[name], 0, 1e-5, err_msg=str(layer))
        else:
            np.testing.assert_array_equal(array.view("u4"), portable[name].view("u4"), str(layer))


def chain(layer: SingleLayer, number: int, *, alive: bool) -> tuple[list[Node], list[str]]:
    """Copies into the arena, the layer, a copy out; `alive` operands must outlive the layer."""
    nodes: list[Node] = []
    outputs = [f"end{number}"]
    for node in layer.nodes(number):
        if isinstance(node.op, Input):
            nodes.append(Node(f"{node.name}.in", Input(), (), node.type))
            nodes.append(Node(node.name, Relu6(), (f"{node.name}.in",), node.type))
            outputs += [node.name] if alive else []
        else:
            nodes.append(node)
    result = nodes[-1]
    nodes.append(Node(outputs[0], Relu(), (result.name,), result.type))
    return nodes, outputs


def in_place_layers() -> list[SingleLayer]:
    """Layers whose output may overlap an operand; channels that no alignment divides."""
    layers: list[SingleLayer] = []
    for channels, size, stride in ((24, 3, 1), (17, 3, 1), (40, 5, 2), (3, 3, 2), (16, 3, 1)):
        x = (1, 11, 13, channels)
        edge = size // 2
        pads = ((edge,) * 4, (0, size - 1, 0, size - 1), (size - 1, 0, size - 1, 0), (0, 0, 0, 0))
        # Two of the paddings, in turn: each has its own order of reads and writes.
        layers += [
            SingleLayer(
                DepthwiseConv2d((stride, stride), (p[0], p[1], p[2], p[3])),
                (x, (channels, size, size, 1)),
            )
            for p in pads[len(layers) % 4 :][:2]
        ]
    x = (1, 5, 7, 19)
    layers += [
        SingleLayer(Add(), (x, x)),
        SingleLayer(HardSwish(), (x,)),
        SingleLayer(Conv2d(), (x, (19, 1, 1, 19), (19,), x)),
        SingleLayer(Conv2d(pad=(1, 1, 1, 1)), (x, (19, 3, 3, 19), (19,), x)),
    ]
    return layers


def overlapping_network(*, alive: bool) -> Graph:
    draw = np.random.default_rng(3)
    nodes: list[Node] = []
    outputs: list[str] = []
    constants: dict[str, Array] = {}
    for number, layer in enumerate(in_place_layers()):
        more, names = chain(layer, number, alive=alive)
        nodes += more
        outputs += names
        constants |= layer.constants(number, draw)
    return Graph("overlapping", nodes, outputs, constants)


def aliased_steps(emitted: Emission) -> set[str]:
    return {overlap.result for overlap in emitted.plan.overlaps}


@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        ("gcc", X86_TARGETS[-1]),
        *(
            pytest.param(COMPILERS[n % 2], name, marks=pytest.mark.heavy)
            for n, name in enumerate(X86_TARGETS)
        ),
    ],
    indirect=["target"],
)
def test_overlapping_outputs_change_no_bit(compiler: Compiler, target: str, tmp_path: Path) -> None:
    results = []
    for alive in (False, True):
        graph = overlapping_network(alive=alive)
        emitted = emission(graph, target, fuse=False)
        layers = {f"out{number}" for number in range(len(in_place_layers()))}
        assert aliased_steps(emitted) & layers == (set() if alive else layers)
        folder = tmp_path / str(alive)
        folder.mkdir()
        program = emitted.build(folder, flags_of(target, compiler))
        results.append(emitted.run(program, normal_inputs(graph)))
    for name in results[0]:
        layer = in_place_layers()[int(name.removeprefix("end"))]
        np.testing.assert_array_equal(
            results[0][name].view("u4"), results[1][name].view("u4"), str(layer)
        )


def test_constants_of_one_float_are_packed(tmp_path: Path) -> None:
    """The smallest layer there is: one weight, one bias."""
    nodes = [
        Node("x", Input(), (), TensorType("f32", (1, 1, 1, 1))),
        Node("w", Const("w"), (), TensorType("f32", (1, 1, 1, 1))),
        Node("y", Conv2d(), ("x", "w"), TensorType("f32", (1, 1, 1, 1))),
    ]
    graph = Graph("least", nodes, ["y"], {"w": np.full((1, 1, 1, 1), 3.0, np.float32)})
    inputs = {"x": np.full((1, 1, 1, 1), 2.0, np.float32)}
    assert run(graph, "generic", None, tmp_path, inputs)["y"].item() == 6.0
