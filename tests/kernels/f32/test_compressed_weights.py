"""Weights of floats that are stored as float16 or int8, against NumPy's own rounding of them.

The judge rounds by search among all halves, and by fractions, unlike what packs.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.errors import PlanError, UsageError, WeightsError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.tensor_type import Array
from netgen.kernels.targets import find_target
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions, WeightsDtype
from netgen.plan.packing import pack_weights
from netgen.plan.restored import restored_graph
from netgen.report.verify import verify_graph
from tests.cases import heavy
from tests.emission.programs import WARNINGS, emission, flags_of
from tests.kernels.layers import (
    CORNERS,
    Floats,
    SingleLayer,
    drawn_layers,
    network_of,
    normal_inputs,
    worst_errors,
)
from tests.tools import AARCH64_GCC, require_processor

DTYPES: tuple[WeightsDtype, ...] = ("float16", "int8")
LIMIT = 1e-5
PRODUCTS = ("pointwise", "linear", "conv2d", "grouped", "dilated")

# All finite halves, both zeros among them, in the order of their bits.
BITS = np.setdiff1d(np.arange(1 << 16), [n for n in range(1 << 16) if n & 0x7C00 == 0x7C00])
HALVES = BITS.astype("<u2").view("<f2").astype(np.float64)
# As many outputs and inputs as there are halves; images of one number in each pixel show weights.
SHOWN = SingleLayer(Conv2d(), ((1, 1, 256, 256), (248, 1, 1, 256)))


def half(w: Array) -> Floats:
    """The nearest halves; of two that are as near, the one whose last bit is 0."""
    order = np.argsort(HALVES, kind="stable")
    known, even = HALVES[order], BITS[order] % 2 == 0
    above = np.clip(np.searchsorted(known, w.astype(np.float64)), 1, len(known) - 1)
    below = above - 1
    far, near = known[above] - w, w - known[below]
    upper = (far < near) | ((far == near) & even[above])
    return np.where(upper, known[above], known[below]).astype(np.float32)


def code(w: Array) -> Floats:
    """Whole multiples of a scale of each output, -127 to 127."""
    rows = []
    for row in w.reshape(len(w), -1).tolist():
        scale = np.float32(float(Fraction(max(map(abs, row)))) / 127)
        nearest = [round(Fraction(v) / Fraction(float(scale))) if scale else 0 for v in row]
        rows.append([float(scale) * max(min(q, 127), -127) for q in nearest])
    return np.array(rows, np.float32).reshape(w.shape)


def rounded(graph: Graph, dtype: WeightsDtype) -> Graph:
    """The graph whose weights of dense products are rounded by the judge."""
    judge = half if dtype == "float16" else code
    dense = [n for n in graph.nodes if isinstance(n.op, Conv2d | Linear)]
    constants = dict(graph.constants)
    constants |= {n.operands[1]: judge(constants[n.operands[1]]) for n in dense}
    return Graph(graph.name, graph.nodes, graph.outputs, constants)


def network() -> Graph:
    """All halves at first, then layers of all kernels, some by channel: these stay as they are."""
    layers = [SHOWN, *CORNERS, *drawn_layers(5, PRODUCTS, 15)]
    graph = network_of(layers)
    halves = HALVES.reshape(248, 1, 1, 256).astype(np.float32)
    return Graph(graph.name, graph.nodes, graph.outputs, {**graph.constants, "w0": halves})


def images(graph: Graph) -> dict[str, Floats]:
    """Inputs of unit variance, but for the first: each of its pixels has one 1."""
    eye = np.eye(256, dtype=np.float32).reshape(1, 1, 256, 256)
    return {**normal_inputs(graph), "x0": eye}


@pytest.mark.parametrize(
    ("dtype", "target", "compiler"),
    [
        *((dtype, "generic", None) for dtype in DTYPES),
        *(
            heavy(dtype, target, compiler)
            for dtype in DTYPES
            for target, compiler in (
                ("x86-64-v2", None),
                ("x86-64-v3", "clang"),
                ("x86-64-v4", "gcc"),
                ("aarch64", None),
            )
        ),
    ],
)
def test_products_are_those_of_rounded_weights(
    dtype: WeightsDtype, target: str, compiler: str | None, tmp_path: Path
) -> None:
    graph = network()
    inputs = images(graph)
    # As arrays of C, whose words are of the weights' type.
    emitted = emission(graph, target, "c", fuse=False, memory=PlanOptions(weights_dtype=dtype))
    if target == "aarch64":
        command = [AARCH64_GCC, *find_target(target).flags("gcc")]
    else:
        require_processor(target)
        command = flags_of(target, "clang" if compiler == "clang" else None)
    # The driver clears an arena of no bytes.
    command += [*WARNINGS, "-Wno-memset-transposed-args"]
    found = emitted.run(emitted.build(tmp_path, command), inputs)
    expected = interpret(rounded(graph, dtype), inputs)
    assert max(worst_errors(found, expected).values()) < LIMIT
    shown = (half if dtype == "float16" else code)(graph.constants["w0"])
    np.testing.assert_array_equal(found["out0"][0, 0].T, shown[:, 0, 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_plan_says_what_it_computes(dtype: WeightsDtype) -> None:
    graph = network()
    plan = build_plan(graph, find_target("generic"), PlanOptions(weights_dtype=dtype))
    restored, judged = restored_graph(plan, graph), rounded(graph, dtype)
    for node in graph.activations:
        if isinstance(node.op, Conv2d | Linear | DepthwiseConv2d):
            ours = restored.constant(restored[node.name].operands[1])
            np.testing.assert_array_equal(ours, judged.constant(node.operands[1]))


@pytest.mark.parametrize(("dtype", "each", "header"), [("float16", 2, 4), ("int8", 1, 8)])
def test_bytes_are_those_of_the_type(dtype: WeightsDtype, each: int, header: int) -> None:
    """Each weight takes so many, and each output so many for its bias and scale."""
    layer = SingleLayer(Conv2d(), ((1, 2, 3, 40), (48, 1, 1, 40), (48,)))
    for name in ("generic", "x86-64-v4", "aarch64"):
        target = find_target(name)
        plan = build_plan(network_of([layer]), target, PlanOptions(weights_dtype=dtype))
        (step,) = plan.steps
        assert step.weights is not None
        assert step.weights.bytes == 48 * (40 * each + header)


def test_what_float16_cannot_hold_is_refused_by_name() -> None:
    graph = network_of([SingleLayer(Linear(), ((1, 3), (2, 3), (2,)))])
    options = PlanOptions(weights_dtype="float16")
    plan = build_plan(graph, find_target("generic"), options)
    for value, fits in ((65504.0, True), (65505.0, False), (-7e4, False)):
        w = np.zeros((2, 3), np.float32)
        w[1, 2] = value
        changed = Graph(graph.name, graph.nodes, graph.outputs, {**graph.constants, "w0": w})
        if fits:
            pack_weights(plan, changed)
            continue
        says = r"%out0: .* fit into float16, expected at most 65504, found .*--weights-dtype int8"
        with pytest.raises(WeightsError, match=says):
            pack_weights(plan, changed)


def test_there_must_be_weights_to_compress() -> None:
    graph = network_of([SingleLayer(DepthwiseConv2d(), ((1, 4, 4, 3), (3, 2, 2, 1), (3,)))])
    with pytest.raises(UsageError, match="no weights of floats to compress"):
        build_plan(graph, find_target("generic"), PlanOptions(weights_dtype="int8"))


@pytest.mark.parametrize("weights", ["f32", "i8", "f64"])
def test_a_plan_of_other_weights_is_refused(weights: str) -> None:
    graph = network_of([SingleLayer(Linear(), ((1, 3), (2, 3), (2,)))])
    plan = build_plan(graph, find_target("generic"), PlanOptions(weights_dtype="float16"))
    (instance,) = plan.instances
    other = replace(instance, parameters={**instance.parameters, "weights": weights})
    with pytest.raises(PlanError):
        check_plan(replace(plan, instances=(other,)))


@pytest.mark.heavy
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("target", ["generic", "x86-64-v4"])
def test_plans_change_no_bit(dtype: WeightsDtype, target: str) -> None:
    """Bands, threads, shared functions; and floats whose weights are rounded likewise."""
    require_processor(target)
    graph = netgen.load("mobilenet_v2", alpha=0.35, input_size=32, classes=10)
    image = normal_inputs(graph)[graph.inputs[0].name]

    def run(options: PlanOptions) -> Array:
        return np.asarray(netgen.compile(graph, target=target, **options.keywords())(image))

    plain = PlanOptions(weights_dtype=dtype)
    first = run(plain)
    for other in (
        replace(plain, ram="least"),
        replace(plain, threads=2),
        replace(plain, small=True),
        replace(plain, input="arena"),
    ):
        np.testing.assert_array_equal(run(other), first)


@pytest.mark.heavy
@pytest.mark.parametrize("dtype", DTYPES)
def test_verify_rounds_as_well(dtype: WeightsDtype) -> None:
    graph = netgen.load("shufflenet_v1", input_size=32, classes=10)
    found = verify_graph(graph, "native", "numpy", planning=PlanOptions(weights_dtype=dtype))
    assert found.max_relative_error < LIMIT
    assert found.rounding is not None
    assert 1e-5 < found.rounding < {"float16": 2e-3, "int8": 5e-2}[dtype]
