"""The bench of a graph that is compiled for a target first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from netgen.bench.bench import Model, bench
from netgen.bench.peers import check_known
from netgen.bench.process import default_cores
from netgen.bench.result import BenchRow
from netgen.bench.subject import Subject
from netgen.compiler import compile as compile_graph
from netgen.errors import NetgenError
from netgen.ir.graph import Graph
from netgen.plan.data.options import DEFAULT, PlanOptions


def bench_target(
    graph: Graph,
    target: str,
    peers: Sequence[str],
    rounds: int,
    label: str,
    tell: Callable[[str], None],
    planning: PlanOptions = DEFAULT,
    file: Path | None = None,
) -> list[BenchRow]:
    """Compile a graph for `target` and time it as `bench` does; `tell` hears of the progress.

    So is the float twin of a graph of codes. A tuning is of layers of codes, so the twin has none.
    """
    check_known(peers)
    default_cores(planning.threads)  # raises before anything is compiled

    def compiled(given: Graph, plan: PlanOptions) -> Model:
        return compile_graph(given, target=target, progress=tell, **plan.keywords())

    subject, floats = Subject(graph), None
    model = compiled(graph, planning)
    if subject.coded:
        floats = _twin(subject, lambda twin: compiled(twin, replace(planning, tuning=None)))
    return bench(
        graph,
        model,
        floats=floats,
        file=file,
        peers=peers,
        rounds=rounds,
        threads=planning.threads,
        label=label,
        on_round=lambda done, total: tell(f"round {done} of {total}"),
    )


def _twin(subject: Subject, compiled: Callable[[Graph], Model]) -> Model | NetgenError:
    """The float twin, or the error that there is instead: codes are timed without it."""
    try:
        return compiled(subject.floats)
    except NetgenError as error:
        return error
