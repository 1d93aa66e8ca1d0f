"""Every architecture, on every target: C against NumPy and ONNX Runtime, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import netgen
from netgen.ir.interpret import interpret
from netgen.kernels.targets import find_target
from netgen.models import NETWORKS
from netgen.report.verify import TOLERANCES, Judge, verify_graph
from netgen.runtime.compare import seeded_inputs
from tests.emission.programs import emission
from tests.kernels.layers import worst_errors
from tests.tools import AARCH64_GCC, require_processor

pytestmark = pytest.mark.usefixtures("as_users_compile")

Case = tuple[str, dict[str, Any]]
# Sizes with odd halves and one pixel at the end; the thinnest networks of each paper.
CASES: list[Case] = [
    ("mobilenet_v1", {"alpha": 0.25, "input_size": 17, "classes": 3}),
    ("mobilenet_v2", {"alpha": 0.35, "input_size": 17, "classes": 3}),
    ("mobilenet_v3_small", {"alpha": 0.35, "input_size": 40, "classes": 7}),
    ("mobilenet_v3_large", {"alpha": 0.35, "input_size": 33, "classes": 7}),
    *[
        ("shufflenet_v1", {"groups": groups, "scale": 0.25, "input_size": 33, "classes": 10})
        for groups in (1, 2, 3, 4, 8)
    ],
    ("shufflenet_v2", {"scale": 0.5, "input_size": 33, "classes": 10}),
    ("shufflenet_v2", {"scale": 1.0, "input_size": 8, "classes": 10, "stem": "cifar"}),
    ("resnet18", {"input_size": 17, "classes": 10}),
    ("resnet34", {"input_size": 17, "classes": 10}),
    ("resnet50", {"input_size": 17, "classes": 10}),
    ("resnet8", {"input_size": 9}),
    ("resnet8", {"input_size": 12, "padding": "torch", "batch_norm": False}),
    ("resnet20", {"input_size": 9}),
    ("resnet20", {"input_size": 9, "shortcuts": "B"}),
    ("ds_cnn", {"height": 13, "width": 5, "filters": 24}),
    ("squeezenet", {"input_size": 33, "classes": 10}),
]
# Squeeze and excite, and grouped convolutions with shuffles; the others are larger, or of these
# kinds, or stand in end_to_end (mobilenet_v1 and v2, resnet20).
QUICK: list[Case] = [
    *[case for case in CASES if case[0] == "mobilenet_v3_small"],
    ("shufflenet_v1", {"groups": 3, "scale": 0.25, "input_size": 17, "classes": 10}),
]
# Every network meets two of them, of which the second fuses.
TARGETS = ("generic", "x86-64-v2", "x86-64-v3", "x86-64-v4")
WHOLE: list[Case] = [
    *[("shufflenet_v1", {"groups": groups}) for groups in (1, 2, 3, 4, 8)],
    *[("shufflenet_v2", {"scale": scale}) for scale in (0.5, 1.0, 1.5, 2.0)],
    ("mobilenet_v3_small", {}),
    ("mobilenet_v3_large", {}),
    ("resnet18", {}),
    ("resnet50", {}),
    ("squeezenet", {}),
    ("resnet8", {}),
    ("resnet20", {}),
    ("ds_cnn", {}),
]
SHORT = ("mobilenet_v3_small", "resnet8", "resnet20", "ds_cnn")
EMULATED: list[Case] = [
    ("shufflenet_v1", {"groups": 3, "scale": 0.5, "input_size": 48}),
    ("shufflenet_v2", {"scale": 0.5, "input_size": 48}),
    ("mobilenet_v3_small", {"input_size": 48}),
    ("resnet20", {}),
    ("ds_cnn", {}),
]


def check(case: Case, target: str, against: Judge) -> None:
    """The outputs and every layer that both know are within the judge's tolerance."""
    require_processor(target)
    name, parameters = case
    graph = netgen.load(name, **parameters)
    comparison = verify_graph(graph, target, against)
    assert 0.0 < comparison.max_relative_error < TOLERANCES[against]
    for layer in comparison.layers:
        assert layer.max_relative_error < TOLERANCES[against], layer.name
    # Every layer with weights, whatever has been fused with it.
    weighted = [node for node in graph.activations if graph.is_const(node.operands[-1])]
    layers = [n for n in weighted if n.op.operator_name != "batch_norm"]
    assert len(comparison.layers) >= len(layers)


def test_every_architecture_is_here() -> None:
    assert {name for name, _ in CASES} == set(NETWORKS)


@pytest.mark.parametrize("case", QUICK, ids=str)
def test_this_machine(case: Case) -> None:
    """The best code for it; ONNX Runtime, which runs the exported graph, judges in CI."""
    check(case, "native", "numpy")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("case", "target"),
    [
        pytest.param(case, target, id=f"{case}-{target}")
        for n, case in enumerate(CASES)
        for m, target in enumerate(TARGETS)
        if (n + m) % 2 == 0
    ],
)
def test_targets(case: Case, target: str) -> None:
    """A peer's results for the exported graph do not depend on the target, and are less exact."""
    check(case, target, "numpy")
    if target in TARGETS[2:]:
        check(case, target, "onnxruntime")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("case", "against"),
    [
        *(pytest.param(case, "onnxruntime", id=f"{case}-onnxruntime") for case in WHOLE),
        # It is slow, and has judged each kind of layer above; of these it needs seconds.
        *(pytest.param(case, "numpy", id=f"{case}-numpy") for case in WHOLE if case[0] in SHORT),
    ],
)
def test_whole(case: Case, against: Judge) -> None:
    """Networks of the size that the papers have."""
    check(case, "native", against)


@pytest.mark.heavy
@pytest.mark.parametrize("case", EMULATED, ids=str)
def test_aarch64(case: Case, tmp_path: Path) -> None:
    name, parameters = case
    graph = netgen.load(name, **parameters)
    emitted = emission(graph, "aarch64")
    program = emitted.build(
        tmp_path, [AARCH64_GCC, "-static", *find_target("aarch64").flags("gcc")]
    )
    inputs = seeded_inputs(graph)
    found = emitted.run(program, inputs)
    assert max(worst_errors(found, interpret(graph, inputs)).values()) < 1e-5
