"""An operator's own statements suffice to plan it, check the plan and execute it, in bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import netgen.kernels
from netgen.ir.graph import Graph, Node
from netgen.ir.interpret import interpret
from netgen.ir.operator import Input, Operator, Signature
from netgen.ir.rows import Reach
from netgen.ir.tensor_type import Array, TensorType
from netgen.kernels import KERNELS
from netgen.kernels.layer import ByRows, Json, Kernel, Layer
from netgen.kernels.targets import TARGETS, Target
from netgen.ops.relu import Relu
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.plan import Plan
from netgen.plan.execute.interpreter import execute
from tests.plan.small_graphs import images


@dataclass(frozen=True)
class RowMax(Operator):
    """The larger of row 2i and row 2i + 1 of x f32[1,H,W,C]."""

    operator_name: ClassVar[str] = "row_max"
    keeps_range: ClassVar[bool] = True

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        _, rows, columns, channels = operands[0].shape
        return operands[0].with_shape((1, rows // 2, columns, channels))

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach:
        del letter, operands, result
        return Reach(size=2, stride=2)

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        return np.maximum(operands[0][:, 0::2], operands[0][:, 1::2])


@dataclass(frozen=True)
class GlobalMax(Operator):
    """The largest of all pixels of x f32[1,H,W,C]: f32[1,1,1,C]."""

    operator_name: ClassVar[str] = "global_max"
    sums_rows: ClassVar[bool] = True

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        return operands[0].with_shape((1, 1, 1, operands[0].shape[3]))

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach:
        del letter, operands, result
        return Reach()

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        return np.asarray(operands[0].max(axis=(1, 2), keepdims=True))

    def reference_sum(
        self, before: Array, x: Array, signature: Signature, first: int, end: int
    ) -> Array:
        del signature
        largest = x[:, first:end].max(axis=(1, 2), keepdims=True)
        return np.asarray(np.maximum(before, largest) if first else largest)


class AddedKernel(Kernel):
    """A kernel of which only the plan is of interest."""

    numeric_form: ClassVar[str] = "added"
    any_layout: ClassVar[bool] = True

    def accepts(self, layer: Layer) -> bool:
        return isinstance(layer.op, self.operators)

    def title(self, layer: Layer) -> str:
        return f"{layer.op.operator_name}_{layer.result.elements}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        del target
        return {"elements": layer.result.elements}


class RowMaxKernel(AddedKernel):
    name: ClassVar[str] = "row_max_added"
    operators: ClassVar[tuple[type[Operator], ...]] = (RowMax,)
    by_rows: ClassVar[ByRows] = "window"


class GlobalMaxKernel(AddedKernel):
    name: ClassVar[str] = "global_max_added"
    operators: ClassVar[tuple[type[Operator], ...]] = (GlobalMax,)
    by_rows: ClassVar[ByRows] = "sums"


def added_graph() -> Graph:
    image, half = TensorType("f32", (1, 12, 5, 4)), TensorType("f32", (1, 6, 5, 4))
    last = TensorType("f32", (1, 1, 1, 4))
    nodes = (
        Node("image", Input(), (), image),
        Node("a", Relu(), ("image",), image),
        Node("m", RowMax(), ("a",), half),
        Node("r", Relu(), ("m",), half),
        Node("g", GlobalMax(), ("r",), last),
        Node("y", Relu(), ("g",), last),
    )
    return Graph("added", nodes, ("y",))


def planned(options: PlanOptions) -> Plan:
    plan = build_plan(added_graph(), TARGETS[0], options)
    check_plan(plan)
    return plan


@pytest.mark.parametrize("pushed", [False, True])
def test_an_operator_s_own_facts_are_enough(
    monkeypatch: pytest.MonkeyPatch, *, pushed: bool
) -> None:
    monkeypatch.setattr(netgen.kernels, "KERNELS", (*KERNELS, RowMaxKernel(), GlobalMaxKernel()))
    plan = planned(PlanOptions(ram=600, input="rows", accept_gap=True) if pushed else PlanOptions())
    assert any(step.rows == 1 for step in plan.steps[:-1]) == pushed
    # Two rows of %a wait for one of %m; %m and %r go through in one row each.
    if pushed:
        held = {name: plan.buffer_of(name).rows for name in ("a", "m", "r")}
        assert held["a"] == 2
        assert held["m"] == held["r"] == 1
    graph = added_graph()
    found = execute(plan, graph, images(graph))["y"]
    np.testing.assert_array_equal(found, interpret(graph, images(graph))["y"].astype(np.float32))
