"""`bench`: a compiled model and its peers, timed in interleaved rounds on the same cores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from math import ceil, inf
from pathlib import Path
from typing import TypeAlias

import numpy as np

from netgen.bench.peers import Entry, check_installed, check_known, entries, load_netgen
from netgen.bench.process import WorkerProcess, default_cores
from netgen.bench.result import (
    LARGEST_ERROR,
    LARGEST_ERROR_OF_CODES,
    OUR_FLOATS,
    OURS,
    BenchRow,
    compared,
    final_rows,
)
from netgen.bench.subject import Precision, Subject
from netgen.bench.worker import Array, Job, Loader
from netgen.errors import NetgenError, UsageError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret

# Threads that have run out of work look for more before they sleep, LLVM's OpenMP for 0.2 s:
# meanwhile nobody else is timed on their cores.
_REST_SECONDS = 0.25

Model: TypeAlias = "Callable[..., object]"


@dataclass
class _Runner:
    """A runtime that takes part in the rounds."""

    process: WorkerProcess
    count: int = 1  # inferences per round
    seconds: list[float] = field(default_factory=list)  # of one inference, round by round


def bench(
    graph: Graph,
    model: Model,
    *,
    floats: Model | NetgenError | None = None,
    file: Path | None = None,
    peers: Sequence[str] = ("onnxruntime",),
    rounds: int = 50,
    round_ms: float = 20.0,
    threads: int = 1,
    label: str | None = None,
    on_round: Callable[[int, int], None] | None = None,
) -> list[BenchRow]:
    """Time a model and its peers on the same image; one row for netgen, then those of peers.

    `model` is `graph` compiled (any callable that can be pickled, takes the inputs as [1,H,W,C] of
    their element types and returns an array, or a tuple of them). Each runtime is a process of its
    own with `threads` threads, all pinned to the last cores allowed; only one works at a time. In
    each of `rounds` rounds every runtime runs for about `round_ms` milliseconds or one inference,
    in turn forwards and backwards. The first peer takes part twice: its ratio to itself says how
    far to trust the rest. `label` names the model in the rows; `on_round(done, rounds)` is called
    after each round.

    Of a graph of codes `floats` is its float twin compiled, which then has a row as well, or the
    error that there is instead. `file` is the `.tflite` file that the graph was read from: some
    peers run it as it is.

    A peer that is missing, fails to start or computes something else has a row that says so, and
    the rest goes on. Raises UsageError for an unknown peer or no rounds, BuildError where the model
    itself does not run.
    """
    check_known(peers)
    if rounds < 1:
        raise UsageError("a bench needs at least one round", found=str(rounds))
    with ExitStack() as stack:
        contest = _Contest(stack, Subject(graph, file), label or graph.name, threads)
        contest.start_ours(model, floats)
        for name in dict.fromkeys(peers):
            contest.admit(name)
        runners, twins = contest.runners, contest.twins
        rest = _REST_SECONDS if threads > 1 else 0.0
        for done in _interleave([*runners.values(), *twins], rounds, round_ms, rest):
            if on_round is not None:
                on_round(done, rounds)
    return final_rows(
        contest.rows,
        {name: np.array(runner.seconds) for name, runner in runners.items()},
        {name: runner.count * rounds for name, runner in runners.items()},
        np.array(twins[0].seconds) if twins else None,
    )


class _Contest:
    """All who take part: a row for each, the runners by name, the first peer's second one."""

    def __init__(self, stack: ExitStack, subject: Subject, label: str, threads: int) -> None:
        self._stack, self._subject = stack, subject
        self._blank = BenchRow(label, OURS, threads=threads)
        self._cores = default_cores(threads)
        self._expected: dict[Precision, tuple[Array, ...]] = {}
        self.rows: list[BenchRow] = []
        self.runners: dict[str, _Runner] = {}
        self.twins: list[_Runner] = []

    def start_ours(self, model: Model, floats: Model | NetgenError | None) -> None:
        """Start netgen, and its float twin if there is one."""
        own = self._subject.precision
        row, ours = self._ours(OURS, model, own)
        self._enter(row, ours)
        if isinstance(floats, NetgenError):
            self.rows.append(_failed(self._row(OUR_FLOATS, "fp32"), floats))
        elif floats is not None:
            row, twin = self._ours(OUR_FLOATS, floats, "fp32")
            # How far floats and codes are from each other says nothing about right and wrong.
            outputs = self._outputs("fp32")
            self._enter(compared(row, self._outputs(own), outputs, inf), twin)

    def _ours(self, name: str, model: Model, precision: Precision) -> tuple[BenchRow, _Runner]:
        runner = self._start(name, load_netgen, model, precision)
        ready = runner.process.ready
        self._expected[precision] = self._subject.meant(ready.outputs, precision)
        return replace(self._row(name, precision), version=ready.version), runner

    def admit(self, name: str) -> None:
        """Start a peer in each of its forms; a row says so where it cannot be."""
        try:
            check_installed(name)
            found = entries(name, self._subject)
        except NetgenError as error:
            self.rows.append(_failed(self._row(name, self._subject.precision), error))
            return
        for entry in found:
            self._admit(entry)

    def _admit(self, entry: Entry) -> None:
        """Start one form, once or twice, and compare its outputs; none runs if they are wrong."""
        row = self._row(entry.runtime, entry.precision)
        try:
            payload = entry.form.prepare(self._subject)
            started = [
                self._start(entry.runtime, entry.form.load, payload, entry.precision)
                for _ in range(1 if self.twins else 2)
            ]
        except NetgenError as error:
            self.rows.append(_failed(row, error))
            return
        ready = started[0].process.ready
        theirs = self._subject.meant(ready.outputs, entry.precision)
        limit = LARGEST_ERROR if entry.precision == "fp32" else LARGEST_ERROR_OF_CODES
        row = replace(row, version=ready.version)
        self._enter(compared(row, self._outputs(entry.precision), theirs, limit), *started)

    def _outputs(self, precision: Precision) -> tuple[Array, ...]:
        """The outputs that a peer is to give: netgen's own, or of floats what the twin means."""
        if precision not in self._expected:
            floats = self._subject.floats
            names = [node.name for node in floats.inputs]
            given = self._subject.inputs(precision)
            values = interpret(floats, dict(zip(names, given, strict=True)))
            self._expected[precision] = tuple(values[name] for name in floats.outputs)
        return self._expected[precision]

    def _enter(self, row: BenchRow, runner: _Runner, *twin: _Runner) -> None:
        self.rows.append(row)
        if row.error is None:
            self.runners[row.runtime] = runner
            self.twins += twin

    def _row(self, runtime: str, precision: Precision) -> BenchRow:
        return replace(self._blank, runtime=runtime, precision=precision)

    def _start(self, name: str, load: Loader, payload: object, precision: Precision) -> _Runner:
        job = Job(load, payload, self._subject.inputs(precision), self._blank.threads)
        return _Runner(self._stack.enter_context(closing(WorkerProcess(name, job, self._cores))))


def _failed(row: BenchRow, error: NetgenError) -> BenchRow:
    return replace(row, error=str(error), exit_code=error.exit_code)


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
