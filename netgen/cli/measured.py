"""The part of `compile` that measures the C for a board, and holds it to budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netgen.emission.footprint import Footprint
    from netgen.ir.graph import Graph
    from netgen.plan.data.options import PlanOptions


def measured(
    graph: Graph,
    target: str,
    planning: PlanOptions,
    board: str | None,
    budgets: tuple[int | None, int | None],
    *,
    selftest: bool,
) -> Footprint | None:
    """The code and stack that the board's compiler makes, None where no board is named.

    Raises BudgetError where the arena or the flash are above the budgets, in this order.
    """
    if board is None and budgets == (None, None):
        return None
    from netgen.compiler import lower, resolve_target
    from netgen.export.boards import find_board
    from netgen.export.measured import Budgets, measure_on, require_budgets

    lowered = lower(graph, resolve_target(target), planning)
    found = None if board is None else measure_on(lowered, find_board(board), selftest=selftest)
    require_budgets(lowered.plan, Budgets(*budgets), found)
    return found
