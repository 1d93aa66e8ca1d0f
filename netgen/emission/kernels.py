"""Kernel instances -> C functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_args

from netgen.emission.c_types import C_TYPES
from netgen.emission.environment import render
from netgen.emission.tidy import tidy
from netgen.kernels import find_kernel
from netgen.kernels.layer import Instance
from netgen.kernels.targets import Target
from netgen.ops.activation import Activation


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
        "apart": apart,
        **instance.parameters,
        "border": str(border) if border else C_TYPES[result].zero,
    }
    function = tidy(render(f"kernels/{kernel.template}.c.j2", **context))
    return function + ("\n" + render("kernels/task.c.j2", **context) if is_split(instance) else "")


def is_split(instance: Instance) -> bool:
    """Whether its calls are divided between threads."""
    return instance.parameters.get("split") is not None


# What calls what; vectors' macros end in their width.
_CALLS = {
    "hard_swish": "relu6",
    "hard_sigmoid": "relu6",
    "HARD_SWISH_": "RELU6_",
    "HARD_SIGMOID_": "RELU6_",
    "RELU6_": "RELU_",
}


def called_names(functions: Iterable[str]) -> frozenset[str]:
    """Names of functions and macros that are called, also by others: only those are printed."""
    code = [re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL) for text in functions]
    called = {name for text in code for name in re.findall(r"\b(\w+)\(", text)}
    for caller, callee in _CALLS.items():
        called |= {callee + name.removeprefix(caller) for name in called if name.startswith(caller)}
    return frozenset(called)


def vector_words(called: frozenset[str], target: Target) -> dict[str, object]:
    """What `vectors.c.j2` prints for the names that functions of a target call."""
    widths = target.f32.vector_widths
    return {
        "called": called,
        "scalar_activations": scalar_activations(called),
        "gnu_vectors": target.f32.vector_types,
        "widths": [width for width in widths if f"LOAD{width}" in called],
        "sigmoid_widths": [width for width in widths if f"SIGMOID_{width}" in called],
    }


def scalar_activations(called: frozenset[str]) -> list[str]:
    """The activations that are applied to scalars: an unused function would be a warning."""
    return [act for act in get_args(Activation) if act in called]
