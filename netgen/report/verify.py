"""A network compiled for this machine, compared with a reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from netgen.compiler import (
    Lowered,
    build,
    lower,
    resolve_target,
    runnable_target,
    with_input_type,
)
from netgen.errors import UsageError, VerifyError
from netgen.ir.graph import Graph
from netgen.ir.interpret import initial_states, interpret, next_states
from netgen.ir.origin import Origin
from netgen.ir.tensor_type import Array
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.plan.restored import restored_graph
from netgen.runtime.compare import Comparison, Reference, compare, relative_error, seeded_runs
from netgen.runtime.declared_inputs import declared_inputs

Judge = Literal["numpy", "onnxruntime", "tflite", "tflm"]

# Largest error of an output, relative to its largest magnitude. Peers differ from each other by
# about 3e-5; the float64 reference is closer.
TOLERANCES: dict[Judge, float] = {"numpy": 1e-5, "onnxruntime": 1e-4, "tflite": 1e-5, "tflm": 1e-5}


def verify_graph(
    graph: Graph,
    target: str,
    against: Judge,
    progress: Callable[[str], None] | None = None,
    planning: PlanOptions = DEFAULT,
    file: Path | None = None,
) -> Comparison:
    """Compile the graph, run it on seeded inputs, and compare every layer with the reference.

    That is one run; of a network with a state several, which follow each other.

    The reference executes the graph as it was declared, before any pass; LiteRT, which is `tflite`,
    and TensorFlow Lite Micro, `tflm`, the `file` that the graph is from. Behind codes of computed
    floats it is always the graph's own, since no other can start from the model's operands. Raises
    BuildError where the target does not run here, UsageError where there is no such file or the
    reference cannot take the graph, MissingExtraError without the package of the reference. With
    compressed weights the reference is the network whose weights are rounded likewise.
    """
    of_file = against in {"tflite", "tflm"}
    if of_file and (file is None or file.suffix != ".tflite"):
        raise UsageError(
            "only a .tflite file can be compared with TensorFlow Lite", hint="use --against numpy"
        )
    if planning.weights_dtype != "float32" and against != "numpy":
        raise UsageError(
            f"no other reference has weights of {planning.weights_dtype}",
            hint="use --against numpy, which rounds them as well",
        )
    declared, graph = graph, with_input_type(graph, planning)
    if against == "onnxruntime":
        _require_floats(declared)
        _require_no_states(declared)
    lowered = lower(graph, runnable_target(target), planning)
    model = build(lowered, graph.origin or Origin(graph.name), progress)
    runs = seeded_runs(graph)
    if planning.weights_dtype != "float32":
        rounded = restored_graph(lowered.plan, lowered.graph)
        found = compare(model, lowered.plan, rounded, _numpy(rounded), *runs)
        return replace(found, rounding=_rounding(graph, rounded, runs))
    reference = _reference(against, declared, graph, lowered, file)
    return compare(model, lowered.plan, graph, reference, *runs)


def _rounding(graph: Graph, rounded: Graph, runs: Sequence[Mapping[str, Array]]) -> float:
    """The worst error of an output where weights are rounded, relative to its magnitude before."""
    exact, other = _numpy(graph), _numpy(rounded)
    return max(
        relative_error(after[b], before[a])
        for before, after in ((exact(inputs), other(inputs)) for inputs in runs)
        for a, b in zip(graph.outputs, rounded.outputs, strict=True)
    )


def _reference(
    against: Judge, declared: Graph, graph: Graph, lowered: Lowered, file: Path | None
) -> Reference:
    """The judge of a graph's values; others than its own get the inputs of the `declared` one."""
    if against == "numpy":
        return _numpy(graph)
    if against == "onnxruntime":
        judge = _onnxruntime(declared, lowered)
    else:
        assert file is not None  # as `verify_graph` has it
        judge = _judge_of_file(against, file, graph.origin)
    return lambda inputs: judge(declared_inputs(declared, graph, inputs))


def _require_floats(graph: Graph) -> None:
    """Raise UsageError for codes, which ONNX Runtime is not given."""
    if (node := graph.first_codes()) is not None:
        raise UsageError(
            "networks with codes cannot be compared with ONNX Runtime",
            where=f"%{node.name}",
            expected="f32",
            found=str(node.type),
            hint="use --against numpy",
        )


def _require_no_states(graph: Graph) -> None:
    """Raise UsageError for states, which ONNX does not have."""
    if graph.states:
        raise UsageError(
            "networks with a state cannot be compared with ONNX Runtime",
            where=f"%{graph.states[0].name}",
            hint="use --against numpy",
        )


def _numpy(graph: Graph) -> Reference:
    states = initial_states(graph)

    def run(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        nonlocal states
        values = interpret(graph, inputs, states)
        states = next_states(graph, values)
        return values

    return run


def _onnxruntime(graph: Graph, lowered: Lowered) -> Reference:
    from netgen.export.onnxruntime_session import run_onnxruntime

    # Passes keep the names of values; activations that they moved are values of their own.
    names = [node.name for node in lowered.graph.activations if node.name in graph]
    return lambda inputs: run_onnxruntime(graph, inputs, values=names)


def _judge_of_file(against: Judge, file: Path, origin: Origin | None) -> Reference:
    from netgen.export.judge_process import JudgeProcess
    from netgen.export.litert_session import LiteRT
    from netgen.export.tflm_session import TFLM

    kind = TFLM if against == "tflm" else LiteRT
    outputs = "" if origin is None else str(origin.parameters.get("outputs", ""))
    return JudgeProcess(kind, file, outputs).run


def require_agreement(comparison: Comparison, tolerance: float) -> None:
    """Raise VerifyError for any wrong code, and unless floats are within the tolerance."""
    codes = comparison.codes
    if codes is not None and codes.count:
        raise VerifyError(
            "the compiled model does not agree with its reference",
            expected="the codes that follow from the operands of their step",
            found=f"others, first {_first_wrong(comparison)}: {codes}",
            hint="`netgen verify --layers` shows where",
        )
    if not comparison.max_relative_error <= tolerance:
        raise VerifyError(
            "the compiled model does not agree with its reference",
            expected=f"at most {tolerance:.1e} of the largest output",
            found=f"{comparison.max_relative_error:.1e}",
            hint="`netgen verify --layers` shows where it begins",
        )


def _first_wrong(comparison: Comparison) -> str:
    """The first layer with other codes; where only views have some, the outputs."""
    wrong = (layer.name for layer in comparison.layers if layer.codes and layer.codes.count)
    first = next(wrong, None)
    return "in the outputs" if first is None else f"of %{first}"


def inputs_text(graph: Graph, target: str) -> str:
    """Say what was compared: the processor, and the numbers that the network was given."""
    runs = len(seeded_runs(graph))
    of = "one run" if runs == 1 else f"{runs} runs"
    return f"target {resolve_target(target).name}, {of} of seeded inputs"


def agreement_text(comparison: Comparison, against: str) -> str:
    """The worst error in words, and those of codes on a second line, where there are any."""
    text = f"worst error against {against}: {comparison.max_relative_error:.1e}"
    if comparison.rounding is not None:
        text += f"\nerror of rounding the weights, in the reference: {comparison.rounding:.1e}"
    if comparison.codes is None:
        return text
    ends = comparison.end_to_end
    whole = "" if ends is None else f"; from the inputs on, where rounding adds up: {ends}"
    return f"{text}\ncodes that differ, step by step: {comparison.codes}{whole}"
