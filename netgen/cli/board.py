"""The part of `bench` that runs models on emulated boards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from netgen.cli.output import load_model, print_json, print_table, progress

if TYPE_CHECKING:
    from netgen.bench.suite import Case
    from netgen.plan.data.options import PlanOptions


def bench_on_board(
    cases: Sequence[Case],
    weights: Path | None,
    name: str,
    target: str,
    planning: PlanOptions,
    *,
    as_json: bool,
) -> None:
    """Run each model on a board, and print what it takes there. Raises VerifyError for wrong ones.

    The target is `generic` unless the user says otherwise: what is native here is not so there.
    """
    from netgen.bench.board.result import board_lines, board_tables, require_outputs
    from netgen.bench.board.run import bench_board
    from netgen.compiler import lower, resolve_target, with_input_type
    from netgen.export.boards import find_board

    board, results = find_board(name), []
    source = click.get_current_context().get_parameter_source("target")
    chosen = target if source is ParameterSource.COMMANDLINE else "generic"
    for case in cases:
        graph = load_model(case.model, weights, dict(case.parameters))
        with progress() as tell:
            tell("planning")
            lowered = lower(graph, resolve_target(chosen), planning)
            declared = with_input_type(graph, planning)
            results.append(bench_board(declared, lowered, board, tell))
    if as_json:
        print_json([result.as_json() for result in results])
    else:
        for result in results:
            for table in board_tables(result):
                print_table(table)
            click.echo("\n".join(board_lines(result)))
    require_outputs(results)
