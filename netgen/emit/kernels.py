"""Kernel instances -> C functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_args

from netgen.emit.environment import render
from netgen.kernels.layer import Instance
from netgen.ops.activation import Activation


def function_name(instance: Instance, prefix: str) -> str:
    """Name of the C function."""
    return f"{prefix}_{instance.name}"


def kernel_function(instance: Instance, prefix: str) -> str:
    """The C function of an instance, not yet laid out.

    Pointers are `restrict` unless the plan lets the output overlap that operand.
    """
    aliased = instance.parameters["aliased"]
    arguments = [
        {"letter": letter, "qualifier": "" if letter == aliased else "restrict "}
        for letter in instance.arguments
    ]
    return render(
        f"kernels/{instance.kernel}.c.j2",
        upper=prefix.upper(),
        function=function_name(instance, prefix),
        arguments=arguments,
        output_qualifier="" if aliased else "restrict ",
        has_weights=instance.has_weights,
        **instance.parameters,
    )


def scalar_activations(functions: Iterable[str]) -> list[str]:
    """The activations that some function applies to scalars: an unused one would be a warning."""
    text = "\n".join(functions)
    return [act for act in get_args(Activation) if re.search(rf"\b{act}\(", text)]
