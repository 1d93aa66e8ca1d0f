"""Whether a tuning is of any use to a plan: how many of its layers the plan has."""

from __future__ import annotations

import warnings
from inspect import currentframe
from pathlib import Path

from netgen.errors import NetgenNote, UsageError
from netgen.kernels import find_kernel
from netgen.plan.data.operand_types import operand_types
from netgen.plan.data.plan import Plan
from netgen.plan.data.step_layer import step_layer
from netgen.plan.data.tuning import Tuning, layer_key

_PACKAGE = Path(__file__).parents[2]


def require_use(tuning: Tuning, plan: Plan) -> None:
    """Raise UsageError for a tuning none of whose layers the plan has; warn where it has some.

    One file may serve several models, so layers of others are no fault.
    """
    count = len(tuning.choices)
    if not count:
        _note(f"{tuning.path}: no layer was faster otherwise: every kernel keeps its own choice")
        return
    used = len(tuning.choices.keys() & _keys(plan))
    if not used:
        raise UsageError(
            f"none of the {count} tuned layers is one of this plan",
            where=tuning.path,
            expected=f"layers of {plan.network} for these options",
            found=f"{next(iter(tuning.choices))}, for instance",
            hint="tune this model, with the same --ram, --input and --[no-]winograd: "
            "netgen tune MODEL -o FILE",
        )
    if used < count:
        _note(
            f"{tuning.path}: {plan.network} has {used} of the {count} tuned layers, "
            f"{count - used} belong to other models or options"
        )


def _keys(plan: Plan) -> set[str]:
    """The keys of all layers of a plan."""
    return {
        layer_key(find_kernel(step.kernel), step_layer(plan, step, operand_types(plan, step)))
        for step in plan.steps
    }


def _note(text: str) -> None:
    """Warn whoever called netgen, however many calls within netgen led here."""
    frame, level = currentframe(), 1
    while frame is not None and Path(frame.f_code.co_filename).is_relative_to(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, NetgenNote, stacklevel=level)
