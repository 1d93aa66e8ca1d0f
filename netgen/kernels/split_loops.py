"""The loops that several kernels have in common, divided between threads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

from netgen.kernels.layer import Json, Layer
from netgen.kernels.split import Candidate, Loop, Split, split_loops
from netgen.kernels.stretches import VectorRun

# Bytes that are not parted: a cache line, so that no two threads write to one.
_LINE_BYTES = 64
# How much longer than from a cache that cores share it takes to read what another core has written.
_FOREIGN = 3.0


def rows_of_call(layer: Layer) -> int:
    """The number of rows of the result that one call computes."""
    return layer.band.rows if layer.band else layer.result.shape[1]


def split_rows(layer: Layer, threads: int, at_once: int = 1) -> Split:
    """Division by rows of the result, as many as are computed at once."""
    return split_loops("rows", [Loop(0, rows_of_call(layer), at_once)], threads)


def split_panels(described: Json, threads: int) -> Split:
    """Division by panels of outputs, as `describe_panels` describes them."""
    panels = cast("list[dict[str, int]]", described)
    loops = [Loop(p["first"], p["end"], p["channels"], p["elements"]) for p in panels]
    return split_loops("panels", loops, threads)


def split_pixels(described: Mapping[str, Json], threads: int) -> Split | None:
    """Division by tiles of pixels; the rest stays with the last tile. None without a whole tile."""
    full, tile, rest = (cast("int", described[key]) for key in ("tiled_pixels", "tile", "rest"))
    if not full:
        return None
    loops = [Loop(0, full, tile, tile), *([Loop(full, full + rest, rest, rest)] if rest else [])]
    return split_loops("pixels", loops, threads, {full // tile} if rest else ())


def split_described(layer: Layer, described: Mapping[str, Json], threads: int) -> Split:
    """Division in whole cache lines by elements, or by pixels if the loop goes through those."""
    line = _line(layer)
    if described.get("stretches") or "elements" not in described:
        return split_loops("elements", [Loop(0, cast("int", described["pixels"]))], threads)
    if "vector_width" in described:
        return _split_vectors_of_elements(described, threads, line)
    pixel = cast("int", described["channels"]) if described.get("spread") else 1
    elements = cast("int", described["elements"])
    # The least number of whole pixels that is one of whole lines, too.
    step = math.lcm(line, pixel)
    return split_loops("elements", [Loop(0, elements, step)], threads)


def _line(layer: Layer) -> int:
    """Elements of the result in a cache line."""
    return _LINE_BYTES // layer.result.element.bytes


def _split_vectors_of_elements(described: Mapping[str, Json], threads: int, line: int) -> Split:
    """Division by vectors, in whole cache lines; the rest stays with the last one."""
    whole, rest = cast("int", described["vector_elements"]), cast("int", described["rest"])
    loops = [Loop(0, whole, line), *([Loop(whole, whole + rest, rest)] if rest else [])]
    iterations = loops[0].iterations
    return split_loops("elements", loops, threads, {iterations} if rest and iterations else ())


def split_vectors(layer: Layer, runs: Sequence[VectorRun], threads: int) -> Split:
    """Division by vectors of channels; repeated channels stay with the part that has them already.

    Parts meet at multiples of a cache line, if each of them has several.
    """
    loops = [Loop(run.first, run.end, run.width) for run in runs]
    tied, lines, number, seen, line = set(), set(), 0, 0, _line(layer)
    for run, loop in zip(runs, loops, strict=True):
        for iteration in range(loop.iterations):
            visit = run.visit + iteration * run.width
            if visit < seen:
                tied.add(number)
            if visit % line:
                lines.add(number)
            seen, number = max(seen, visit + run.width), number + 1
    if number - len(tied | lines) >= 2 * threads:
        tied |= lines
    return split_loops("vectors", loops, threads, tied)


def read_bytes(layer: Layer, split: Split) -> Candidate:
    """A split with the bytes that come to its largest part from elsewhere, weighted by their way.

    Parts by pixels read all weights; what they read of x they mostly wrote themselves. Parts by
    panels read their own weights, and half of x, as whoever reads y next does with y, is in the
    cache of another core.
    """
    x, w = (float(layer.operands[letter].bytes) for letter in ("x", "w"))
    if split.by != "panels":
        return Candidate(split, w)
    return Candidate(split, w * split.share + _FOREIGN * (x + layer.result.bytes) / 2)
