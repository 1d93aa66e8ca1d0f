"""Types of a step's operands, constants included, from the plan alone.

A plan holds the types of its activations. Those of its constants follow from the operator, from the
activations around it and from the window that the kernel instance is specialised to, so that the
checker and the JSON form need no graph.
"""

from __future__ import annotations

from netgen.errors import PlanError
from netgen.ir.tensor_type import TensorType
from netgen.ops.add import Add
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.broadcast import per_channel
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.linear import Linear
from netgen.ops.mul import Mul
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
        else _constant_type(plan, step, letter)
        for letter in known
    }


def _constant_type(plan: Plan, step: Step, letter: str) -> TensorType:
    """Type of a constant: OHWI weights, one number per output channel, or all of an operand."""
    op, result = step.op, plan.values[step.writes].type
    outputs = result.shape[-1]
    if isinstance(op, Add | Mul) and letter == "b":
        # As long as what is packed: all elements, or one number per channel.
        whole = step.weights is None or step.weights.elements == result.elements
        return result if whole else TensorType(result.dtype, per_channel(result.shape))
    if isinstance(op, BatchNorm) or letter == "b":
        return TensorType(result.dtype, (outputs,))
    if letter == "w" and "x" in step.reads:
        inputs = plan.values[step.reads["x"]].type.shape[-1]
        if isinstance(op, Linear):
            return TensorType(result.dtype, (outputs, inputs))
        if isinstance(op, DepthwiseConv2d):
            return TensorType(result.dtype, (outputs, *_window(plan, step), 1))
        if isinstance(op, Conv2d):
            inputs = max(inputs // op.groups, 1)
            return TensorType(result.dtype, (outputs, *_window(plan, step), inputs))
    raise PlanError(
        f"the operand {letter} of {op.operator_name} cannot be a constant",
        where=f"step %{step.name}",
    )


def _window(plan: Plan, step: Step) -> tuple[int, int]:
    """Rows and columns of the kernel; an instance without a window is pointwise."""
    if not 0 <= step.instance < len(plan.instances):
        raise PlanError(f"there is no kernel instance {step.instance}", where=f"step %{step.name}")
    parameters = plan.instances[step.instance].parameters
    rows, columns = parameters.get("kernel_rows", 1), parameters.get("kernel_columns", 1)
    if not isinstance(rows, int) or not isinstance(columns, int) or min(rows, columns) < 1:
        raise PlanError(
            "the kernel instance has no window",
            where=f"step %{step.name}",
            expected="whole numbers of kernel_rows and kernel_columns",
            found=f"{rows!r} and {columns!r}",
        )
    return rows, columns
