"""The plan interpreter: executes a plan in NumPy on one poisoned byte arena.

Rows are read and written through slots, runs, buffers and offsets alone, so a wrong offset, life,
ring or overlap gives wrong numbers, or NaN. Operators mean what their NumPy reference says, in
float64 and int64, and every result is rounded to its element type when it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from netgen.ir.graph import Graph
from netgen.ir.inputs import input_array
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array
from netgen.ops.window import slides_by_channel
from netgen.plan.data.execution_order import Band, execution_order, height
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Plan, Step
from netgen.plan.execute.in_place import run_in_place
from netgen.plan.execute.memory import Memory, poisoned


def execute(
    plan: Plan,
    graph: Graph,
    inputs: Mapping[str, npt.ArrayLike],
    memory: Memory | None = None,
) -> dict[str, Array]:
    """All values by name, inputs included, each row as it stood in memory right after its step.

    `inputs` maps each input's name to an array of its shape; `graph` holds the constants. A run
    follows those before it in the same `memory`, of which only the states are left then. Raises
    InputError for missing or misshapen inputs, PlanError where a step has no order of execution.
    """
    if memory is None:
        memory = Memory(plan)
        memory.reset(graph)
    found = {name: poisoned(value.type) for name, value in plan.values.items()}
    for state in plan.states:
        memory.read_into(found[state.value], state.value, slice(None))
    images = {}
    for name in plan.inputs:
        kind = plan.values[name].type
        images[name] = kind.element.store(input_array(name, kind, inputs))
    for name, image in images.items():
        if not plan.push_rows:
            memory.write(name, 0, image)
        found[name] = image
    segment = 0
    for band in execution_order(plan):
        while band.step > plan.segments[segment].last:
            memory.poison_dead(segment)
            segment += 1
        if band.step < 0:
            (name,) = plan.inputs
            memory.write(name, band.first, images[name][:, band.first : band.end])
            continue
        step = plan.steps[band.step]
        _run(memory, graph, step, band)
        if step.op.sums_rows and band.end < height(plan, step):
            continue
        rows = slice(None) if step.op.sums_rows else slice(band.first, band.end)
        memory.read_into(found[step.writes], step.writes, rows)
    memory.keep_states()
    return _with_views(plan, found)


def _with_views(plan: Plan, found: dict[str, Array]) -> dict[str, Array]:
    """The values with those that no step computes."""
    for name, value in plan.values.items():
        if value.view is not None:
            types = tuple(plan.values[operand].type for operand in value.view.operands)
            operands = [found[operand] for operand in value.view.operands]
            found[name] = value.view.op.reference(operands, Signature(types, value.type))
    return found


def _run(memory: Memory, graph: Graph, step: Step, band: Band) -> None:
    """Execute one band; where its rows take an operand's place, in the order of the kernel."""
    plan = memory.plan
    constants: dict[str, Array] = {
        letter: graph.constant(each.name).astype(each.type.element.working)
        for letter, each in step.constants.items()
    }
    types, result = operand_types(plan, step), plan.values[step.writes].type
    signature = Signature(tuple(types.values()), result, graph.scales((*types.values(), result)))
    if slides_by_channel(step.op) and memory.meets(step, band):
        run_in_place(memory, step, constants, signature, band)
        return
    reaches = {letter: step.op.row_reach(letter, types, result) for letter in step.reads}
    operands = dict(constants)
    for letter, name in step.reads.items():
        reached = memory.read_reached(name, reaches[letter], band)
        operands[letter] = reached.astype(types[letter].element.working)
    if step.op.sums_rows:
        _add_rows(memory, step, operands["x"], signature, band)
        return
    memory.poison_scratch(step)
    rows = band.first, band.end
    found = step.op.reference_rows([operands[letter] for letter in types], signature, *rows)
    memory.write(step.writes, band.first, found)


def _add_rows(memory: Memory, step: Step, x: Array, signature: Signature, band: Band) -> None:
    """Add a band to the sums, which wait in the result, or in scratch where types differ."""
    result = signature.result
    sums = step.op.sum_type(result)
    apart = sums != result
    before = np.zeros(sums.shape, sums.element.working)
    if band.first:
        before = memory.read_sums(step, sums) if apart else memory.read(step.writes, 0, 1)
    else:
        memory.poison_scratch(step)
    found = step.op.reference_sum(before, x, signature, band.first, band.end)
    if apart and band.end < height(memory.plan, step):
        memory.write_sums(step, sums, found)
    else:
        memory.write(step.writes, 0, found)
