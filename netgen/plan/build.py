"""Graph -> plan: schedule, overlaps, offsets, kernel instances, places of packed weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from netgen.errors import PlanError, UsageError
from netgen.ir.graph import Graph
from netgen.kernels import find_kernel
from netgen.kernels.compressed import PLAIN_WEIGHTS
from netgen.kernels.layer import Instance, Json
from netgen.kernels.layout import visiting_order
from netgen.kernels.targets import Target
from netgen.plan.arena.overlap import Merged, choose_overlaps
from netgen.plan.arena.placement import place_certified
from netgen.plan.arena.regions import Placement, Regions, place_in_regions
from netgen.plan.arena.shapes import extent, lower_bound
from netgen.plan.arena.state_places import state_bytes, state_offsets
from netgen.plan.budget import Cutter
from netgen.plan.data.alignment import round_up
from netgen.plan.data.options import DEFAULT, PlanOptions, stored_as
from netgen.plan.data.plan import (
    Buffer,
    Certificate,
    Constant,
    Overlap,
    PackedWeights,
    Plan,
    Rectangle,
    Step,
)
from netgen.plan.schedule.calls import Call
from netgen.plan.schedule.schedule import Schedule, schedule
from netgen.plan.segments.cut_schedule import Banded, Cut, cut_schedule
from netgen.plan.segments.fastest_cut import layer_by_layer, segment_choices
from netgen.plan.sharing import share_functions
from netgen.plan.states import plan_states, state_rectangles
from netgen.plan.threads import split_steps


def build_plan(graph: Graph, target: Target, options: PlanOptions = DEFAULT) -> Plan:
    """Plan a graph that has been through the passes. Raises PlanError."""
    plan = split_steps(_plan_memory(graph, target, options), target, options.threads)
    return share_functions(plan, target) if options.small else plan


def _plan_memory(graph: Graph, target: Target, options: PlanOptions) -> Plan:
    """The plan for one thread."""
    scheduled = schedule(
        graph,
        target,
        image=options.input,
        copies=options.copies,
        winograd=options.winograd,
        small=options.small,
        threads=options.threads,
        weights=stored_as(options.weights_dtype),
    )
    _require_compressed(scheduled, options)
    if options.tuning is not None:
        options.tuning.require(target)
        scheduled = replace(scheduled, tuning=options.tuning)
    # Rows of a band are too few to divide: with threads whole layers are faster.
    whole = not target.cache_miss or options.threads > 1
    if options.ram is None and options.input != "rows" and whole:
        layers = cut_schedule(scheduled, layer_by_layer(scheduled))
        # Rows are then divided between threads, and stay in the cache of the core that wrote them.
        any_order = options.threads > 1
        return assemble(layers, target, accept_gap=options.accept_gap, any_order=any_order)
    push = options.input == "rows"
    if isinstance(options.ram, tuple):
        return fit_regions(scheduled, target, Regions(*options.ram), push=push)
    return fit(scheduled, target, options.ram, push=push, accept_gap=options.accept_gap)


def _require_compressed(scheduled: Schedule, options: PlanOptions) -> None:
    """Raise UsageError where weights are to be compressed, and there are none."""
    if options.weights_dtype == "float32":
        return
    if all(call.layer.weights == PLAIN_WEIGHTS for call in scheduled.calls):
        raise UsageError(
            "this network has no weights of floats to compress",
            expected="a convolution or a linear layer of floats",
            hint="leave out --weights-dtype",
        )


def fit_regions(scheduled: Schedule, target: Target, regions: Regions, *, push: bool) -> Plan:
    """The fastest plan whose arena fits into two regions. Raises PlanError where none does."""
    cutter = Cutter(scheduled, segment_choices(scheduled, target, push=push), target.alignment)
    ram: float = regions.bytes
    while (cut := cutter.fitting(ram)) is not None:
        banded = cut_schedule(scheduled, cut)
        overlaps, merged = choose_overlaps(banded, target.alignment)
        placement = place_in_regions(banded, merged, regions, target.alignment)
        if placement is not None:
            return _assemble(banded, target, overlaps, merged, placement)
        # What does not fit into the two may do so once it is smaller as a whole.
        ram = cutter.certificate(cut).arena_bytes - 1
    raise no_fit(cutter, target, f"{regions.fast} fast and {regions.slow} slow")


def fit(
    scheduled: Schedule,
    target: Target,
    ram: int | Literal["least"] | None,
    *,
    push: bool,
    accept_gap: bool,
) -> Plan:
    """The fastest plan whose arena fits into the RAM, or is the smallest found.

    Raises PlanError where none does.
    """
    found = segment_choices(scheduled, target, push=push, cached=ram is None and not push)
    cutter = Cutter(scheduled, found, target.alignment)
    cut = _cut(cutter, ram)
    if cut is None:
        raise no_fit(cutter, target, ram)
    return assemble(cut_schedule(scheduled, cut), target, accept_gap=accept_gap)


def _cut(cutter: Cutter, ram: int | Literal["least"] | None) -> Cut | None:
    if ram == "least":
        return cutter.least()
    return cutter.fitting(float("inf") if ram is None else ram)


def no_fit(cutter: Cutter, target: Target, ram: int | str | None) -> PlanError:
    """The error that names the smallest arena, and the steps that hold it."""
    scheduled, cut = cutter.schedule, cutter.least()
    if cut is None:
        return PlanError(
            "the rows of this network's image cannot be pushed",
            where=f"%{scheduled.graph.inputs[0].name}",
            hint="choose --input caller or arena",
        )
    plan = assemble(cut_schedule(scheduled, cut), target)
    return PlanError(
        "no plan has so small an arena",
        where=f"plan of {plan.network}",
        expected=f"at least {plan.certificate.arena_bytes} bytes, held by {worst_steps(plan)}",
        found=f"{ram} bytes",
        hint=f"allow more RAM, {_direct(plan)}or choose a smaller network or input",
    )


def _direct(plan: Plan) -> str:
    """The option that leaves out kernels that work on whole images, where there are any."""
    whole = any(find_kernel(step.kernel).transforms_weights for step in plan.steps)
    return "add --no-winograd, " if whole else ""


def worst_steps(plan: Plan) -> str:
    """The steps of the segment in which most bytes are alive."""

    def alive(number: int) -> int:
        return sum(r.bytes for r in plan.rectangles if r.first <= number <= r.last)

    worst = plan.segments[max(range(len(plan.segments)), key=alive)]
    first, last = plan.steps[worst.first].name, plan.steps[worst.last].name
    return f"%{first}" if first == last else f"%{first} to %{last}"


def assemble(
    banded: Banded, target: Target, *, accept_gap: bool = True, any_order: bool = False
) -> Plan:
    """Place the buffers of a schedule that is cut into segments, and specialise its kernels.

    Unless `accept_gap`, an arena that is not proven to be the smallest needs the solver.
    """
    overlaps, merged = choose_overlaps(banded, target.alignment, any_order=any_order)
    shapes = [m.shape for m in merged]
    offsets = place_certified(shapes, accept_gap=accept_gap).offsets
    placement = Placement(tuple(offsets), extent(shapes, offsets))
    return _assemble(banded, target, overlaps, merged, placement)


def _assemble(
    banded: Banded,
    target: Target,
    overlaps: Sequence[Overlap],
    merged: Sequence[Merged],
    placement: Placement,
) -> Plan:
    scheduled, offsets = banded.schedule, placement.offsets
    instances, indices = _instances(banded, overlaps, target)
    steps, end = _steps(banded, indices, target)
    states, weights_bytes = plan_states(scheduled, end, target)
    kept = state_offsets(scheduled.buffers.values(), target.alignment)
    base = state_bytes(scheduled.buffers.values(), target.alignment)
    return Plan(
        network=scheduled.graph.name,
        target=target.name,
        alignment=target.alignment,
        inputs=tuple(node.name for node in scheduled.graph.inputs),
        outputs=scheduled.graph.outputs,
        values=scheduled.values,
        buffers=_placed(scheduled.buffers, merged, [base + offset for offset in offsets], kept),
        rectangles=(
            *state_rectangles(scheduled, kept, target),
            *(
                Rectangle(
                    alive, part.high - part.low, part.first, part.last, base + offset + part.low
                )
                for m, offset in zip(merged, offsets, strict=True)
                for alive, part in zip(m.alive, m.shape.slices, strict=True)
            ),
        ),
        overlaps=tuple(overlaps),
        instances=instances,
        steps=steps,
        segments=banded.segments,
        push_rows=any(part.push for part in banded.bandings),
        certificate=_certify(merged, placement, base),
        fast_bytes=base + placement.fast_bytes,
        weights_bytes=weights_bytes,
        states=states,
    )


def _certify(merged: Sequence[Merged], placement: Placement, states: int) -> Certificate:
    """The sizes of both regions, and what each of them needs at least, behind so many of states."""
    shapes = [m.shape for m in merged]
    in_fast = [at < placement.fast_bytes for at in placement.offsets]
    bound = lower_bound([s for s, fast in zip(shapes, in_fast, strict=True) if fast])
    bound += lower_bound([s for s, fast in zip(shapes, in_fast, strict=True) if not fast])
    size = max(extent(shapes, placement.offsets), placement.fast_bytes)
    return Certificate(states + size, states + bound, size - bound)


def _placed(
    buffers: Mapping[str, Buffer],
    merged: Sequence[Merged],
    offsets: Sequence[int],
    kept: Mapping[str, int],
) -> dict[str, Buffer]:
    """Buffers with their final offsets, those of states `kept` among them."""
    placed = dict(buffers)
    placed |= {name: replace(buffers[name], offset=offset) for name, offset in kept.items()}
    for rectangle, base in zip(merged, offsets, strict=True):
        for name, offset in rectangle.offsets.items():
            placed[name] = replace(buffers[name], offset=base + offset)
    return placed


def _instances(
    banded: Banded, overlaps: Sequence[Overlap], target: Target
) -> tuple[tuple[Instance, ...], list[int]]:
    """Distinct kernel instances, and the index of each call's.

    A call whose output stands on operands needs a function without `restrict` on those.
    """
    instances: list[Instance] = []
    known: dict[str, int] = {}
    names: set[str] = set()
    indices = []
    for call, layer in zip(banded.schedule.calls, banded.layers, strict=True):
        aliased = _aliased(banded, overlaps, call)
        parameters: dict[str, Json] = call.kernel.parameters(layer, target)
        parameters["aliased"] = [*aliased]
        elements = {a: call.layer.operands[a].dtype for a in call.reads} | {"y": layer.result.dtype}
        key = json.dumps([call.kernel.name, parameters, elements], sort_keys=True)
        if key not in known:
            title = call.kernel.title(layer)
            if layer.band is not None:
                title += f"_rows{layer.band.rows}"
            if aliased:
                title += "_over_" + "_".join(aliased)
            name = _unused(title, names)
            known[key] = len(instances)
            instances.append(call.kernel.instance(layer, name, call.reads, parameters))
        indices.append(known[key])
    return tuple(instances), indices


def _aliased(banded: Banded, overlaps: Sequence[Overlap], call: Call) -> list[str]:
    """The letters of the operands that share a buffer with the output, or that it overlaps."""
    values = banded.schedule.values
    home = values[call.node.name].runs[0].buffer
    shared = [home] + [
        values[overlap.operand].runs[0].buffer
        for overlap in overlaps
        if values[overlap.result].runs[0].buffer == home
    ]
    return [a for a, value in call.reads.items() if values[value].runs[0].buffer in shared]


def _unused(name: str, names: set[str]) -> str:
    candidate, count = name, 1
    while candidate in names:
        count += 1
        candidate = f"{name}_{count}"
    names.add(candidate)
    return candidate


def _steps(banded: Banded, indices: Sequence[int], target: Target) -> tuple[tuple[Step, ...], int]:
    """Steps, with the places of their weights.

    Equal constants are packed once for steps of one function that visit channels in one order.
    """
    steps = []
    places: dict[str, PackedWeights] = {}
    end = 0
    parts = zip(banded.schedule.calls, banded.layers, indices, banded.rows, strict=True)
    for call, layer, index, rows in parts:
        weights: PackedWeights | None = None
        if call.kernel.constants:
            size = call.kernel.packed_bytes(layer, target)
            orders = {
                letter: visiting_order(layer.layout(letter)).tolist()
                for letter in ("y", *call.reads)
            }
            key = json.dumps([index, call.constants, orders], sort_keys=True)
            if key not in places:
                places[key] = PackedWeights(end, size)
                end = round_up(end + size, target.alignment)
            weights = places[key]
        steps.append(
            Step(
                name=call.node.name,
                op=call.node.op,
                kernel=call.kernel.name,
                numeric_form=call.kernel.numeric_form,
                instance=index,
                reads=call.reads,
                constants={
                    letter: Constant(name, layer.operands[letter])
                    for letter, name in call.constants.items()
                },
                writes=call.node.name,
                weights=weights,
                macs=call.layer.macs(),
                rows=rows,
                scratch=call.scratch if call.scratch in banded.schedule.buffers else None,
                choice=layer.choice,
            )
        )
    return tuple(steps), end
