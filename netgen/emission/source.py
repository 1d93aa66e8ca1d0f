"""Plan -> model.c, model.h and the weights' files."""

from __future__ import annotations

from collections.abc import Sequence

from netgen import __version__
from netgen.emission.c_types import C_TYPES, arena_members
from netgen.emission.calls import Calls, divided_scratch, used
from netgen.emission.environment import render
from netgen.emission.footprint import Footprint
from netgen.emission.format import format_c
from netgen.emission.functions import vector_words
from netgen.emission.header import (
    ERRORS,
    comment_text,
    identity_lines,
    memory_lines,
    provenance_lines,
    title_of,
)
from netgen.emission.interface import (
    check_pushed_outputs,
    input_as,
    input_ports,
    int_bytes,
    model_bytes,
    output_ports,
    row_counters,
    starts_before_rows,
)
from netgen.emission.kernels import is_split, kernel_function
from netgen.emission.lent import lent_pointers
from netgen.emission.options import EmitOptions
from netgen.emission.places import arena_places, enumerators, region_of
from netgen.emission.port_macros import has_unknown_axes, port_texts
from netgen.emission.resets import state_resets
from netgen.emission.segments import PUSHED, Item, in_one_band, pushed_segment, run_items
from netgen.emission.selftest import SelfTest, test_context
from netgen.emission.size_macros import measured_constants, size_constants
from netgen.emission.sizes import Sizes, sizes_of_calls
from netgen.emission.weight_files import (
    alignment_attribute,
    id_tag,
    inline_arrays,
    weight_attributes,
    weight_files,
)
from netgen.emission.weights import (
    BLOB_HEADER_BYTES,
    WeightArray,
    all_members,
    blob_start,
    byte_list,
    is_plain,
    layout_id,
    model_id,
    weight_arrays,
)
from netgen.emission.words import string_text
from netgen.ir.origin import Origin
from netgen.ir.tensor_type import ELEMENTS
from netgen.kernels import find_kernel
from netgen.kernels.targets import find_target
from netgen.plan.data.plan import WEIGHTS_ELEMENT, Plan
from netgen.plan.data.step_layer import packed_element
from netgen.plan.json.plan_to_json import plan_to_json
from netgen.plan.packing import PackedBytes


def emit_files(
    plan: Plan,
    origin: Origin,
    packed: PackedBytes,
    options: EmitOptions,
    test: SelfTest | None = None,
    footprint: Footprint | None = None,
    labels: Sequence[str] = (),
) -> dict[str, bytes]:
    """All files of a model by name: STEM.c, STEM.h and what holds the weights.

    The bytes are a function of the arguments alone. With a `test` the C can test itself, with a
    `footprint` the header states it, with `labels` of the first output the C has them.
    """
    prefix = options.prefix
    target = find_target(plan.target)
    layout = layout_id(plan_to_json(plan))
    arrays = weight_arrays(plan, prefix)
    number = model_id(layout, packed, blob=options.weights_as == "blob")
    context = _context(plan, origin, options, list(arrays.values())) | test_context(plan, test)
    context |= _identity(origin, layout, number) | _measured(footprint)
    context |= {"labels": [*map(string_text, labels)], "scores": output_ports(plan)[0]}
    functions = [
        kernel_function(instance, prefix, apart=target.processor.calls_apart, calls=sizes)
        for instance, sizes in zip(plan.instances, sizes_of_calls(plan), strict=True)
    ]
    texts = [function.text for function in functions]
    words = vector_words(texts, target, prefix)
    source = render(
        "model.c.j2",
        **context,
        inline_weights=_INLINE_MARK,
        packed_bytes=any(
            find_kernel(step.kernel).weights_element == "i32" for step in plan.steps if step.weights
        ),
        blob_start=blob_start(),
        blob_layout=byte_list(layout),
        functions=texts,
        **words,
        needs_string=options.weights_as == "blob"
        or plan.push_rows
        or test is not None
        or bool(plan.states)
        or any(name in text for name in _FROM_STRING for text in [*texts, str(words["of_codes"])]),
        **_code(plan, options, arrays, [function.sizes for function in functions]),
        provenance=provenance_lines(plan, origin, options),
        memory=memory_lines(plan),
    )
    text = format_c(source)
    if options.weights_as == "inline":
        # After the layout: there is far more of them than of code.
        text = text.replace(_INLINE_MARK, inline_arrays(plan, packed, options, arrays))
    files = {f"{options.stem}.c": text.encode(), f"{options.stem}.h": _header(context)}
    return files | weight_files(plan, packed, options, arrays, layout, number)


_INLINE_MARK = "/* weights */"
# What the functions of kernels, and those that they call, take from <string.h>.
_FROM_STRING = ("memcpy(", "memmove(", "memset(")


def _header(context: dict[str, object]) -> bytes:
    return format_c(render("model.h.j2", **context)).encode()


def _context(
    plan: Plan, origin: Origin, options: EmitOptions, arrays: list[WeightArray]
) -> dict[str, object]:
    """The context that header and source share."""
    upper, dtypes = options.prefix.upper(), _element_types(plan)
    regions = options.regions or plan.slow_bytes > 0
    return {
        "title": title_of(origin),
        "version": __version__,
        "prefix": options.prefix,
        "stem": options.stem,
        "upper": upper,
        "weights_as": options.weights_as,
        "arrays": arrays,
        "weight_attributes": weight_attributes(plan, options),
        "input_as": input_as(plan),
        "banded": not all(in_one_band(plan, segment) for segment in plan.segments),
        "ports": port_texts(plan, upper, origin.normalisation),
        "unknown_axes": has_unknown_axes(plan),
        "sizes": size_constants(plan, options, regions=regions),
        "threads": plan.threads,
        "stateful": bool(plan.states),
        "blob_header_bytes": BLOB_HEADER_BYTES,
        "arena_members": arena_members(dtypes, plan.fast_bytes),
        "slow_arena_members": arena_members(dtypes, plan.slow_bytes),
        "arena_bytes": plan.fast_bytes,
        "slow_bytes": plan.slow_bytes,
        "regions": regions,
        "alignment": plan.alignment,
        "alignment_attribute": alignment_attribute(plan, upper),
        "errors": [
            error for error in ERRORS if error.only in (None, input_as(plan), options.weights_as)
        ],
        **_parameters(plan, upper),
        "row_counters": row_counters(plan),
        "pushed": input_ports(plan)[0] if plan.push_rows else None,
        "weights_type": C_TYPES[WEIGHTS_ELEMENT].name,
        "weights_members": "" if is_plain(arrays) else all_members(arrays, plan.weights_bytes),
        "weights_elements": plan.weights_bytes // ELEMENTS[WEIGHTS_ELEMENT].bytes,
    }


def _measured(footprint: Footprint | None) -> dict[str, object]:
    """The context of what a compiler made of the C, where somebody measured that."""
    compiler = "" if footprint is None else comment_text(footprint.compiler)
    return {"measured": measured_constants(footprint), "compiler": compiler}


def _identity(origin: Origin, layout: bytes, number: str) -> dict[str, object]:
    """The context of what ties the files of a model together."""
    return {
        "model_id": number,
        "id_tag": id_tag(number),
        "identity": identity_lines(origin, layout),
    }


def _element_types(plan: Plan) -> list[str]:
    """The element types of all values, in alphabetical order."""
    return sorted({value.type.dtype for value in plan.values.values()})


def _parameters(plan: Plan, upper: str) -> dict[str, object]:
    """The caller's pointers, as parameters of functions and in words."""
    held = input_as(plan) == "arena"
    reads, writes = [] if held else input_ports(plan), output_ports(plan)
    inputs, outputs = [port.variable for port in reads], [port.variable for port in writes]
    summary = f"reads {' and '.join(inputs)}, " if inputs else ""
    return {
        "run_parameters": ", ".join(port.parameter for port in reads + writes),
        "run_arguments": ", ".join([*inputs, *outputs]),
        "finish_parameters": ", ".join(port.parameter for port in writes),
        "finish_arguments": ", ".join(outputs),
        "run_summary": f"{summary}writes {' and '.join(outputs)}",
        "input_places": _input_places(plan, upper) if held else [],
    }


def _input_places(plan: Plan, upper: str) -> list[dict[str, object]]:
    """The places of the images that the caller writes into the arena."""
    places = arena_places(plan, upper)
    return [
        {
            "variable": port.variable,
            "macro": port.macro,
            "c_type": port.c_type,
            "arena": region,
            "place": places[plan.buffer_of(port.value).name].name,
        }
        for port in input_ports(plan)
        for region, _ in [region_of(plan, plan.buffer_of(port.value))]
    ]


def _code(
    plan: Plan, options: EmitOptions, arrays: dict[int, WeightArray], sizes: list[Sizes]
) -> dict[str, object]:
    """The context of the functions that run the steps."""
    check_pushed_outputs(plan)
    calls = Calls(plan, options, arrays, sizes)
    items, pushed = run_items(calls, options.prefix), pushed_segment(calls, options.prefix)
    segments = [item.segment for item in items if item.segment is not None]
    lent_weights = options.weights_as in ("blob", "incbin")
    return {
        "arena_places": enumerators(calls.arena_places.values()),
        "weight_places": enumerators(calls.weight_places.values()) if lent_weights else [],
        "items": items,
        "segments": [*segments, *([pushed] if pushed else [])],
        "pushed_segment": pushed,
        **(_pushed(calls) if pushed else {}),
        "starts_before_rows": starts_before_rows(plan),
        **_run_uses(calls, items),
        **_threads(plan, items),
        "model_bytes": model_bytes(plan),
        "int_bytes": int_bytes(plan),
        **_null_checks(plan),
        **state_resets(calls),
    }


def _pushed(calls: Calls) -> dict[str, object]:
    """The place of a pushed row, and the lent pointers that the function `push` needs for it."""
    row = calls.row(calls.plan.inputs[0], PUSHED)
    return {
        "pushed_row": row,
        "push_uses": lent_pointers([row]),
        "push_constants": calls.constants_in([row]),
    }


def _run_uses(calls: Calls, items: list[Item]) -> dict[str, object]:
    """The lent pointers and constants that the function with the list of steps needs."""
    loops = [item.loop for item in items if item.loop is not None]
    texts = [item.call.arguments for item in items if item.call is not None]
    texts += [loop.call.arguments for loop in loops]
    return {
        "run_uses": lent_pointers(texts),
        "run_constants": calls.constants_in([*texts, *[loop.condition for loop in loops]]),
    }


def _threads(plan: Plan, items: list[Item]) -> dict[str, object]:
    """Whether any call is divided between threads, and whether one of the list of steps is."""
    divided = [instance for instance in plan.instances if is_split(instance)]
    kept = {find_kernel(step.kernel).scratch_element for step in plan.steps if step.scratch}
    packed = {packed_element(plan, step) for step in plan.steps if step.weights}
    dtypes = sorted({*_element_types(plan), *kept, *packed})
    calls = [item.call or (item.loop and item.loop.call) for item in items]
    in_run = used(["team"], [call.arguments for call in calls if call])
    segments = [item.segment for item in items if item.segment is not None]
    return {
        "threaded": bool(divided),
        "most_reads": max((len(instance.arguments) for instance in divided), default=0),
        "divided_scratch": divided_scratch(plan),
        "call_type": C_TYPES[dtypes[0]].name if len(dtypes) == 1 else "void",
        "team_in_run": bool(in_run) or any(segment.divided for segment in segments),
    }


def _null_checks(plan: Plan) -> dict[str, object]:
    """The tests for null pointers in the public functions, behind that of `m` itself."""
    outputs = [port.variable for port in output_ports(plan)]
    inputs = [] if input_as(plan) == "arena" else [port.variable for port in input_ports(plan)]

    def checks(names: list[str]) -> str:
        return "".join(f" || {name} == NULL" for name in names)

    return {
        "null_checks": checks(inputs + outputs),
        "finish_null_checks": checks(outputs),
    }
