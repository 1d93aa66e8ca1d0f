"""Plan -> model.c, model.h and the weights' files."""

from __future__ import annotations

from netgen import __version__
from netgen.emission.calls import LENT, Calls, divided_scratch, used
from netgen.emission.environment import render
from netgen.emission.format import format_c
from netgen.emission.functions import called_names, vector_words
from netgen.emission.header import ERRORS, memory_lines, provenance_lines, title_of
from netgen.emission.interface import (
    check_pushed_outputs,
    describe_ports,
    input_as,
    input_ports,
    model_bytes,
    output_ports,
    pushed_macs,
    row_counters,
    starts_before_rows,
)
from netgen.emission.kernels import is_split, kernel_function
from netgen.emission.options import EmitOptions
from netgen.emission.segments import Item, in_one_band, pushed_segment, run_items
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
from netgen.kernels.targets import find_target
from netgen.plan.build import PackedBytes
from netgen.plan.data.plan import Plan
from netgen.plan.json.plan_to_json import plan_to_json


def emit_files(
    plan: Plan, origin: Origin, packed: PackedBytes, options: EmitOptions
) -> dict[str, bytes]:
    """All files of a model by name: STEM.c, STEM.h and what holds the weights.

    The bytes are a function of the arguments alone.
    """
    prefix = options.prefix
    target = find_target(plan.target)
    layout = layout_id(plan_to_json(plan))
    arrays = weight_arrays(plan, prefix)
    context = _context(plan, origin, options)
    functions = [
        kernel_function(instance, prefix, apart=target.gnu_vectors) for instance in plan.instances
    ]
    called = called_names(functions)
    source = render(
        "model.c.j2",
        **context,
        arrays=list(arrays.values()),
        inline_weights=_INLINE_MARK,
        blob_start=blob_start(),
        blob_layout=byte_list(layout),
        functions=functions,
        **vector_words(called, target),
        needs_string=options.weights_as == "blob"
        or plan.push_rows
        or any("memcpy(" in text for text in functions),
        **_code(plan, options, arrays),
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
    upper = options.prefix.upper()
    return {
        "title": title_of(origin),
        "version": __version__,
        "prefix": options.prefix,
        "stem": options.stem,
        "upper": upper,
        "weights_as": options.weights_as,
        "input_as": input_as(plan),
        "banded": not all(in_one_band(plan, segment) for segment in plan.segments),
        "ports": describe_ports(plan, upper),
        "macs": plan.macs,
        "threads": plan.threads,
        "weights_bytes": plan.weights_bytes,
        "blob_bytes": BLOB_HEADER_BYTES + plan.weights_bytes,
        "arena_bytes": plan.fast_bytes,
        "slow_bytes": plan.slow_bytes,
        "alignment": plan.alignment,
        "errors": [
            error for error in ERRORS if error.only in (None, input_as(plan), options.weights_as)
        ],
        **_parameters(plan),
        "pushed_macs": pushed_macs(plan) if plan.push_rows else None,
        "row_counters": row_counters(plan),
    }


def _parameters(plan: Plan) -> dict[str, object]:
    """The caller's pointers, as parameters of functions and in words."""
    held = input_as(plan) == "arena"
    inputs = [] if held else [port.variable for port in input_ports(plan)]
    outputs = [port.variable for port in output_ports(plan)]
    reads = [f"const float *{name}" for name in inputs]
    writes = [f"float *{name}" for name in outputs]
    summary = f"reads {' and '.join(inputs)}, " if inputs else ""
    return {
        "run_parameters": ", ".join(reads + writes),
        "run_arguments": ", ".join([*inputs, *outputs]),
        "finish_parameters": ", ".join(writes),
        "finish_arguments": ", ".join(outputs),
        "run_summary": f"{summary}writes {' and '.join(outputs)}",
        "input_places": _input_places(plan) if held else [],
    }


def _input_places(plan: Plan) -> list[dict[str, object]]:
    """Where the caller writes the images that the arena holds."""
    return [
        {
            "variable": port.variable,
            "macro": port.macro,
            "arena": "slow_arena" if at >= plan.fast_bytes else "arena",
            "offset": f" + {start // 4}" if start else "",
        }
        for port in input_ports(plan)
        for at in [plan.buffer_of(port.value).offset]
        for start in [at - plan.fast_bytes if at >= plan.fast_bytes else at]
    ]


def _code(plan: Plan, options: EmitOptions, arrays: dict[int, WeightArray]) -> dict[str, object]:
    """What the functions that run the steps print."""
    check_pushed_outputs(plan)
    calls = Calls(plan, options, arrays)
    items, pushed = run_items(calls, options.prefix), pushed_segment(calls, options.prefix)
    segments = [item.segment for item in items if item.segment is not None]
    return {
        "items": items,
        "segments": [*segments, *([pushed] if pushed else [])],
        "pushed_segment": pushed,
        "pushed_arena": _pushed_arena(plan) if pushed else "",
        "pushed_row": calls.row(plan.inputs[0], "m->rows[0]") if pushed else "",
        "starts_before_rows": starts_before_rows(plan),
        "run_uses": _run_uses(items),
        **_threads(plan, items),
        "model_bytes": model_bytes(plan),
        **_null_checks(plan),
    }


def _pushed_arena(plan: Plan) -> str:
    """The region of RAM in which pushed rows wait."""
    slow = plan.buffer_of(plan.inputs[0]).offset >= plan.fast_bytes
    return "slow_arena" if slow else "arena"


def _run_uses(items: list[Item]) -> list[str]:
    """What the function with the list of steps needs of what is lent."""
    calls = [item.call for item in items if item.call is not None]
    calls += [item.loop.call for item in items if item.loop is not None]
    return used(LENT, calls)


def _threads(plan: Plan, items: list[Item]) -> dict[str, object]:
    """Whether any call is divided between threads, and whether one of the list of steps is."""
    divided = [instance for instance in plan.instances if is_split(instance)]
    calls = [item.call or (item.loop and item.loop.call) for item in items]
    in_run = used(["team"], [call for call in calls if call])
    segments = [item.segment for item in items if item.segment is not None]
    return {
        "threaded": bool(divided),
        "most_reads": max((len(instance.arguments) for instance in divided), default=0),
        "divided_scratch": divided_scratch(plan),
        "team_in_run": bool(in_run) or any(segment.divided for segment in segments),
    }


def _null_checks(plan: Plan) -> dict[str, object]:
    """What the functions refuse as null, behind `m` itself."""
    outputs = [port.variable for port in output_ports(plan)]
    inputs = [] if input_as(plan) == "arena" else [port.variable for port in input_ports(plan)]
    arena = ["m->config.arena"] if plan.fast_bytes else []
    arena += ["m->config.slow_arena"] if plan.slow_bytes else []

    def checks(names: list[str]) -> str:
        return "".join(f" || {name} == NULL" for name in names)

    return {
        "null_checks": checks(inputs + outputs + arena),
        "finish_null_checks": checks(outputs + arena),
    }


def _definitions(
    plan: Plan,
    packed: PackedBytes,
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
    packed: PackedBytes,
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
