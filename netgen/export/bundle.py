"""A model as a bundle that builds as it stands: C, an example, the files of a build system."""

from __future__ import annotations

from netgen.compiler import lower, with_input_type
from netgen.emission.header import command_of
from netgen.emission.options import EmitOptions, prefix_of, require_includable
from netgen.emission.selftest import self_test
from netgen.emission.source import emit_files
from netgen.errors import UsageError
from netgen.export.boards import Board
from netgen.export.bundles import FOR_BOARDS, KINDS
from netgen.export.bundles.content import Bundle, Files
from netgen.ir.graph import Graph
from netgen.ir.origin import Origin
from netgen.kernels.targets import Target
from netgen.plan.data.options import PlanOptions


def bundle_files(
    graph: Graph,
    kind: str,
    name: str,
    target: Target,
    planning: PlanOptions,
    board: Board | None = None,
) -> Files:
    """The files of a bundle by their paths; `name` is the stem of its C and opens all names.

    Raises UsageError for a name that C cannot have, and for a board that the kind has no place for.
    """
    if board is not None and kind not in FOR_BOARDS:
        raise UsageError(
            f"a bundle for {kind} takes its board from there",
            expected=f"--as {' or '.join(FOR_BOARDS)} beside --board",
            hint="leave out --board",
        )
    require_includable(prefix_of(name))
    graph = with_input_type(graph, planning)
    lowered = lower(graph, target, planning)
    origin = graph.origin or Origin(graph.name)
    command = command_of(origin, target, name, name, "c", planning, ["--selftest"])
    options = EmitOptions(name, name, "c", command, regions=isinstance(planning.ram, tuple))
    test = self_test(lowered.plan, lowered.graph)
    files = emit_files(lowered.plan, origin, lowered.packed, options, test)
    return KINDS[kind](Bundle(lowered.plan, origin, options, files, board))
