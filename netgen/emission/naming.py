"""Names of emitted files and functions, and the command that writes them again."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import get_args

from netgen.emission.footprint import Footprint
from netgen.emission.header import command_of
from netgen.emission.options import EmitOptions, WeightsAs, prefix_of, require_includable
from netgen.errors import UsageError
from netgen.ir.origin import Origin
from netgen.kernels.targets import Target
from netgen.plan.data.options import PlanOptions


def emit_options(
    origin: Origin,
    target: Target,
    stem: str,
    prefix: str | None,
    weights_as: WeightsAs,
    planning: PlanOptions,
    more: Sequence[str],
) -> EmitOptions:
    """The options by which files named STEM are emitted; the stem is their prefix without one.

    Raises UsageError for names that C cannot have, and for weights as there are none.
    """
    if weights_as not in get_args(WeightsAs):
        raise UsageError(
            f"weights cannot be written as '{weights_as}'",
            expected=f"one of {', '.join(get_args(WeightsAs))}",
        )
    require_includable(stem)
    name = prefix_of(stem if prefix is None else prefix)
    command = command_of(origin, target, stem, name, weights_as, planning, more)
    return EmitOptions(name, stem, weights_as, command, regions=isinstance(planning.ram, tuple))


def more_words(
    footprint: Footprint | None, labels: str | PathLike[str] | None, *, selftest: bool
) -> list[str]:
    """The words of a command that are no options of plans."""
    measured = [] if footprint is None else ["--measure", footprint.board]
    named = [] if labels is None else ["--labels", Path(labels).name]
    return [*(["--selftest"] if selftest else []), *measured, *named]
