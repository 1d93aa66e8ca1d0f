"""Names of the axes of inputs and outputs, as far as the network tells them.

A graph is NHWC inside, but an interface may be of another order: an input [1,3,20,30] that a
transpose (0,2,3,1) makes an image is NCHW. Some operators say what axes are (`axis_letters`): a
convolution reads N H W C. From there letters follow values both ways, to what they are made of and
to what is made of them, along what every operator says of its axes (`axis_sources`). An axis that
no operator names, or two name differently, stays unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netgen.ir.operator import Operator
from netgen.plan.data.plan import Plan

UNKNOWN = "?"
# One of them is meant where a letter has its place in this one alone.
_IMAGE_ORDERS = ("NHWC", "NCHW")

# Of a value: for each axis the letters that operators give it.
_Letters = list[set[str]]
_Link = tuple[Operator, str, str]


def axes_of(plan: Plan, value: str) -> str:
    """A letter for each axis of an input or output: N, H, W, C, or a question mark."""
    return _completed(_found(plan)[value], plan.values[value].type.shape)


def _found(plan: Plan) -> Mapping[str, _Letters]:
    links = _links(plan)
    letters: dict[str, _Letters] = {
        name: [set() for _ in value.type.shape] for name, value in plan.values.items()
    }
    said = {
        value: [{letter} for letter in op.axis_letters]
        for op, *values in links
        for value in values
        if op.axis_letters and len(op.axis_letters) == len(letters[value])
    }
    letters |= said
    changed = True
    while changed:
        changed = False
        # In the order of the steps and against it: few turns reach everything.
        for link in (*links, *reversed(links)):
            changed |= _followed(plan, link, letters, said)
    return letters


def _links(plan: Plan) -> list[_Link]:
    """Every operand with its operator and result, of steps and of views."""
    links = [
        (step.op, operand, step.writes) for step in plan.steps for operand in step.reads.values()
    ]
    views = [(value.view, name) for name, value in plan.values.items() if value.view is not None]
    return links + [(view.op, operand, name) for view, name in views for operand in view.operands]


def _followed(
    plan: Plan, link: _Link, letters: Mapping[str, _Letters], said: Mapping[str, _Letters]
) -> bool:
    """Let letters follow one operand to its result and back; whether that told anything new."""
    op, operand, result = link
    shapes = [plan.values[name].type.shape for name in (operand, result)]
    changed = False
    for axis, source in enumerate(op.axis_sources(*shapes)):
        if source is None:
            continue
        ends = [(operand, source), (result, axis)]
        both = set.union(*(letters[name][at] for name, at in ends))
        for name, at in ends:
            if name not in said and letters[name][at] != both:
                letters[name][at] |= both
                changed = True
    return changed


def _completed(letters: _Letters, shape: Sequence[int]) -> str:
    """One letter for each axis; of an image also those that follow from the others."""
    single = ["".join(found) if len(found) == 1 else UNKNOWN for found in letters]
    axes = [letter if single.count(letter) == 1 else UNKNOWN for letter in single]
    if axes[0] == UNKNOWN and "N" not in axes:
        axes[0] = "N"  # of every interface
    disagreed = axes[1:] != single[1:] or any(len(found) > 1 for found in letters)
    if len(shape) == 4 and set(axes) - {"N", UNKNOWN} and not disagreed:
        fitting = [
            order
            for order in _IMAGE_ORDERS
            if all(axis in (letter, UNKNOWN) for axis, letter in zip(axes, order, strict=True))
        ]
        return fitting[0] if len(fitting) == 1 else "".join(axes)
    return "".join(axes)
