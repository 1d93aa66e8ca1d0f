"""Profile of a compiled model: the time of each step beside its bound on this core.

A step takes at least the time of its multiply-adds at the core's peak, of its weights from the
level of memory where they lie between two runs, and of its activations from the level that holds
their buffers. The three overlap at best, so the longest of them is its bound. Steps that count
fewer multiplications than their operator (Winograd) can be faster than that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from netgen.bench.limits import Limits, Probe, measure_limits
from netgen.bench.process import default_cores
from netgen.bench.subject import Precision, Subject
from netgen.compiler import Lowered, build
from netgen.errors import BuildError
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.kernels.targets import find_target
from netgen.plan.data.execution_order import height
from netgen.plan.data.plan import Plan, Step
from netgen.runtime.build import CHook
from netgen.runtime.compare import seeded_inputs
from netgen.runtime.model import CompiledModel

_WARM = 5

# What reaches less of its bound than this is marked.
SLOW = 0.7


@dataclass(frozen=True)
class Bound:
    """The least microseconds that something takes, and what it is: `fma`, `weights L2`, ..."""

    us: float
    by: str


@dataclass(frozen=True)
class StepProfile:
    """One step: its microseconds, the median of the runs, with all of its bands added up.

    Bytes are those that it must move at least once: its packed weights, what it reads and writes.
    """

    name: str
    kernel: str
    shape: str
    us: float
    macs: int
    weight_bytes: int
    activation_bytes: int
    bound_us: float
    bound_by: str

    @property
    def gflops(self) -> float:
        """Achieved floating-point operations a second, in 1e9; a multiply-add is two."""
        return 2e-3 * self.macs / self.us

    @property
    def achieved(self) -> float:
        """The part of the bound that is reached: 1 is as fast as the core can be."""
        return self.bound_us / self.us

    @property
    def slow(self) -> bool:
        """Whether much is left to gain."""
        return self.achieved < SLOW

    def as_json(self) -> dict[str, object]:
        """All of it by name."""
        reached = {"gflops": self.gflops, "achieved": self.achieved, "slow": self.slow}
        return {**asdict(self), **reached}


@dataclass(frozen=True)
class Profile:
    """The steps of a model on this machine.

    `clock_us` is how much of the time went into reading the clock after every band. `runs` is how
    many each median is of.
    """

    model: str
    precision: Precision
    target: str
    limits: Limits
    steps: tuple[StepProfile, ...]
    clock_us: float
    runs: int

    def kernels(self) -> list[StepProfile]:
        """The steps of each kernel added up, the longest first; `shape` counts them."""
        groups: dict[str, list[StepProfile]] = {}
        for step in self.steps:
            groups.setdefault(step.kernel, []).append(step)
        sums = [_added(kernel, steps) for kernel, steps in groups.items()]
        return sorted(sums, key=lambda group: -group.us)

    def total(self) -> StepProfile:
        """All steps added up."""
        return _added("total", list(self.steps))

    def as_json(self) -> dict[str, object]:
        """All of it, with the totals by kernel."""
        return {
            "model": self.model,
            "precision": self.precision,
            "target": self.target,
            "runs": self.runs,
            "clock_us": self.clock_us,
            "limits": asdict(self.limits),
            "steps": [step.as_json() for step in self.steps],
            "kernels": [group.as_json() for group in self.kernels()],
            "total": self.total().as_json(),
        }


def _added(name: str, steps: list[StepProfile]) -> StepProfile:
    shares: dict[str, float] = {}
    for step in steps:
        shares[step.bound_by] = shares.get(step.bound_by, 0.0) + step.bound_us
    return StepProfile(
        name=name,
        kernel=name,
        shape=f"{len(steps)} step" + ("s" if len(steps) > 1 else ""),
        us=sum(step.us for step in steps),
        macs=sum(step.macs for step in steps),
        weight_bytes=sum(step.weight_bytes for step in steps),
        activation_bytes=sum(step.activation_bytes for step in steps),
        bound_us=sum(step.bound_us for step in steps),
        bound_by=max(shares, key=lambda by: shares[by]),  # where most of that time is
    )


def profile(
    graph: Graph,
    lowered: Lowered,
    *,
    label: str,
    runs: int = 50,
    progress: Callable[[str], None] | None = None,
) -> Profile:
    """Compile a planned network here, run it `runs` times on one core, and measure that core.

    Raises BuildError where it does not compile, or does not run on this machine.
    """
    plan, tell = lowered.plan, progress or (lambda _: None)
    target = find_target(plan.target)
    model = build(lowered, graph.origin or Origin(graph.name), progress)
    probe = Probe(target, len(plan.inputs) + len(plan.outputs))
    images = seeded_inputs(graph)
    inputs = [images[name][0] for name in plan.inputs]
    resident = plan.weights_bytes + plan.certificate.arena_bytes
    with _pinned(default_cores()):
        tell("measuring the core")
        limits = measure_limits(probe, target, resident)
        tell("measuring the steps")
        times = _times(model, probe, inputs, len(plan.steps), runs)
        # Once more, since others may have slowed the core down the first time.
        limits = limits.best(measure_limits(probe, target, resident))
    steps = tuple(
        _step(plan, n, step, float(times[n]), limits) for n, step in enumerate(plan.steps)
    )
    bands = sum(height(plan, step) // step.rows for step in plan.steps)
    return Profile(
        model=label,
        precision=Subject(graph).precision,
        target=target.name,
        limits=limits,
        steps=steps,
        clock_us=1e6 * bands * probe.stamp_seconds(),
        runs=runs,
    )


def _times(
    model: CompiledModel,
    probe: Probe,
    inputs: list[npt.NDArray[np.float32]],
    steps: int,
    runs: int,
) -> npt.NDArray[np.float64]:
    """The microseconds of each step, medians."""
    stamps, found = np.zeros(1 + steps), np.zeros((runs, steps))
    raw = model.raw_run(*inputs, hook=CHook(probe.hook, stamps.ctypes.data))
    pointers = np.array(raw.pointers, np.uintp)
    for run in range(-_WARM, runs):
        stamps[:] = 0.0
        status = probe.run(raw.function, raw.model, pointers.ctypes.data, stamps.ctypes.data)
        if status != 0:
            raise BuildError("a run failed", where="bench --profile", found=f"status {status}")
        if run >= 0:
            found[run] = stamps[1:]
    medians: npt.NDArray[np.float64] = 1e6 * np.median(found, axis=0)
    return medians


def _step(plan: Plan, index: int, step: Step, us: float, limits: Limits) -> StepProfile:
    values = dict.fromkeys((*step.reads.values(), step.writes))
    weights = step.weights.bytes if step.weights is not None else 0
    activations = sum(plan.values[value].type.bytes for value in values)
    bound = _bound(plan, step, tuple(values), (weights, activations), limits)
    result = plan.values[step.writes].type.shape[1:]
    return StepProfile(
        name=f"{index} {step.name}",
        kernel=step.kernel,
        shape="×".join(map(str, result)),
        us=us,
        macs=step.macs,
        weight_bytes=weights,
        activation_bytes=activations,
        bound_us=bound.us,
        bound_by=bound.by,
    )


def _bound(
    plan: Plan, step: Step, values: tuple[str, ...], moved: tuple[int, int], limits: Limits
) -> Bound:
    """The bound of a step that moves so many bytes of weights and of activations."""
    # A run goes through all weights and the arena: nearer than where these all fit, no weight stays
    # until the next run. What a step reads and writes, the steps around it have just touched.
    far = limits.level_of(plan.weights_bytes + plan.certificate.arena_bytes)
    held = _held_bytes(plan, values)
    weights, activations = moved
    return max(
        Bound(2e6 * step.macs / limits.flops, "fma"),
        Bound(1e6 * weights / far.bandwidth, f"weights {far.name}"),
        Bound(
            1e6 * activations * limits.seconds_a_byte(held),
            f"activations {limits.level_of(held).name}",
        ),
        key=lambda bound: bound.us,
    )


def _held_bytes(plan: Plan, values: tuple[str, ...]) -> int:
    """Bytes of memory in which values lie: those that overlap once, of a ring only its slots."""
    own, spans = 0, []
    for value in values:
        buffer = plan.buffer_of(value)
        size = min(plan.values[value].type.bytes, buffer.bytes)
        if buffer.in_arena:
            spans.append((buffer.offset, buffer.offset + size))
        else:
            own += size
    end = 0
    for first, last in sorted(spans):
        own += max(0, last - max(first, end))
        end = max(end, last)
    return own


@contextmanager
def _pinned(cores: tuple[int, ...] | None) -> Iterator[None]:
    """Stay on these cores meanwhile, where a process may choose."""
    if cores is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
