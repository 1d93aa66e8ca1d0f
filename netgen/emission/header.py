"""The header comment of the emitted C, and the errors that it can return."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from netgen.emission.options import EmitOptions, WeightsAs
from netgen.frontends.files import LOADERS
from netgen.ir.origin import Origin
from netgen.kernels.targets import Target, find_target
from netgen.plan.data.options import DEFAULT, Image, PlanOptions
from netgen.plan.data.plan import Buffer, Plan


@dataclass(frozen=True)
class ErrorCode:
    """One negative return value of the emitted functions.

    `only` limits it to one form of the weights, or to one way in which the image comes.
    """

    code: int
    name: str
    meaning: str
    only: WeightsAs | Image | None = None


ERRORS = (
    ErrorCode(-1, "NULL", "a pointer that must not be null is"),
    ErrorCode(-2, "ARENA_SIZE", "no arena, or one that is too small"),
    ErrorCode(-3, "ARENA_ALIGN", "the arena is not aligned"),
    ErrorCode(-4, "CANCELLED", "the hook returned nonzero"),
    ErrorCode(-5, "WEIGHTS_SIZE", "no weights, or too few bytes", only="blob"),
    ErrorCode(-6, "WEIGHTS_ALIGN", "the weights are not aligned", only="blob"),
    ErrorCode(-7, "WEIGHTS_LAYOUT", "the weights are of another model or plan", only="blob"),
    ErrorCode(-8, "WEIGHTS_CONTENT", "the checksum of the weights' file is wrong", only="blob"),
    ErrorCode(-9, "PUSH_ORDER", "rows are pushed after begin and before finish", only="rows"),
    ErrorCode(-10, "PUSH_ROWS", "more rows than the image has, or too few to finish", only="rows"),
    ErrorCode(-11, "PUSH_STRIDE", "rows overlap, or are not whole elements apart", only="rows"),
    ErrorCode(-12, "INIT", "init has not accepted a configuration"),
)


def comment_text(text: str) -> str:
    """Text as it may stand in a C comment: nothing of it can end the comment or break the line.

    Names and licences come from files, and may hold anything.
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown.replace("*/", "* /").replace("/*", "/ *").replace("??/", "?? /")


def title_of(origin: Origin) -> str:
    """The network with the parameters that were given: mobilenet_v2(alpha=0.35)."""
    parameters = ", ".join(f"{name}={value}" for name, value in origin.parameters.items())
    return comment_text(f"{origin.model}({parameters})" if parameters else origin.model)


def command_of(
    origin: Origin,
    target: Target,
    stem: str,
    prefix: str,
    weights_as: WeightsAs,
    planning: PlanOptions = DEFAULT,
    more: Sequence[str] = (),
) -> str:
    """The command that writes these files again, `more` of its words last; no paths but names."""
    words = ["netgen", "compile", origin.model]
    for name, value in origin.parameters.items():
        words += ["-p", f"{name}={value}"]
    # Files of other tools are network and weights in one.
    if origin.weights_file is not None and Path(origin.model).suffix not in LOADERS:
        words += ["--weights", origin.weights_file]
        words += ["--by-position"] if origin.by_position else []
    words += ["--target", target.name]
    words += planning.words()
    if weights_as != "c":
        words += ["--weights-as", weights_as]
    words += more
    if prefix != stem:
        words += ["--prefix", prefix]
    return shlex.join([*words, "-o", f"{stem}.c"])


def provenance_lines(plan: Plan, origin: Origin, options: EmitOptions) -> list[str]:
    """Command, weights, target and flags."""
    target = find_target(plan.target)
    if origin.weights_sha256 is None:
        weights = ["weights:  seeded numbers for tests and timing, not trained ones"]
    else:
        licence = origin.weights_licence or "not stated in the file"
        weights = [
            comment_text(f"weights:  {origin.weights_file}, licence: {licence}"),
            f"          sha256 {origin.weights_sha256}",
        ]
    pthread = " -pthread" if plan.threads > 1 else ""
    return [
        f"command:  {comment_text(options.command)}",
        *weights,
        f"target:   {target.name} ({target.summary})",
        f"gcc:      {' '.join(target.flags('gcc'))}{pthread}",
        f"clang:    {' '.join(target.flags('clang'))}{pthread}",
    ]


def identity_lines(origin: Origin, layout: bytes) -> list[str]:
    """Hashes of graph, target and plan, and of the file of weights."""
    weights = f"sha256 {origin.weights_sha256}" if origin.weights_sha256 else "seeded numbers"
    return [f"plan:    sha256 {layout.hex()}", f"weights: {weights}"]


def memory_lines(plan: Plan) -> list[str]:
    """Work, flash and RAM; then the arena's map."""
    certificate = plan.certificate
    lines = [
        f"MACs:     {plan.macs} in {len(plan.steps)} steps",
        f"flash:    {plan.weights_bytes} bytes of weights, and the code",
        f"RAM:      {_arena_bytes(plan)}; {caller_memory(plan)}",
        f"          (lower bound of the arena {certificate.lower_bound_bytes}, gap "
        f"{certificate.gap_bytes})",
        *_state_lines(plan),
        "",
        "arena:    offset      bytes   steps  value",
    ]
    arena = [buffer for buffer in plan.buffers.values() if buffer.in_arena]
    for buffer in sorted(arena, key=lambda b: b.first):
        first, last = plan.segments[buffer.first].first, plan.segments[buffer.last].last
        life = f"{first}-{last}"
        note = " (state)" if buffer.kind == "state" else _ring_note(plan, buffer)
        lines.append(f"    {buffer.offset:12} {buffer.bytes:10} {life:>7}  {buffer.name}{note}")
    return lines


def _state_lines(plan: Plan) -> list[str]:
    """Bytes of the arena that live between runs, and bytes that are moved for that."""
    if not plan.states:
        return []
    moved = sum(plan.values[step.writes].type.bytes for step in plan.assignments)
    return [
        f"state:    the first {plan.state_bytes} bytes of the arena, kept from run to run; {moved} "
        "bytes are",
        "          moved there at the end of its use in each",
    ]


def _arena_bytes(plan: Plan) -> str:
    if not plan.slow_bytes:
        return f"{plan.certificate.arena_bytes} bytes of arena"
    return f"{plan.fast_bytes} bytes of arena in the fast region, {plan.slow_bytes} in the slow one"


def caller_memory(plan: Plan) -> str:
    """Bytes of the caller's own buffers, and where the image is if he has none."""
    buffers = plan.buffers.values()
    inputs = sum(b.bytes for b in buffers if b.kind == "input")
    outputs = sum(b.bytes for b in buffers if b.kind == "output")
    if plan.push_rows:
        return f"the image is pushed row by row; the caller's output {outputs} bytes"
    if inputs == 0 and plan.inputs:
        return f"the image is written there; the caller's output {outputs} bytes"
    return f"the caller's input {inputs} and output {outputs} bytes"


def _ring_note(plan: Plan, buffer: Buffer) -> str:
    """A note on the rows that a ring holds at a time; empty for a buffer that holds all."""
    held = [v.type.shape for v in plan.values.values() if v.runs[0].buffer == buffer.name]
    rows = max((shape[1] for shape in held if len(shape) == 4), default=1)
    return f" ({buffer.rows} of {rows} rows)" if buffer.rows < rows else ""
