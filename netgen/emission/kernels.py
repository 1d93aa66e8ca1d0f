"""Kernel instances -> C functions."""

from __future__ import annotations

from netgen.emission.c_types import C_TYPES
from netgen.emission.environment import render
from netgen.emission.tidy import tidy
from netgen.kernels import find_kernel
from netgen.kernels.layer import Instance


def function_name(instance: Instance, prefix: str) -> str:
    """Name of the C function."""
    return f"{prefix}_{instance.name}"


def kernel_function(instance: Instance, prefix: str, *, apart: bool = False) -> str:
    """The C function of an instance, not yet laid out.

    Pointers are `restrict` unless the plan lets the output overlap that operand. With `apart` the
    compiler may not inline it.
    """
    aliased = instance.parameters["aliased"]
    assert isinstance(aliased, list)
    arguments = [
        {
            "letter": letter,
            "type": C_TYPES[instance.elements[letter]].name,
            "qualifier": "" if letter in aliased else "restrict ",
        }
        for letter in instance.arguments
    ]
    kernel, result = find_kernel(instance.kernel), instance.elements["y"]
    border = instance.parameters.get("border", 0)
    assert isinstance(border, int)
    context: dict[str, object] = {
        "prefix": prefix,
        "upper": prefix.upper(),
        "function": function_name(instance, prefix),
        "arguments": arguments,
        "output_qualifier": "" if aliased else "restrict ",
        "output_type": C_TYPES[result].name,
        "weights_type": C_TYPES[kernel.weights_element].name,
        "scratch_type": C_TYPES[kernel.scratch_element].name,
        "has_weights": instance.has_weights,
        "band": None,
        "band_rows": 0,
        "split": None,
        "scratch": 0,
        "together": 0,
        "vector_width": 0,
        "numbers": [],
        "apart": apart,
        **instance.parameters,
        "border": str(border) if border else C_TYPES[result].zero,
    }
    function = tidy(render(f"kernels/{kernel.template}.c.j2", **context))
    return function + ("\n" + render("kernels/task.c.j2", **context) if is_split(instance) else "")


def is_split(instance: Instance) -> bool:
    """Whether its calls are divided between threads."""
    return instance.parameters.get("split") is not None
