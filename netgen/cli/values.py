"""Readers of option texts: numbers, sizes, parameters, files."""

from __future__ import annotations

import math
from pathlib import Path

import click

from netgen.plan.data.options import Ram
from netgen.plan.data.tuning import Tuning
from netgen.plan.json.tuning_file import read_tuning
from netgen.runtime.byte_counts import byte_count


def read_parameters(
    _: click.Context, __: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """Split every `name=value`."""
    parameters = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"'{text}' is not of the form name=value")
        parameters[name] = value
    return parameters


def read_shapes(
    _: click.Context, __: click.Parameter, given: tuple[str, ...]
) -> dict[str, tuple[int, ...]]:
    """Split every `input=1,3,96,96`."""
    shapes = {}
    for text in given:
        name, _equals, sizes = text.rpartition("=")
        parts = sizes.split(",")
        if not name or not all(part.strip().isdigit() and int(part) for part in parts):
            raise click.BadParameter(f"'{text}' is not of the form x=1,3,96,96")
        shapes[name] = tuple(map(int, parts))
    return shapes


def read_numbers(
    _: click.Context, __: click.Parameter, given: str | None
) -> tuple[float, ...] | None:
    """Numbers separated by commas."""
    if given is None:
        return None
    try:
        return tuple(float(part) for part in given.split(","))
    except ValueError:
        raise click.BadParameter(f"'{given}' is no list of numbers") from None


def read_ram(_: click.Context, __: click.Parameter, given: str | None) -> Ram:
    """A number of bytes such as 262144, 256K or 1.5M, K being 1024; least; or fast=128K,slow=2M."""
    if given is None:
        return None
    if given.strip().lower() == "least":
        return "least"
    others = ", nor least, nor fast=128K,slow=2M"
    parts = [part.partition("=") for part in given.split(",")]
    sizes = {name.strip(): size for name, _, size in parts}
    if len(parts) != 2 or sizes.keys() != {"fast", "slow"}:
        return _bytes(given, others)
    return _bytes(sizes["fast"], others), _bytes(sizes["slow"], others)


def read_bytes(_: click.Context, __: click.Parameter, given: str | None) -> int | None:
    """A number of bytes such as 262144, 256K or 1.5M, K being 1024."""
    return None if given is None else _bytes(given)


def _bytes(text: str, others: str = "") -> int:
    """`others` is what the option takes besides, for the message."""
    found = byte_count(text)
    if found is None:
        raise click.BadParameter(
            f"'{text}' is no number of bytes such as 262144, 256K or 2M{others}"
        )
    return found


def read_tolerance(_: click.Context, __: click.Parameter, given: float | None) -> float | None:
    """A bound that some error can be above, and some below: of nan, inf and 0 there is none."""
    if given is not None and not (math.isfinite(given) and given > 0):
        raise click.BadParameter(f"'{given}' is no finite number above 0, such as 1e-5")
    return given


# Where the context keeps the name of that file, for --depfile.
TUNING_FILE = "netgen.tuning_file"


def read_tuning_file(
    context: click.Context, _: click.Parameter, given: Path | None
) -> Tuning | None:
    """The tuning in a file."""
    context.meta[TUNING_FILE] = given
    return None if given is None else read_tuning(given)
