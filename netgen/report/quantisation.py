"""The report of a quantisation: noise of each layer, gains of the steps, layers to blame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from netgen.pictures.style import COLOURS, PAGE
from netgen.pictures.svg import plain
from netgen.quantisation.blame import Blamed
from netgen.quantisation.quantise import Quantised
from netgen.report.table_html import Column, breaking, row, table


def noise_table(quantised: Quantised) -> Table:
    """One line per layer, in decibels of signal over noise."""
    found = Table()
    found.add_column("layer", overflow="fold")
    found.add_column("operator")
    for heading in ("from the input on", "alone", "its weights"):
        found.add_column(f"{heading}, dB", justify="right")
    for layer in quantised.walk.noise:
        found.add_row(
            layer.name,
            layer.operator,
            *map(_shown, (layer.accumulated, layer.alone, layer.weights)),
        )
    return found


def outcome_lines(quantised: Quantised, blamed: Sequence[Blamed], threshold: float) -> list[str]:
    """The outputs, what each step gained, what stayed in floats, and the layers to blame."""
    walk = quantised.walk
    lines = [f"%{name}: {noise:.1f} dB" for name, noise in walk.outputs.items()]
    before = None
    for gain in quantised.gains:
        change = "" if before is None else f" ({gain.decibels - before:+.1f})"
        left = "" if gain.kept else ", left out"
        lines.append(f"on images not fitted to, {gain.step}: {gain.decibels:.1f} dB{change}{left}")
        before = gain.decibels if gain.kept else before
    if quantised.floats:
        lines.append("in floats: " + ", ".join(quantised.floats))
    lines += [
        f"below {threshold:g} dB: %{b.name} ({b.decibels:.1f} dB): {b.reason}" for b in blamed
    ]
    return lines


def quantisation_facts(
    quantised: Quantised, blamed: Sequence[Blamed], threshold: float
) -> dict[str, object]:
    """All of it for programs."""
    return {
        "outputs": quantised.walk.outputs,
        "layers": [asdict(layer) for layer in quantised.walk.noise],
        "gains": [asdict(gain) for gain in quantised.gains],
        "floats": list(quantised.floats),
        "threshold": threshold,
        "blamed": [asdict(each) for each in blamed],
    }


def quantisation_page(quantised: Quantised, blamed: Sequence[Blamed], threshold: float) -> str:
    """The same as one self-contained page."""
    title = f"{plain(quantised.graph.name)}: quantisation"
    columns = (
        Column("layer", "name"), Column("operator"), Column("from the input on, dB", "n"),
        Column("alone, dB", "n"), Column("its weights, dB", "n"), Column("what would help", "long"),
    )  # fmt: skip
    reasons = {each.name: each.reason for each in blamed}
    rows = [
        row(
            columns,
            (
                breaking(layer.name),
                layer.operator,
                *map(_shown, (layer.accumulated, layer.alone, layer.weights)),
                plain(reasons.get(layer.name, "")),
            ),
        )
        for layer in quantised.walk.noise
    ]
    lines = outcome_lines(quantised, (), threshold)
    summary = "".join(f"<li>{plain(line)}</li>" for line in lines)
    caption = f"signal over noise; layers below {threshold:g} dB have a reason"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        f"<title>{title}</title>\n<style>{COLOURS}{PAGE}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n<ul>{summary}</ul>\n{table(columns, rows, caption)}\n</body>\n</html>\n"
    )


def _shown(decibels: float | None) -> str:
    return "" if decibels is None else f"{decibels:.1f}"
