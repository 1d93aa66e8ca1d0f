"""A profile as tables for the terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table

from netgen.bench.machine import Machine
from netgen.bench.profile import SLOW, Profile, StepProfile

_HEADINGS = ("µs", "share", "MMAC", "GFLOP/s", "weights kB", "activ. kB", "bound µs", "reached", "")


def profile_tables(profile: Profile) -> list[Table]:
    """The steps of a model, and the same added up by kernel; what is slow has a mark."""
    total = profile.total()
    steps = _table(profile.model, "step", "kernel", "shape")
    for step in profile.steps:
        steps.add_row(step.name, step.kernel, step.shape, *_cells(step, total))
    kernels = _table(f"{profile.model}, by kernel", "kernel", "steps")
    for group in (*profile.kernels(), total):
        kernels.add_row(group.name, group.shape, *_cells(group, total))
    return [steps, kernels]


def profile_notes(profile: Profile, machine: Machine) -> list[str]:
    """Lines that stand below the tables: the core's limits, how to read the numbers."""
    reads = ", ".join(
        f"{level.name} {level.bandwidth / 1e9:.0f}" for level in profile.limits.levels
    )
    total = profile.total()
    return [
        f"this core, measured: {profile.limits.flops / 1e9:.0f} GFLOP/s; reads, GB/s: {reads}",
        "bound: the longest of arithmetic at that peak, weights and activations at those reads; "
        f"! below {SLOW:.0%} of it",
        f"medians of {profile.runs} runs; they add up to {total.us:.1f} µs, of which reading the "
        f"clock took {profile.clock_us:.1f}",
        f"{profile.precision}, one thread, one core: {machine}",
    ]


def _table(title: str, *names: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for name in names:
        table.add_column(name, overflow="fold")
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    return table


def _cells(step: StepProfile, total: StepProfile) -> tuple[str, ...]:
    return (
        f"{step.us:.1f}",
        f"{step.us / total.us:.1%}",
        f"{step.macs / 1e6:.2f}" if step.macs else "-",
        f"{step.gflops:.1f}" if step.macs else "-",
        f"{step.weight_bytes / 1e3:.1f}" if step.weight_bytes else "-",
        f"{step.activation_bytes / 1e3:.1f}",
        f"{step.bound_us:.1f}",
        f"{step.achieved:.0%}",
        f"{'! ' if step.slow else ''}{step.bound_by}",
    )
