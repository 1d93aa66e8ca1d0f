"""Comparison of a compiled model with a reference, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from netgen.ir.graph import Graph
from netgen.ir.interpret import initial_states, interpret_measured, rounded_values
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, TensorType
from netgen.plan.data.plan import Plan
from netgen.plan.execute.memory import poisoned
from netgen.runtime.model import CompiledModel
from netgen.weights.seeded import uniform

Values = Mapping[str, Array]
# Calls are runs that follow each other.
Reference = Callable[[Mapping[str, Array]], Values]

# As many runs of a stream are compared: the beginning, and runs of what came before them.
_RUNS = 8


@dataclass(frozen=True)
class CodeErrors:
    """The number of codes that differ, of `total`, and the largest difference of two."""

    count: int
    total: int
    largest: int

    def __str__(self) -> str:
        by = f", by {self.largest} at most" if self.count else ""
        return f"{self.count:,} of {self.total:,}{by}"


@dataclass(frozen=True)
class LayerError:
    """The largest difference of one value, relative to the reference's largest magnitude.

    Codes count by what they stand for; `codes` are their differences, None of floats.
    """

    name: str
    max_relative_error: float
    codes: CodeErrors | None = None

    def as_json(self) -> dict[str, object]:
        """All of it by name, of floats without what only codes have."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison; `layers` are in the order of execution.

    `max_relative_error` is the worst of the outputs. Where codes were computed from computed
    floats, each layer counts, since it is compared by itself (`interpret_measured`). `codes` are
    the errors of all codes that were compared, None if there are none. `end_to_end` are, of those
    codes, the differences from a reference that was given nothing but the inputs: these are no
    fault, and None where it comes to the same. `rounding` is the worst error of the outputs of the
    reference against the network whose weights are not rounded, None where none are.
    """

    max_relative_error: float
    layers: tuple[LayerError, ...]
    codes: CodeErrors | None = None
    end_to_end: CodeErrors | None = None
    rounding: float | None = None

    def as_json(self) -> dict[str, object]:
        """All of it by name, without what a network of floats does not have."""
        document = {name: value for name, value in asdict(self).items() if value is not None}
        return document | {"layers": [layer.as_json() for layer in self.layers]}


def seeded_inputs(graph: Graph, run: int = 0) -> dict[str, Array]:
    """An input for every input of a graph, the same on every machine; others for other runs.

    Floats have a mean square of 1, codes are all that there are, equally often.
    """
    seed = f" {run}" if run else ""
    return {node.name: _seeded(f"{node.name}{seed}", node.type) for node in graph.inputs}


def seeded_runs(graph: Graph) -> list[dict[str, Array]]:
    """Inputs of one run; of several where runs depend on those before them."""
    return [seeded_inputs(graph, run) for run in range(_RUNS if graph.states else 1)]


def _seeded(name: str, kind: TensorType) -> Array:
    numbers = uniform(name, kind.shape)  # from -1 to 1
    if kind.element.is_float:
        return kind.element.store(numbers * np.sqrt(3.0))
    low, count = kind.element.low, kind.element.high - kind.element.low + 1
    codes = low + np.minimum(np.floor((numbers + 1.0) / 2.0 * count), count - 1)
    return kind.element.store(codes.astype(np.int64))


def relative_error(found: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """Largest |found - expected| / largest |expected|; infinite where either is not finite.

    The largest |found| where all that is expected is 0.
    """
    a, b = np.asarray(found, np.float64).ravel(), np.asarray(expected, np.float64).ravel()
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    scale = float(np.abs(b).max())
    return float(np.abs(a - b).max()) / scale if scale else float(np.abs(a).max())


def compare(
    model: CompiledModel,
    plan: Plan,
    graph: Graph,
    reference: Reference,
    *runs: Mapping[str, Array],
) -> Comparison:
    """Run model and reference on the same inputs; all values that the reference knows are compared.

    Each value is taken from memory right after the step that wrote it. `graph` is the network as it
    was declared: its own reference judges `rounded_values`, from the model's values before them.
    Several `runs` follow each other, in the model and as calls of the reference.
    """
    rounded, watched = rounded_values(graph), _Watched(model, plan)
    states = initial_states(graph)
    found = []
    for inputs in runs:
        alone = reference(inputs)
        measured, outputs = watched.run(inputs)
        values = measured, outputs
        found.append(_compared(plan, graph, rounded, (inputs, states), alone, values))
        states = _left(plan, graph, states, measured)
    return _merged(found)


def _left(plan: Plan, graph: Graph, before: Values, measured: Values) -> dict[str, Array]:
    """The states that the model's run has left, in the shapes that they were declared with."""
    left = {s.value: measured[s.next] for s in plan.states if s.next in measured}
    return {
        name: left.get(name, array).reshape(graph[name].type.shape)
        for name, array in before.items()
    }


def _compared(
    plan: Plan,
    graph: Graph,
    rounded: AbstractSet[str],
    given: tuple[Values, Values],
    alone: Values,
    values: tuple[dict[str, Array], dict[str, Array]],
) -> Comparison:
    """The comparison of one run, of these inputs and states."""
    inputs, states = given
    measured, outputs = values
    if rounded:
        # Each step is judged by itself, so all that is known of its operands is judged, too.
        kept = {
            state.value: states[state.value].reshape(plan.values[state.value].type.shape)
            for state in plan.states
        }
        measured = {**measured, **_views(plan, measured, {**inputs, **kept})}
        followed = interpret_measured(graph, inputs, measured, states)
        expected: Values = {**alone, **{name: followed[name] for name in rounded}}
    else:
        # The outputs show all faults: what else lies in their memory need not be compared.
        measured = {n: a for n, a in measured.items() if plan.buffer_of(n).in_arena}
        expected = alone
    found = {name: measured[name] for name in measured if name not in outputs} | outputs

    def error(name: str, source: str, known: Values) -> LayerError:
        return _error(name, plan.values[name].type, found[name], known[source])

    layers = tuple(error(name, name, expected) for name in found if name in expected)
    ends = tuple(error(name, _source(name, plan), expected) for name in plan.outputs)
    judged = {layer.name: layer for layer in (*layers, *ends)}
    apart = [error(name, name, alone) for name in found if name in rounded and name in alone]
    return Comparison(
        max(layer.max_relative_error for layer in (judged.values() if rounded else ends)),
        layers,
        _sum(judged.values()),
        _sum(apart),
    )


def _merged(found: Sequence[Comparison]) -> Comparison:
    """The worst of several runs; codes are counted in all of them."""
    if len(found) == 1:
        return found[0]
    layers = []
    for same in zip(*(comparison.layers for comparison in found), strict=True):
        worst = max(layer.max_relative_error for layer in same)
        layers.append(LayerError(same[0].name, worst, _sum(same)))
    ends = [comparison.end_to_end for comparison in found]
    return Comparison(
        max(comparison.max_relative_error for comparison in found),
        tuple(layers),
        _total([comparison.codes for comparison in found]),
        _total(ends),
    )


def _error(name: str, kind: TensorType, found: Array, expected: Array) -> LayerError:
    """The error of one value, whose codes stand for multiples of their distance from zero."""
    if kind.element.is_float:
        return LayerError(name, relative_error(found, expected))
    ours, theirs = (array.ravel().astype(np.int64) - kind.zero for array in (found, expected))
    apart = np.abs(ours - theirs)
    codes = CodeErrors(int(np.count_nonzero(apart)), apart.size, int(apart.max()))
    return LayerError(name, relative_error(ours, theirs), codes)


def _sum(layers: Iterable[LayerError]) -> CodeErrors | None:
    """The errors of all codes together, None if there are no codes."""
    return _total([layer.codes for layer in layers])


def _total(errors: Iterable[CodeErrors | None]) -> CodeErrors | None:
    found = [codes for codes in errors if codes is not None]
    if not found:
        return None
    return CodeErrors(
        sum(codes.count for codes in found),
        sum(codes.total for codes in found),
        max(codes.largest for codes in found),
    )


def _source(output: str, plan: Plan) -> str:
    """The value that an output is a copy of, where the plan had to copy one."""
    for step in plan.steps:
        operands = [plan.values[name].type for name in step.reads.values()]
        if step.writes == output and step.op.is_identity(operands, plan.values[output].type):
            return step.reads["x"]
    return output


class _Watched:
    """Runs of a model that follow each other, and the values that its steps have written."""

    def __init__(self, model: CompiledModel, plan: Plan) -> None:
        self._model, self._plan = model, plan
        self._run = model.runs_with_hook(self._collect)
        self._found: dict[str, Array] = {}
        self._done: list[int] = []
        self._memory: dict[str, Array] = {}

    def run(self, inputs: Values) -> tuple[dict[str, Array], dict[str, Array]]:
        """All values of one run by name, in the order of execution, and the outputs.

        Rows are as they stood when they were written, in the arena or in the caller's memory.
        """
        plan = self._plan
        self._found, self._done = {}, [0] * len(plan.steps)
        results = self._model.new_results(1)
        self._memory = {
            plan.values[name].runs[0].buffer: result.reshape(-1).view(np.uint8)
            for name, result in zip(plan.outputs, results, strict=True)
        }
        outputs = self._run(*[inputs[name][0] for name in plan.inputs], results=results) or ()
        return self._found, dict(zip(plan.outputs, outputs, strict=True))

    def _collect(self, index: int, arena: Array) -> None:
        """Take what a step, or a band of it, has just written."""
        plan, done = self._plan, self._done
        step = plan.steps[index]
        buffer, kind = plan.buffer_of(step.writes), plan.values[step.writes].type
        shape = kind.shape
        first, done[index] = done[index], done[index] + step.rows
        rows = slice(first, done[index]) if len(shape) == 4 else slice(0, 1)
        if step.op.sums_rows:
            rows = slice(0, 1)
        start = arena[buffer.offset :] if buffer.in_arena else self._memory[buffer.name]
        held = start[: buffer.bytes].view(kind.element.storage)
        written = held[plan.elements(step.writes, rows.start, rows.stop)]
        value = self._found.setdefault(step.writes, poisoned(kind))
        if len(shape) == 4:
            value[:, rows] = written
        else:
            value[:] = written.reshape(shape)


def _views(plan: Plan, found: Values, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Values that no step computed, which show what steps did."""
    known = {**inputs, **found}
    views: dict[str, Array] = {}
    for name, value in plan.values.items():
        if value.view is not None:
            types = tuple(plan.values[operand].type for operand in value.view.operands)
            operands = [known[operand] for operand in value.view.operands]
            views[name] = known[name] = value.view.op.reference(
                operands, Signature(types, value.type)
            )
    return views
