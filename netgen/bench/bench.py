"""`bench`: a compiled model and its peers, timed in interleaved rounds on the same cores."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np

from netgen.bench.peers import PEERS, check_installed, check_known, load_netgen, refusal
from netgen.bench.process import WorkerProcess, default_cores
from netgen.bench.result import BenchRow, compared, final_rows
from netgen.bench.worker import Job, Loader
from netgen.compiler import compile as compile_graph
from netgen.errors import NetgenError, NetgenNote, UsageError
from netgen.ir.graph import Graph
from netgen.plan.data.options import DEFAULT, PlanOptions
from netgen.runtime.compare import seeded_inputs

# Threads that have run out of work look for more before they sleep, LLVM's OpenMP for 0.2 s:
# meanwhile nobody else is timed on their cores.
_REST_SECONDS = 0.25


@dataclass
class _Runner:
    """A runtime that takes part in the rounds."""

    process: WorkerProcess
    count: int = 1  # inferences per round
    seconds: list[float] = field(default_factory=list)  # of one inference, round by round


def bench(
    graph: Graph,
    model: Callable[..., object],
    *,
    peers: Sequence[str] = ("onnxruntime",),
    rounds: int = 50,
    round_ms: float = 20.0,
    threads: int = 1,
    label: str | None = None,
    on_round: Callable[[int, int], None] | None = None,
) -> list[BenchRow]:
    """Time a model and its peers on the same image; one row for netgen, then one per peer.

    `model` is `graph` compiled (any callable that can be pickled, takes the inputs as [1,H,W,C] of
    their element types and returns an array, or a tuple of them). Each runtime is a process of its
    own with `threads` threads, all pinned to the last cores allowed; only one works at a time. In
    each of `rounds` rounds every runtime runs for about `round_ms` milliseconds or one inference,
    in turn forwards and backwards. The first peer takes part twice: its ratio to itself says how
    far to trust the rest. `label` names the model in the rows; `on_round(done, rounds)` is called
    after each round.

    A peer that is missing, cannot take codes, fails to start or computes something else has a row
    that says so, and the rest goes on. Raises UsageError for an unknown peer or no rounds,
    BuildError where the model itself does not run.
    """
    check_known(peers)
    if rounds < 1:
        raise UsageError("a bench needs at least one round", found=str(rounds))
    label = label or graph.name
    cores = default_cores(threads)
    images = seeded_inputs(graph)
    inputs = tuple(images[node.name] for node in graph.inputs)
    with ExitStack() as stack:

        def start(name: str, load: Loader, payload: object) -> _Runner:
            process = WorkerProcess(name, Job(load, payload, inputs, threads), cores)
            return _Runner(stack.enter_context(closing(process)))

        ours = start("netgen", load_netgen, model)
        blank = BenchRow(label, "netgen", version=ours.process.ready.version, threads=threads)
        rows, runners, twins = _start_peers(blank, graph, ours, peers, start)
        rest = _REST_SECONDS if threads > 1 else 0.0
        for done in _interleave([*runners.values(), *twins], rounds, round_ms, rest):
            if on_round is not None:
                on_round(done, rounds)
    return final_rows(
        rows,
        {name: np.array(runner.seconds) for name, runner in runners.items()},
        {name: runner.count * rounds for name, runner in runners.items()},
        np.array(twins[0].seconds) if twins else None,
    )


def _start_peers(
    row_of_ours: BenchRow,
    graph: Graph,
    ours: _Runner,
    peers: Sequence[str],
    start: Callable[[str, Loader, object], _Runner],
) -> tuple[list[BenchRow], dict[str, _Runner], list[_Runner]]:
    """A row for everyone, the runners that take part by name, and the first peer's second one."""
    rows, runners, twins = [row_of_ours], {"netgen": ours}, list[_Runner]()
    for name in dict.fromkeys(peers):
        blank = BenchRow(row_of_ours.model, name, threads=row_of_ours.threads)
        row, started = _admit(blank, graph, ours, start, twice=not twins)
        rows.append(row)
        if started:
            runners[name], *more = started
            twins += more
    return rows, runners, twins


def bench_target(
    graph: Graph,
    target: str,
    peers: Sequence[str],
    rounds: int,
    label: str,
    tell: Callable[[str], None],
    planning: PlanOptions = DEFAULT,
) -> list[BenchRow]:
    """Compile a graph for `target` and time it as `bench` does; `tell` hears of the progress.

    Before anything is compiled, a note names each peer that cannot take the graph's codes.
    """
    check_known(peers)
    default_cores(planning.threads)  # raises before anything is compiled
    for name in dict.fromkeys(peers):
        if (refused := refusal(name, graph)) is not None:
            warnings.warn(str(refused), NetgenNote, stacklevel=2)
    return bench(
        graph,
        compile_graph(graph, target=target, progress=tell, **planning.keywords()),
        peers=peers,
        rounds=rounds,
        threads=planning.threads,
        label=label,
        on_round=lambda done, total: tell(f"round {done} of {total}"),
    )


def _admit(
    row: BenchRow,
    graph: Graph,
    ours: _Runner,
    start: Callable[[str, Loader, object], _Runner],
    *,
    twice: bool,
) -> tuple[BenchRow, list[_Runner]]:
    """Start a peer, once or twice, and compare its outputs; none runs if its row has an error."""
    name = row.runtime
    try:
        if (refused := refusal(name, graph)) is not None:
            raise refused
        check_installed(name)
        payload = PEERS[name].prepare(graph)
        started = [start(name, PEERS[name].load, payload) for _ in range(2 if twice else 1)]
    except NetgenError as error:
        return replace(row, error=str(error), exit_code=error.exit_code), []
    ready = started[0].process.ready
    row = compared(replace(row, version=ready.version), ours.process.ready.outputs, ready.outputs)
    return row, started if row.error is None else []


def _interleave(
    runners: Sequence[_Runner], rounds: int, round_ms: float, rest: float
) -> Iterator[int]:
    """Warm up, choose the inferences per round, run the rounds; yields how many are done.

    `rest` are the seconds that pass after each runtime's turn.
    """
    for runner in runners:
        runner.process.time(3)
        runner.count = max(1, ceil(round_ms / 1e3 / runner.process.time(3)))
        time.sleep(rest)
    for done in range(1, rounds + 1):
        # Who comes first changes, so that nobody always follows the same neighbour.
        for runner in runners if done % 2 else reversed(runners):
            runner.seconds.append(runner.process.time(runner.count))
            time.sleep(rest)
        yield done
