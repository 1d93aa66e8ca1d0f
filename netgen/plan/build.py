"""Graph -> plan: schedule, overlaps, offsets, kernel instances, packed weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from netgen.errors import WeightsError
from netgen.ir.graph import Graph
from netgen.kernels import find_kernel
from netgen.kernels.layer import Instance, Json, Layer, Packed
from netgen.kernels.targets import Target, find_target
from netgen.plan.arena import extent, lower_bound, place
from netgen.plan.overlap import Merged, choose_overlaps, round_up
from netgen.plan.plan import (
    Buffer,
    Certificate,
    Overlap,
    PackedWeights,
    Plan,
    Rectangle,
    Step,
)
from netgen.plan.schedule import Call, Schedule, schedule


def build_plan(graph: Graph, target: Target) -> Plan:
    """Plan a graph that has been through the passes. Raises PlanError."""
    scheduled = schedule(graph, target)
    overlaps, merged = choose_overlaps(scheduled, target.alignment)
    offsets = place([m.block for m in merged])
    instances, indices = _instances(scheduled, overlaps, target)
    steps, weights_bytes = _steps(scheduled.calls, indices, target)
    return Plan(
        network=graph.name,
        target=target.name,
        alignment=target.alignment,
        inputs=tuple(node.name for node in graph.inputs),
        outputs=scheduled.graph.outputs,
        values=scheduled.values,
        buffers=_placed(scheduled.buffers, merged, offsets),
        rectangles=tuple(
            Rectangle(tuple(m.offsets), m.block.bytes, m.block.first, m.block.last, offset)
            for m, offset in zip(merged, offsets, strict=True)
        ),
        overlaps=tuple(overlaps),
        instances=instances,
        steps=steps,
        certificate=_certify(merged, offsets),
        weights_bytes=weights_bytes,
    )


def _certify(merged: Sequence[Merged], offsets: Sequence[int]) -> Certificate:
    blocks = [m.block for m in merged]
    size, bound = extent(blocks, offsets), lower_bound(blocks)
    return Certificate(size, bound, size - bound)


def _placed(
    buffers: Mapping[str, Buffer], merged: Sequence[Merged], offsets: Sequence[int]
) -> dict[str, Buffer]:
    """Buffers with their final offsets."""
    placed = dict(buffers)
    for rectangle, base in zip(merged, offsets, strict=True):
        for name, offset in rectangle.offsets.items():
            placed[name] = replace(buffers[name], offset=base + offset)
    return placed


def _instances(
    scheduled: Schedule, overlaps: Sequence[Overlap], target: Target
) -> tuple[tuple[Instance, ...], list[int]]:
    """Distinct kernel instances, and the index of each call's.

    A call whose output overlaps an operand needs a function without `restrict` on the two, and on
    any other operand that is the same buffer.
    """
    aliased = _aliased(scheduled, overlaps)
    instances: list[Instance] = []
    known: dict[str, int] = {}
    names: set[str] = set()
    indices = []
    for index, call in enumerate(scheduled.calls):
        parameters: dict[str, Json] = call.kernel.parameters(call.layer, target)
        parameters["aliased"] = [*aliased.get(index, ())]
        key = json.dumps([call.kernel.name, parameters, *call.reads], sort_keys=True)
        if key not in known:
            title = call.kernel.title(call.layer)
            if index in aliased:
                title += "_over_" + "_".join(aliased[index])
            name = _unused(title, names)
            arguments = tuple(call.reads)
            known[key] = len(instances)
            instances.append(
                Instance(call.kernel.name, name, arguments, bool(call.kernel.constants), parameters)
            )
        indices.append(known[key])
    return tuple(instances), indices


def _aliased(scheduled: Schedule, overlaps: Sequence[Overlap]) -> dict[int, tuple[str, ...]]:
    """By step: the letters of the operands that share memory with the output."""
    aliased = {}
    for overlap in overlaps:
        reads = scheduled.calls[overlap.step].reads
        homes = {a: scheduled.values[value].runs[0].buffer for a, value in reads.items()}
        aliased[overlap.step] = tuple(a for a in reads if homes[a] == homes[overlap.letter])
    return aliased


def _unused(name: str, names: set[str]) -> str:
    candidate, count = name, 1
    while candidate in names:
        count += 1
        candidate = f"{name}_{count}"
    names.add(candidate)
    return candidate


def _steps(
    calls: Sequence[Call], indices: Sequence[int], target: Target
) -> tuple[tuple[Step, ...], int]:
    """Steps, with the places of their weights; equal constants are packed once per kernel."""
    steps = []
    places: dict[str, PackedWeights] = {}
    end = 0
    for call, index in zip(calls, indices, strict=True):
        weights: PackedWeights | None = None
        if call.kernel.constants:
            blank = {
                letter: np.ones(kind.shape, np.float32)
                for letter, kind in call.layer.operands.items()
                if letter in call.constants
            }
            elements = call.kernel.pack(call.layer, target, blank).size
            key = json.dumps([index, call.constants], sort_keys=True)
            if key not in places:
                places[key] = PackedWeights(end, elements)
                end = round_up(end + 4 * elements, target.alignment)
            weights = places[key]
        shape = call.layer.result.shape
        steps.append(
            Step(
                name=call.node.name,
                op=call.node.op,
                kernel=call.kernel.name,
                numeric_form=call.kernel.numeric_form,
                instance=index,
                reads=call.reads,
                constants=call.constants,
                writes=call.node.name,
                weights=weights,
                macs=call.layer.macs(),
                rows=shape[1] if len(shape) == 4 else 1,
            )
        )
    return tuple(steps), end


def step_layer(plan: Plan, graph: Graph, step: Step) -> Layer:
    """The layer of a step, with its operands in the order of the formula."""
    types = {
        letter: plan.values[step.reads[letter]].type
        if letter in step.reads
        else graph[step.constants[letter]].type
        for letter in step.op.letters(len(step.reads))
        if letter in step.reads or letter in step.constants
    }
    return Layer(step.op, types, plan.values[step.writes].type, frozenset(step.constants))


def pack_weights(plan: Plan, graph: Graph) -> Packed:
    """All packed constants as one array of float32; the gaps of alignment are zero."""
    target = find_target(plan.target)
    packed = np.zeros(plan.weights_bytes // 4, np.float32)
    for step in plan.steps:
        if step.weights is None:
            continue
        arrays = {letter: graph.constant(name) for letter, name in step.constants.items()}
        content = find_kernel(step.kernel).pack(step_layer(plan, graph, step), target, arrays)
        if not np.isfinite(content).all():
            raise WeightsError(
                "the weights of this layer do not fit into float32 once they are folded",
                where=f"%{step.name}",
                hint="check the file they come from",
            )
        start = step.weights.offset // 4
        packed[start : start + step.weights.elements] = content
    return packed
