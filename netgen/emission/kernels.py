"""Kernel instances -> C functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netgen.emission.c_types import C_TYPES, number_of
from netgen.emission.constants import named_constants, used_names, with_constants
from netgen.emission.environment import render
from netgen.emission.sizes import Sizes, bounded_loops, make_sizes
from netgen.emission.tidy import tidy
from netgen.kernels import find_kernel
from netgen.kernels.compressed import PLAIN_WEIGHTS, header_elements
from netgen.kernels.layer import Instance
from netgen.kernels.terms import Term

# Parameters that are loops over channels.
_LOOPS = ("vectors", "stretches")
# What templates read of parameters that kernels may leave out.
ABSENT: Mapping[str, object] = {
    "band": None,
    "band_rows": 0,
    "split": None,
    "scratch": 0,
    "together": 0,
    "vector_width": 0,
    "wide": False,
    "numbers": [],
    "weights": PLAIN_WEIGHTS,
}


def function_name(instance: Instance, prefix: str) -> str:
    """Name of the C function."""
    return f"{prefix}_{instance.name}"


@dataclass(frozen=True)
class KernelFunction:
    """The C function of an instance, not yet laid out, and the sizes that its calls pass."""

    text: str
    sizes: Sizes


def kernel_function(
    instance: Instance,
    prefix: str,
    *,
    apart: bool = False,
    calls: Sequence[Mapping[str, int]] = (),
) -> KernelFunction:
    """The C function of an instance, for calls with these sizes.

    Pointers are `restrict` unless the plan lets the output overlap that operand. With `apart` the
    compiler may not inline it.
    """
    aliased = instance.parameters["aliased"]
    assert isinstance(aliased, list)
    kernel, result = find_kernel(instance.kernel), instance.elements["y"]
    border = instance.parameters.get("border", 0)
    assert isinstance(border, int | float)
    own = {name: name for name in instance.sizes or ()}
    context: dict[str, object] = {
        "prefix": prefix,
        "upper": prefix.upper(),
        "function": function_name(instance, prefix),
        "output_type": C_TYPES[result].name,
        "types": {letter: C_TYPES[element].name for letter, element in instance.elements.items()},
        "apart": apart,
        **ABSENT,
        **instance.parameters,
        **own,
        "border": number_of(result, border),
        **_of_weights(instance),
    }
    constants = named_constants(instance.parameters)
    # Where vectors are counted by width, no loop ends at all channels.
    named: dict[str, Term] = {"channels": "channels", **constants, **own}
    context |= {"named": named}
    context |= {key: bounded_loops(context.get(key), named) for key in _LOOPS if key in context}

    def printed(sizes: Sizes) -> str:
        context.update(_arguments(instance, context, frozenset(map(str, aliased)), sizes))
        return tidy(render(f"kernels/{kernel.template}.c.j2", **context))

    # Its parameters are those sizes that its own code uses: it is printed again to have them.
    text = printed(Sizes())
    sizes = make_sizes(used_names(text, own), calls)
    text = printed(sizes) if sizes.names else text
    function = with_constants(text, constants, str(context["declarations"]), sizes.read())
    task = "\n" + render("kernels/task.c.j2", **context) if is_split(instance) else ""
    return KernelFunction(sizes.around(str(context["function"]), function) + task, sizes)


def _of_weights(instance: Instance) -> dict[str, object]:
    """The C type of packed weights, and how many of them stand before those of an output."""
    element = find_kernel(instance.kernel).packed_element(instance.parameters)
    weights = str(instance.parameters.get("weights", PLAIN_WEIGHTS))
    return {"weights_type": C_TYPES[element].name, "header": header_elements(weights)}


def _arguments(
    instance: Instance, context: Mapping[str, object], aliased: frozenset[str], sizes: Sizes
) -> dict[str, str]:
    """Parameters of the function, and the members of a call that one of its parts passes on."""
    kernel, types = find_kernel(instance.kernel), instance.elements
    declared = {
        f"c->reads[{n}]": f"const {C_TYPES[types[a]].name} *{_restrict(a not in aliased)}{a}"
        for n, a in enumerate(instance.arguments)
    }
    if instance.has_weights:
        declared["c->w"] = f"const {context['weights_type']} *restrict w"
    declared["c->y"] = f"{C_TYPES[types['y']].name} *{_restrict(not aliased)}y"
    if context["band"] or context["band_rows"]:
        declared["c->first"] = "int first"
    if context["scratch"]:
        declared["c->scratch"] = f"{C_TYPES[kernel.scratch_element].name} *restrict scratch"
    if context["split"]:
        declared["part"] = "int part"
    passed = sizes.declared(str(context["function"]))
    return {
        "declarations": ", ".join([*declared.values(), *passed]),
        "members": ", ".join(declared),
    }


def _restrict(alone: bool) -> str:
    return "restrict " if alone else ""


def is_split(instance: Instance) -> bool:
    """Whether its calls are divided between threads."""
    return instance.parameters.get("split") is not None
