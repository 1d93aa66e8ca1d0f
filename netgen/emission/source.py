"""Plan -> model.c, model.h and the weights' files."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from netgen import __version__
from netgen.emission.environment import render
from netgen.emission.format import format_c
from netgen.emission.header import ERRORS, memory_lines, provenance_lines, title_of
from netgen.emission.kernels import called_names, function_name, kernel_function, scalar_activations
from netgen.emission.options import EmitOptions
from netgen.emission.weights import (
    BLOB_HEADER_BYTES,
    WeightArray,
    blob,
    blob_start,
    byte_list,
    c_array,
    layout_id,
    weight_arrays,
)
from netgen.ir.origin import Origin
from netgen.kernels.layer import Packed
from netgen.kernels.targets import find_target
from netgen.plan.json_form import plan_to_json
from netgen.plan.plan import Plan, Step


@dataclass(frozen=True)
class _Port:
    """An input or output of the network as C names it."""

    value: str
    variable: str
    macro: str


def emit_files(
    plan: Plan, origin: Origin, packed: Packed, options: EmitOptions
) -> dict[str, bytes]:
    """All files of a model by name: PREFIX.c, PREFIX.h and what holds the weights.

    The bytes are a function of the arguments alone.
    """
    prefix = options.prefix
    target = find_target(plan.target)
    layout = layout_id(plan_to_json(plan))
    arrays = weight_arrays(plan, prefix)
    context = _context(plan, origin, options)
    functions = [kernel_function(instance, prefix) for instance in plan.instances]
    called = called_names(functions)
    source = render(
        "model.c.j2",
        **context,
        arrays=list(arrays.values()),
        inline_weights=_INLINE_MARK,
        blob_start=blob_start(),
        blob_layout=byte_list(layout),
        functions=functions,
        scalar_activations=scalar_activations(called),
        called=called,
        sigmoid_widths=[width for width in target.vector_widths if f"SIGMOID_{width}" in called],
        steps=_steps(plan, options, arrays),
        widths=[width for width in target.vector_widths if f"LOAD{width}" in called],
        gnu_vectors=target.gnu_vectors,
        needs_string=options.weights_as == "blob" or any("memcpy(" in text for text in functions),
        null_checks=_null_checks(plan),
        provenance=provenance_lines(plan, origin, options),
        memory=memory_lines(plan),
    )
    text = format_c(source)
    if options.weights_as == "inline":
        # After the layout: there is far more of them than of code.
        text = text.replace(_INLINE_MARK, _definitions(plan, packed, options, arrays, "static "))
    files = {f"{options.stem}.c": text.encode(), f"{options.stem}.h": _header(context)}
    return files | _weight_files(plan, packed, options, arrays, layout)


_INLINE_MARK = "/* weights */"


def _header(context: dict[str, object]) -> bytes:
    return format_c(render("model.h.j2", **context)).encode()


def _context(plan: Plan, origin: Origin, options: EmitOptions) -> dict[str, object]:
    """What header and source both print."""
    inputs, outputs = _ports(plan.inputs, "input"), _ports(plan.outputs, "output")
    upper = options.prefix.upper()
    described = []
    for port in (*inputs, *outputs):
        shape = plan.values[port.value].type.shape
        names = ("HEIGHT", "WIDTH", "CHANNELS") if len(shape) == 4 else ("CHANNELS",)
        described.append(
            {
                "macro": f"{upper}_{port.macro}",
                "name": port.value,
                "elements": prod(shape),
                "description": "float32, " + " x ".join(map(str, shape[1:])),
                "extents": [
                    {"name": name, "size": size}
                    for name, size in zip(names, shape[-len(names) :], strict=True)
                ],
            }
        )
    parameters = [f"const float *{port.variable}" for port in inputs]
    parameters += [f"float *{port.variable}" for port in outputs]
    read = " and ".join(port.variable for port in inputs)
    written = " and ".join(port.variable for port in outputs)
    return {
        "title": title_of(origin),
        "version": __version__,
        "prefix": options.prefix,
        "stem": options.stem,
        "upper": upper,
        "weights_as": options.weights_as,
        "ports": described,
        "macs": plan.macs,
        "weights_bytes": plan.weights_bytes,
        "blob_bytes": BLOB_HEADER_BYTES + plan.weights_bytes,
        "arena_bytes": plan.certificate.arena_bytes,
        "arena_elements": max(plan.certificate.arena_bytes // 4, 1),
        "alignment": plan.alignment,
        "errors": [e for e in ERRORS if options.weights_as == "blob" or not e.blob_only],
        "run_parameters": ", ".join(parameters),
        "run_summary": f"reads {read}, writes {written}",
    }


def _ports(values: tuple[str, ...], kind: str) -> list[_Port]:
    if len(values) == 1:
        return [_Port(values[0], kind, kind.upper())]
    return [
        _Port(value, f"{kind}{number}", f"{kind.upper()}{number}")
        for number, value in enumerate(values, start=1)
    ]


def _null_checks(plan: Plan) -> str:
    names = [p.variable for p in _ports(plan.inputs, "input")]
    names += [p.variable for p in _ports(plan.outputs, "output")]
    if plan.certificate.arena_bytes:
        names.append("m->config.arena")
    return "".join(f" || {name} == NULL" for name in names)


def _steps(
    plan: Plan, options: EmitOptions, arrays: dict[int, WeightArray]
) -> list[dict[str, object]]:
    """The numbered list of layers of the run function."""
    ports = {p.value: p.variable for p in _ports(plan.inputs, "input")}
    outputs = {p.value: p.variable for p in _ports(plan.outputs, "output")}
    ports |= {plan.buffer_of(value).name: variable for value, variable in outputs.items()}

    def place(value: str) -> str:
        buffer = plan.buffer_of(value)
        if buffer.kind != "arena":
            return ports[buffer.name]
        return f"arena + {buffer.offset // 4}" if buffer.offset else "arena"

    printed: list[dict[str, object]] = []
    for index, step in enumerate(plan.steps):
        instance = plan.instances[step.instance]
        arguments = [place(step.reads[letter]) for letter in instance.arguments]
        if step.weights is not None:
            arguments.append(_weights_argument(step, options, arrays))
        arguments.append(place(step.writes))
        printed.append(
            {
                "index": index,
                "number": index + 1,
                "title": f"{step.name}: {plan.values[step.writes].type}",
                "function": function_name(instance, options.prefix),
                "arguments": ", ".join(arguments),
            }
        )
    return printed


def _weights_argument(step: Step, options: EmitOptions, arrays: dict[int, WeightArray]) -> str:
    assert step.weights is not None
    if options.weights_as in {"c", "inline"}:
        return f"{arrays[step.weights.offset].name}.f"
    base = "weights" if options.weights_as == "blob" else f"{options.prefix}_weights"
    return f"{base} + {step.weights.offset // 4}" if step.weights.offset else base


def _definitions(
    plan: Plan,
    packed: Packed,
    options: EmitOptions,
    arrays: dict[int, WeightArray],
    storage: str,
) -> str:
    """All arrays of the C form."""
    upper = options.prefix.upper()
    attributes = f" {upper}_WEIGHTS_ATTR" + (f" {upper}_ALIGNED" if plan.alignment > 4 else "")
    return "\n".join(c_array(a, packed, storage, attributes) for a in arrays.values())


def _weight_files(
    plan: Plan,
    packed: Packed,
    options: EmitOptions,
    arrays: dict[int, WeightArray],
    layout: bytes,
) -> dict[str, bytes]:
    """The files that hold the weights, for each form."""
    stem, upper = options.stem, options.prefix.upper()
    name = f"{stem}_weights"
    if options.weights_as == "blob":
        return {f"{name}.bin": blob(plan, packed, layout)}
    if options.weights_as == "incbin":
        assembler = render("weights.S.j2", prefix=options.prefix, stem=stem, upper=upper)
        content = blob(plan, packed, layout)[BLOB_HEADER_BYTES:]
        return {f"{name}.S": assembler.encode(), f"{name}.bin": content}
    if options.weights_as == "inline":
        return {}
    head = (
        f'/* Packed weights of {stem}.c. SPDX-License-Identifier: 0BSD */\n#include "{stem}.h"\n\n'
    )
    return {f"{name}.c": (head + _definitions(plan, packed, options, arrays, "")).encode()}
