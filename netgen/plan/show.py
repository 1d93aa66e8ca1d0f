"""The plan as text, for `netgen show --stage plan` and header comments."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from netgen.kernels import find_kernel
from netgen.kernels.layout import ChannelRun
from netgen.plan.data.execution_order import height
from netgen.plan.data.plan import Buffer, Plan, Step

_WIDTH = 100


def plan_table(plan: Plan) -> list[str]:
    """Lines of at most 100 columns: numbered steps, then the memory, then the certificate."""
    return [
        *_wrap(
            f"plan of {plan.network} for {plan.target}: {len(plan.steps)} steps by "
            f"{len(plan.instances)} kernel instances, {plan.macs:,} MACs"
        ),
        *_threads(plan),
        "",
        *[line for index, step in enumerate(plan.steps) for line in _step(plan, index, step)],
        "",
        *memory_table(plan),
        "",
        *certificate_lines(plan),
    ]


def _threads(plan: Plan) -> list[str]:
    """A note on the steps that the threads share; each call of one ends with a barrier."""
    if plan.threads == 1:
        return []
    shared = [step for step in plan.steps if parts_of(plan, step)]
    barriers = sum(height(plan, step) // step.rows for step in shared)
    return _wrap(
        f"{plan.threads} threads share {len(shared)} steps, with {barriers:,} barriers; the rest "
        "runs on one"
    )


def parts_of(plan: Plan, step: Step) -> str:
    """The kind of loops that a step's threads divide: rows, pixels, ...; empty if none do."""
    split = plan.instances[step.instance].parameters.get("split")
    return str(split["by"]) if isinstance(split, dict) else ""


def memory_table(plan: Plan) -> list[str]:
    """Buffers by kind and offset, and the rectangles that several of them make."""
    kinds = ("input", "output", "state", "arena")
    buffers = sorted(
        plan.buffers.values(), key=lambda b: (kinds.index(b.kind), b.first, b.offset, b.name)
    )
    lines = [f"{'memory':<8}{'offset':>12}{'bytes':>12}{'steps':>12}  buffer"]
    for b in buffers:
        lines += _row(b.kind, b.offset, b.bytes, _life(plan, b.first, b.last), b.name)
    merged = [r for r in plan.rectangles if len(r.buffers) > 1]
    for r in sorted(merged, key=lambda r: (r.first, r.offset)):
        lines += _row(
            "shared", r.offset, r.bytes, _life(plan, r.first, r.last), " + ".join(r.buffers)
        )
    return lines


def certificate_lines(plan: Plan) -> list[str]:
    """The lines on the plan's memory, and on its distance from the least possible."""
    certificate = plan.certificate
    proof = (
        "proven optimal for this schedule and these overlaps"
        if certificate.gap_bytes == 0
        else "the bound alone does not prove it optimal"
    )
    return [
        *_wrap(
            f"arena {certificate.arena_bytes:,} bytes, lower bound "
            f"{certificate.lower_bound_bytes:,}, gap {certificate.gap_bytes:,}: {proof}"
        ),
        *_regions(plan),
        *_states(plan),
        *_wrap(
            f"caller's buffers {plan.caller_bytes():,} bytes, "
            f"weights {plan.weights_bytes:,} bytes, alignment {plan.alignment}"
        ),
    ]


def _regions(plan: Plan) -> list[str]:
    """A note on the division of the arena between two regions of RAM, if there are two."""
    if not plan.slow_bytes:
        return []
    return _wrap(
        f"of it {plan.fast_bytes:,} bytes in the fast region, {plan.slow_bytes:,} in the slow one"
    )


def _states(plan: Plan) -> list[str]:
    """A note on what lives between runs, and what is moved for that."""
    if not plan.states:
        return []
    names = ", ".join(f"{state.value} = {state.next}" for state in plan.states)
    moved = sum(plan.values[step.writes].type.bytes for step in plan.assignments)
    count = f"{len(plan.states)} state{'s' if len(plan.states) > 1 else ''}"
    return _wrap(
        f"its first {plan.state_bytes:,} bytes hold {count} between runs ({moved:,} bytes moved "
        f"to their places): {names}"
    )


def _step(plan: Plan, index: int, step: Step) -> list[str]:
    """The instance with weights and MACs; below it where the operands and the result stand."""
    weights = f"weights @{step.weights.offset}" if step.weights else ""
    macs = f"{step.macs:,} MACs" if step.macs else ""
    name = plan.instances[step.instance].name
    head = f"{index:>4}  {name:<52}{weights:>20}{macs:>20}"
    by = parts_of(plan, step)
    parts = f", {plan.threads} parts by {by}" if by else ""
    if step.scratch is not None and find_kernel(step.kernel).keeps_scratch:
        parts = f", sums {_memory(plan.buffers[step.scratch])}{parts}"
    reads = [f"{letter} {_place(plan, value)}" for letter, value in step.reads.items()]
    choice = _numbers(step.choice or {})
    sizes = _numbers(step.sizes)
    return [
        *_wrap(head.rstrip()),
        *([f"        tuned: {choice}"] if choice else []),
        *(_wrap(f"        sizes: {sizes}") if sizes else []),
        *_wrap(f"        {', '.join(reads)} -> {_place(plan, step.writes)}{parts}"),
    ]


def _numbers(named: Mapping[str, int]) -> str:
    return " ".join(f"{name} {number}" for name, number in named.items())


def _place(plan: Plan, name: str) -> str:
    """A value's name, shape, buffer, and which places of its pixels hold which channels."""
    value = plan.values[name]
    shape = "x".join(map(str, value.type.shape[1:])) or str(value.type.elements)
    layout, memory = plan.layout(name), _memory(plan.buffer_of(name))
    if layout.is_dense:
        return f"{name} {shape} {memory}"
    runs = " ".join(_run(run) for run in layout.runs)
    return f"{name} {shape} {memory} of {layout.pitch}[{runs}]"


def _run(run: ChannelRun) -> str:
    """Places of a pixel, and the channels that stand there: 24:80=c0, every 3rd one =c1/3."""
    step = "" if run.step == 1 else f"/{run.step}"
    return f"{run.first}:{run.first + run.channels}=c{run.at}{step}"


def _memory(buffer: Buffer) -> str:
    return f"@{buffer.offset}" if buffer.in_arena else buffer.kind


def _life(plan: Plan, first: int, last: int) -> str:
    """The first step of a segment, and the last one of another."""
    return f"{plan.segments[first].first}-{plan.segments[last].last}"


def _row(kind: str, offset: int, size: int, life: str, name: str) -> list[str]:
    place = "" if kind in {"input", "output"} else f"{offset:,}"
    return _wrap(f"{kind:<8}{place:>12}{size:>12,}{life:>12}  {name}", " " * 46)


def _wrap(line: str, indent: str = " " * 10) -> list[str]:
    """Cut at blanks where a line is too long; columns keep their blanks."""
    if len(line) <= _WIDTH:
        return [line]
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent=indent, drop_whitespace=True, break_on_hyphens=False
    )
