"""The bare allocator on the command line: `netgen plan --csv`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from netgen.cli.output import print_json, progress


def place_buffers(
    buffers: Path, output: Path | None, capacity: int | None, *, accept_gap: bool, as_json: bool
) -> None:
    """Place the buffers of a CSV file: a CSV with offsets, and how good the placement is."""
    from netgen.emission.files import write_files
    from netgen.plan.arena.placement import place_smallest, place_within
    from netgen.plan.arena.requests_csv import read_requests, requests_csv, requests_packing
    from netgen.plan.arena.shapes import extent, lower_bound

    requests = read_requests(buffers)
    packed = requests_packing(requests)
    with progress() as tell:
        tell("placing")
        if capacity is None:
            placed = place_smallest(packed, accept_gap=accept_gap)
        else:
            placed = place_within(packed, capacity)
    size, bound = extent(packed.shapes, placed.offsets), lower_bound(packed.shapes)
    document = requests_csv(requests, placed.offsets)
    if output is not None:
        write_files(output.parent, {output.name: document.encode()})
    if as_json:
        print_json(
            {
                "arena_bytes": size,
                "lower_bound_bytes": bound,
                "gap_bytes": size - bound,
                "proven_least_bytes": placed.least,
                "buffers": [
                    {**asdict(request), "offset": offset}
                    for request, offset in zip(requests, placed.offsets, strict=True)
                ],
            }
        )
        return
    if output is None:
        click.echo(document, nl=False)
    proof = "proven optimal" if size == placed.least else f"at least {placed.least:,} are needed"
    click.echo(
        f"arena {size:,} bytes, lower bound {bound:,}, gap {size - bound:,}: {proof}", err=True
    )
