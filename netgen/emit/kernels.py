"""Kernel instances -> C functions."""

from __future__ import annotations

from netgen.emit.environment import render
from netgen.kernels.layer import Instance


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
