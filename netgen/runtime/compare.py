"""Comparison of a compiled model with a reference, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array, TensorType
from netgen.plan.data.plan import Plan
from netgen.plan.execute.memory import poisoned
from netgen.runtime.model import CompiledModel
from netgen.weights.seeded import uniform

Values = Mapping[str, Array]
Reference = Callable[[Mapping[str, Array]], Values]


@dataclass(frozen=True)
class LayerError:
    """The largest difference of one value, relative to the reference's largest magnitude."""

    name: str
    max_relative_error: float


@dataclass(frozen=True)
class Comparison:
    """`max_relative_error` is the worst of the outputs; `layers` are in the order of execution."""

    max_relative_error: float
    layers: tuple[LayerError, ...]


def seeded_inputs(graph: Graph) -> dict[str, Array]:
    """An input for every input of a graph, the same on every machine.

    Floats have a mean square of 1, codes are all that there are, equally often.
    """
    return {node.name: _seeded(node.name, node.type) for node in graph.inputs}


def _seeded(name: str, kind: TensorType) -> Array:
    numbers = uniform(name, kind.shape)  # from -1 to 1
    if kind.element.is_float:
        return kind.element.store(numbers * np.sqrt(3.0))
    low, count = kind.element.low, kind.element.high - kind.element.low + 1
    codes = low + np.minimum(np.floor((numbers + 1.0) / 2.0 * count), count - 1)
    return kind.element.store(codes.astype(np.int64))


def relative_error(found: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """Largest |found - expected| / largest |expected|; infinite where either is not finite."""
    a, b = np.asarray(found, np.float64).ravel(), np.asarray(expected, np.float64).ravel()
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    scale = float(np.abs(b).max())
    return float(np.abs(a - b).max()) / scale if scale else float(np.abs(a).max())


def compare(
    model: CompiledModel,
    plan: Plan,
    reference: Reference,
    inputs: Mapping[str, Array],
) -> Comparison:
    """Run model and reference on the same inputs; all values that the reference knows are compared.

    Each value is taken from the arena right after the step that wrote it.
    """
    expected = reference(inputs)
    found = _values(model, plan, [inputs[name][0] for name in plan.inputs])
    layers = tuple(
        LayerError(name, relative_error(found[name], expected[name]))
        for name in found
        if name in expected
    )
    outputs = [relative_error(found[name], expected[_source(name, plan)]) for name in plan.outputs]
    return Comparison(max(outputs), layers)


def _source(output: str, plan: Plan) -> str:
    """The value that an output is a copy of, where the plan had to copy one."""
    for step in plan.steps:
        operands = [plan.values[name].type for name in step.reads.values()]
        if step.writes == output and step.op.is_identity(operands, plan.values[output].type):
            return step.reads["x"]
    return output


def _values(model: CompiledModel, plan: Plan, images: Sequence[Array]) -> dict[str, Array]:
    """All values of one run by name, in the order of execution: rows as they stood when written."""
    found: dict[str, Array] = {}
    done = [0] * len(plan.steps)

    def collect(index: int, arena: Array) -> None:
        step = plan.steps[index]
        buffer, kind = plan.buffer_of(step.writes), plan.values[step.writes].type
        shape = kind.shape
        first, done[index] = done[index], done[index] + step.rows
        if buffer.kind != "arena":
            return
        rows = slice(first, done[index]) if len(shape) == 4 else slice(0, 1)
        if step.op.sums_rows:
            rows = slice(0, 1)
        held = arena[buffer.offset : buffer.offset + buffer.bytes].view(kind.element.storage)
        written = held[plan.elements(step.writes, rows.start, rows.stop)]
        value = found.setdefault(step.writes, poisoned(kind))
        if len(shape) == 4:
            value[:, rows] = written
        else:
            value[:] = written.reshape(shape)

    outputs = model.run_with_hook(*images, hook=collect) or ()
    return found | dict(zip(plan.outputs, outputs, strict=True))
