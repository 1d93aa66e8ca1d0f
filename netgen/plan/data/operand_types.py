"""Types of a step's operands, constants included, from the plan alone."""

from __future__ import annotations

from netgen.errors import GraphError, PlanError
from netgen.ir.tensor_type import TensorType
from netgen.plan.data.plan import Plan, Step


def operand_types(plan: Plan, step: Step) -> dict[str, TensorType]:
    """Types by letter, in the order of the formula.

    Raises PlanError for operands that the operator does not take or that the plan does not hold.
    """
    names = step.op.letters(len(step.reads) + len(step.constants))
    known = [a for a in names if a in step.reads or a in step.constants]
    least = len(names) - step.op.optional_operands
    both = set(step.reads) & set(step.constants)
    strange = (set(step.reads) | set(step.constants)) - set(names)
    if strange or both or len(known) < least or tuple(known) != names[: len(known)]:
        raise PlanError(
            f"these are not the operands of {step.op.operator_name}",
            where=f"step %{step.name}",
            expected=", ".join(names),
            found=", ".join([*step.reads, *step.constants]),
        )
    for value in (*step.reads.values(), step.writes):
        if value not in plan.values:
            raise PlanError(f"the plan has no value %{value}", where=f"step %{step.name}")
    return {
        letter: plan.values[step.reads[letter]].type
        if letter in step.reads
        else step.constants[letter].type
        for letter in known
    }


def checked_types(plan: Plan, step: Step) -> dict[str, TensorType]:
    """The `operand_types`; raises PlanError also if the operator infers another result."""
    where = f"step %{step.name}"
    types, result = operand_types(plan, step), plan.values[step.writes].type
    try:
        inferred = step.op.result_type(list(types.values()))
    except GraphError as error:
        raise PlanError(str(error), where=where) from error
    if inferred != result:
        raise PlanError(
            "the result has the wrong type", where=where, expected=str(inferred), found=str(result)
        )
    return types
