"""The constants of the header that say what a run takes: steps, multiply-adds, threads, bytes."""

from __future__ import annotations

from math import prod

from netgen.emission.footprint import Footprint
from netgen.emission.interface import input_ports, pushed_macs
from netgen.emission.options import EmitOptions
from netgen.emission.port_macros import Macro
from netgen.emission.weights import BLOB_HEADER_BYTES
from netgen.plan.data.plan import Plan


def size_constants(plan: Plan, options: EmitOptions, *, regions: bool) -> list[Macro]:
    """All of them in the order of the header; `regions` is whether there are two of RAM."""
    blob = BLOB_HEADER_BYTES + plan.weights_bytes
    return [
        Macro("STEPS", str(len(plan.steps)), "of a run: the hook is told their numbers, from 0"),
        Macro("MACS", str(plan.macs), "multiply-accumulates of one run"),
        *(_pushed(plan) if plan.push_rows else ()),
        *_only(plan.threads > 1, "THREADS", plan.threads, "into so many parts calls are divided"),
        Macro("WEIGHTS_BYTES", f"{plan.weights_bytes}u", "packed, as the code reads them"),
        *_only(
            options.weights_as == "blob", "BLOB_BYTES", f"{blob}u", "a header, then the weights"
        ),
        Macro("ARENA_BYTES", f"{plan.fast_bytes}u", f"of RAM, lent for the time of {_time(plan)}"),
        *_only(
            bool(plan.states),
            "STATE_BYTES",
            f"{plan.state_bytes}u",
            "of it, the first, which hold the state between runs",
        ),
        *_only(regions, "SLOW_ARENA_BYTES", f"{plan.slow_bytes}u", "likewise, in the slow region"),
        Macro("ARENA_ALIGN", f"{plan.alignment}u", "of what is lent, in bytes"),
    ]


def measured_constants(footprint: Footprint | None) -> list[Macro]:
    """Bytes that a compiler made, where somebody measured them."""
    if footprint is None:
        return []
    return [
        Macro("CODE_BYTES", f"{footprint.flash}u", "of flash: code and constants, no weights"),
        Macro("STACK_BYTES", f"{footprint.stack}u", "at most, without memcpy and your functions"),
    ]


def _time(plan: Plan) -> str:
    return "all runs of a stream" if plan.states else "a run"


def _pushed(plan: Plan) -> tuple[Macro, ...]:
    """Facts of pushed rows: their number, their bytes, and the work that they cause."""
    (port,), (_, rows, *row) = input_ports(plan), plan.values[plan.inputs[0]].type.shape
    macs = pushed_macs(plan)
    return (
        Macro("PUSH_ROWS", str(rows), "axis 1 of the input: as many are pushed"),
        Macro("PUSH_ROW_BYTES", f"{prod(row) * port.bytes}u", "of one row, without gaps"),
        Macro("PUSH_WORST_MACS", str(macs.row), "at most so many for one pushed row"),
        Macro("PUSH_FINISH_MACS", str(macs.finish), "by finish, when the last row is there"),
    )


def _only(wanted: bool, name: str, value: object, comment: str) -> tuple[Macro, ...]:
    return (Macro(name, str(value), comment),) if wanted else ()
