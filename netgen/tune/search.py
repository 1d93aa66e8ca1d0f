"""The measured search: for each distinct layer of a network the choice that is fastest here.

Each layer's best alternatives, by estimate, are timed in isolation; what wins there by more than
noise must win a second time. Last, the whole network must not have become slower.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from netgen.compiler import Lowered, build, lower, with_input_type
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.kernels import find_kernel
from netgen.kernels.layer import Choice, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.plan.data.plan import Plan, Step
from netgen.plan.data.step_layer import step_layer
from netgen.plan.data.tuning import Tuning, layer_key
from netgen.runtime.compare import seeded_inputs
from netgen.runtime.compilers import CCompiler
from netgen.tune.candidates import Case, TimedCalls, load_candidates
from netgen.tune.timing import ratios, round_times

# What counts as faster: more than what one measurement differs from the next.
NOISE = 0.03
_ROUNDS, _ROUNDS_OF_FINALISTS, _ROUNDS_OF_NETWORKS = 7, 21, 101
_FASTEST = 10  # percent: the median of the fastest fifth
_FINALISTS = 2


@dataclass(frozen=True)
class Tuned:
    """One layer: how often the network has it, its own and its fastest choice, their times."""

    key: str
    steps: int
    own: Choice
    best: Choice
    own_seconds: float
    best_seconds: float


@dataclass(frozen=True)
class TuningResult:
    """The result of a search.

    `own_seconds` are those of the whole network by the kernels' own choices. `tuned_seconds` are
    those by `tuning`, measured in turn. `rejected` says that the winners by themselves did not make
    the network faster, so that `tuning` is empty.
    """

    tuning: Tuning
    layers: tuple[Tuned, ...]
    own_seconds: float
    tuned_seconds: float
    rejected: bool


def tune(
    graph: Graph,
    target: Target,
    compiler: CCompiler,
    *,
    most: int = 8,
    planning: PlanOptions = DEFAULT,
    path: str = "tuning.json",
    progress: Callable[[str], None] = lambda _: None,
) -> TuningResult:
    """Measure up to `most` alternatives of each layer that has any; this takes minutes.

    `planning` is how the network is planned: bands have choices of their own. `path` is that of the
    file where the tuning will stand, for messages. Raises BuildError
    without a compiler.
    """
    graph = with_input_type(graph, planning)
    lowered = lower(graph, target, replace(planning, tuning=None))
    cases = distinct_cases(lowered.plan, target)
    layers = []
    for number, (key, steps) in enumerate(cases.items()):
        progress(f"layer {number + 1} of {len(cases)}: {key}")
        layers.append(_tuned(lowered.plan, key, steps, target, compiler, most))
    choices = {layer.key: layer.best for layer in layers if layer.best != layer.own}
    tuning = Tuning(target.name, choices, path)
    progress("the whole network")
    own, tuned = _compare(graph, lowered, lower(graph, target, replace(planning, tuning=tuning)))
    rejected = bool(choices) and tuned > own
    if rejected or not choices:
        # That is one network, and two measurements of it would only show noise.
        tuning, tuned = replace(tuning, choices={}), own
    return TuningResult(tuning, tuple(layers), own, tuned, rejected)


def distinct_cases(plan: Plan, target: Target) -> dict[str, list[Step]]:
    """The steps by the key of their layer, of those that have a choice within their scratch."""
    found: dict[str, list[Step]] = {}
    for step in plan.steps:
        kernel = find_kernel(step.kernel)
        layer = step_layer(plan, step, operand_types(plan, step))
        if len(_choices(kernel, layer, target)) > 1:
            found.setdefault(layer_key(kernel, layer), []).append(step)
    return found


def _choices(kernel: Kernel, layer: Layer, target: Target) -> list[Choice]:
    """The choices that need no more scratch than the plan's, which is the first."""
    offered = kernel.choices(layer, target)
    size = kernel.scratch(layer, target)
    lean = [way for way in offered if kernel.scratch(replace(layer, choice=way), target) <= size]
    own = layer.choice or offered[0] if offered else None
    return [] if own is None else [own, *(way for way in lean if way != own)]


def case_of(plan: Plan, step: Step) -> Case:
    """The layer of a step, as it is timed."""
    aliased = plan.instances[step.instance].parameters["aliased"]
    assert isinstance(aliased, list)
    return Case(
        find_kernel(step.kernel),
        step_layer(plan, step, operand_types(plan, step)),
        tuple(step.reads),
        tuple(str(letter) for letter in aliased),
        plan.weights_bytes,
    )


def _tuned(
    plan: Plan, key: str, steps: Sequence[Step], target: Target, compiler: CCompiler, most: int
) -> Tuned:
    case = case_of(plan, steps[0])
    choices = _choices(case.kernel, case.layer, target)[:most]
    call = load_candidates(case, choices, target, compiler)
    best, own_seconds, ratio = fastest(call, len(choices))
    return Tuned(key, len(steps), choices[0], choices[best], own_seconds, own_seconds * ratio)


def fastest(call: TimedCalls, count: int) -> tuple[int, float, float]:
    """The fastest alternative, the seconds of the first one, and the ratio between the two.

    The first one stays unless another is faster by more than noise, twice: whoever is first of many
    is so by luck as well.
    """
    found = ratios(round_times(call, range(count), _ROUNDS))
    finalists = [0, *(int(n) for n in np.argsort(found) if n != 0)][: 1 + _FINALISTS]
    seconds = round_times(call, finalists, _ROUNDS_OF_FINALISTS)
    again = ratios(seconds)
    place = int(np.argmin(again))
    if max(again[place], found[finalists[place]]) > 1 - NOISE:
        place = 0
    return finalists[place], float(np.median(seconds[:, 0])), float(again[place])


def _compare(graph: Graph, own: Lowered, tuned: Lowered) -> tuple[float, float]:
    """Seconds of one inference of two plans of a network, of the fastest fifth of the rounds.

    An inference is long enough for another process to come in between, in half of the rounds where
    the machine is shared; that only ever adds time.
    """
    origin = graph.origin or Origin(graph.name)
    models = [build(own, origin), build(tuned, origin)]
    images = seeded_inputs(graph)
    inputs = [images[node.name] for node in graph.inputs]

    def call(which: int, repeats: int) -> None:
        for _ in range(repeats):
            models[which].run(*inputs)

    seconds = round_times(call, (0, 1), _ROUNDS_OF_NETWORKS)
    own_seconds, tuned_seconds = np.percentile(seconds, _FASTEST, axis=0)
    return float(own_seconds), float(tuned_seconds)
