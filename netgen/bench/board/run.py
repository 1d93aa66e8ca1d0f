"""A model built for a board, run there, compared with its reference and counted."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from netgen.bench.board.cycles import MANUALS, estimated_cycles
from netgen.bench.board.emulator import Counts, build_plugin, require_plugins, run_counted
from netgen.bench.board.result import BoardResult, LayerCount, OutputCheck
from netgen.compiler import Lowered
from netgen.emission.environment import render
from netgen.emission.files import write_files
from netgen.emission.footprint import Footprint
from netgen.emission.interface import Port, input_as, input_ports, output_ports
from netgen.emission.options import EmitOptions
from netgen.emission.source import emit_files
from netgen.errors import BuildError
from netgen.export.boards import Board, board_files
from netgen.export.measured import compile_flags
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret, rounded_values
from netgen.ir.origin import Origin
from netgen.ir.tensor_type import Array
from netgen.plan.data.execution_order import execution_order
from netgen.plan.data.plan import Plan
from netgen.runtime.compare import relative_error, seeded_inputs
from netgen.runtime.footprint import measure_footprint
from netgen.runtime.programs import require_programs, run_program

_STEM = "model"
_SECTIONS = "sections.h"


def bench_board(
    graph: Graph,
    lowered: Lowered,
    board: Board,
    progress: Callable[[str], None],
) -> BoardResult:
    """Build a planned network for a board, run it there on a seeded input, and count.

    `graph` is the network as it was declared, whose reference judges the outputs. Raises BuildError
    where a tool is missing, or the network does not fit.
    """
    require_programs([board.compiler, board.emulator[0]], board.packages)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        require_plugins(board, folder)
        progress("writing C")
        inputs = seeded_inputs(graph)
        _write_sources(graph, lowered, board, folder, inputs)
        progress(f"compiling for {board.core}")
        flags = (*compile_flags(lowered.plan, board), f'-DMODEL_CONFIG_H="{_SECTIONS}"')
        footprint = measure_footprint(folder / f"{_STEM}.c", board.toolchain, flags, board.name)
        elf = _link(board, folder, flags)
        progress(f"running on {board.name}")
        counts = run_counted(board, elf, build_plugin(folder))
        checks = _checks(graph, lowered.plan, inputs, (folder / "output.bin").read_bytes())
    return _result(graph, lowered.plan, board, counts, footprint, checks)


def _write_sources(
    graph: Graph, lowered: Lowered, board: Board, folder: Path, inputs: Mapping[str, Array]
) -> None:
    plan, options = lowered.plan, EmitOptions(_STEM, _STEM, "c", "netgen bench")
    held = input_as(plan) == "arena"
    reads, writes = input_ports(plan), output_ports(plan)
    files = emit_files(plan, graph.origin or Origin(graph.name), lowered.packed, options)
    files["app.c"] = render(
        "boards/bench.c.j2",
        prefix=_STEM,
        upper=_STEM.upper(),
        stem=_STEM,
        inputs=reads,
        outputs=writes,
        held=held,
        arguments=", ".join(port.variable for port in [*([] if held else reads), *writes]),
    ).encode()
    files["input.bin"] = b"".join(np.ascontiguousarray(inputs[p.value]).tobytes() for p in reads)
    files[_SECTIONS] = _sections(board)
    write_files(folder, files | board_files(board))


def _sections(board: Board) -> bytes:
    """The header that puts weights and arena where the board's script has room for them."""
    lines = [
        f'#define MODEL_{what}_ATTR __attribute__((section("{section}")))\n'
        for what, section in board.sections.items()
    ]
    return "".join(lines).encode()


def _link(board: Board, folder: Path, flags: Sequence[str]) -> Path:
    elf = folder / f"{_STEM}.elf"
    sources = [f"{_STEM}.footprint.o", f"{_STEM}_weights.c", "app.c"]
    sources += ["startup.c"] if board.regions else []
    command = [board.compiler, *flags, "-Wl,--gc-sections", *sources]
    run_program([*command, "-L.", *board.link_flags, "-o", elf.name], folder)
    return elf


def _checks(
    graph: Graph, plan: Plan, inputs: Mapping[str, Array], written: bytes
) -> tuple[OutputCheck, ...]:
    """Each output of the board beside the reference's."""
    values, rounded = interpret(graph, inputs), rounded_values(graph)
    found, at = [], 0
    for port in output_ports(plan):
        count = plan.values[port.value].type.elements
        piece = written[at : at + count * port.bytes]
        at += len(piece)
        found.append(_check(port, values[port.value], piece, graph, rounded))
    return tuple(found)


def _check(
    port: Port, expected: Array, piece: bytes, graph: Graph, rounded: frozenset[str]
) -> OutputCheck:
    kind = graph[port.value].type
    want = kind.element.store(expected)
    have = np.frombuffer(piece, want.dtype).reshape(want.shape)
    differ = int(np.count_nonzero(have != want))
    exact = not kind.element.is_float and port.value not in rounded
    return OutputCheck(port.value, want.size, differ, relative_error(have, want), exact)


def _result(
    graph: Graph,
    plan: Plan,
    board: Board,
    counts: Counts,
    footprint: Footprint,
    checks: tuple[OutputCheck, ...],
) -> BoardResult:
    by_name: Counter[str] = Counter()
    for each in counts.executed:
        by_name[each.mnemonic] += each.count
    manual = MANUALS.get(board.cycles or "")
    cycles = None if manual is None else estimated_cycles(counts.executed, manual)
    return BoardResult(
        model=graph.name,
        board=board.name,
        core=board.core,
        target=plan.target,
        instructions=counts.total,
        estimated_cycles=cycles,
        macs=plan.macs,
        layers=_layers(plan, counts.bands),
        mnemonics=tuple(by_name.most_common()),
        footprint=footprint,
        weights_bytes=plan.weights_bytes,
        arena_bytes=plan.certificate.arena_bytes,
        state_bytes=plan.state_bytes,
        outputs=checks,
    )


def _layers(plan: Plan, bands: Sequence[int]) -> tuple[LayerCount, ...]:
    """Instructions by step: those up to the end of each of its bands."""
    order = [band.step for band in execution_order(plan) if band.step >= 0]
    if len(order) != len(bands):
        raise BuildError(
            "the board ran other bands than the plan has",
            expected=str(len(order)),
            found=str(len(bands)),
        )
    sums: Counter[int] = Counter()
    for step, instructions in zip(order, bands, strict=True):
        sums[step] += instructions
    return tuple(
        LayerCount(index, step.name, step.kernel, step.macs, sums[index])
        for index, step in enumerate(plan.steps)
    )
