"""The Jinja environment, and the few words that templates use for vectors and activations.

Only this module imports jinja2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path

import jinja2
import numpy as np

from netgen.emission.accesses import lanes, load, read, read_at, store, write
from netgen.emission.counting import bound, local, over, part_of, step_on
from netgen.kernels.terms import (
    Term,
    difference,
    greater,
    grouped,
    lesser,
    product,
    quotient,
    remainder,
    sum_of,
)

# A wheel carries the templates inside the package, a checkout beside it.
_FOLDERS = (Path(__file__).parents[1] / "_templates", Path(__file__).parents[2] / "templates")


def vector(width: int) -> str:
    """C type of `width` floats."""
    return "float" if width == 1 else f"v{width}"


def activation(act: str, width: int) -> str:
    """Function (of scalars) or macro that applies an activation; for none, nothing."""
    if act == "none":
        return ""
    return act if width == 1 else f"{act.upper()}_{width}"


def further(numbers: Sequence[float]) -> str:
    """Further arguments of a call: numbers that are the same for every element."""
    return "".join(f", {literal(number)}" for number in numbers)


def literal(number: float) -> str:
    """The float nearest to a number, as C: in the fewest digits that name it."""
    return str(np.float32(number)) + "f"


def applied(act: str, width: int, value: str, numbers: Sequence[float] = ()) -> str:
    """Expression of an activation of a value, and of further numbers."""
    name = activation(act, width)
    return f"{name}({value}{further(numbers)})" if name else value


def larger(width: int) -> str:
    """Function (of scalars) or macro that gives the larger of two."""
    return "larger" if width == 1 else f"LARGER_{width}"


def splat(width: int, scalar: str) -> str:
    """Expression of `width` times the same float."""
    return scalar if width == 1 else f"SPLAT{width}({scalar})"


# By fold: the macros that repeat so many floats, and that add so many neighbours.
_REPEATS = {2: "PAIRS", 4: "QUADS"}


def repeat(width: int, fold: int, array: str, at: Term) -> str:
    """Expression of `width` floats: `fold` of an array from `at` on, again and again."""
    if fold == 1:
        return splat(width, f"{array}[{at}]")
    if fold == width:
        return read(width, array, at)
    return f"{_REPEATS[fold]}{width}({sum_of(array, at)})"


def fold_sums(width: int, fold: int, name: str, registers: Sequence[int]) -> str:
    """Expression of `width` floats, each the sum of `fold` neighbours in registers of that name."""
    sums, words = [f"{name}_{n}" for n in registers], _REPEATS[fold]
    if len(sums) == 1:
        return f"SUM_{words}{width * fold}({sums[0]})"
    return f"{words}_OF{width}({', '.join(sums)})"


def every(step: int, first: int, end: int) -> str:
    """List of numbers."""
    return ", ".join(map(str, range(first, end, step)))


def numbered(before: str, count: int, behind: str = "") -> list[str]:
    """Names that differ by a number, from 0 on."""
    return [f"{before}{n}{behind}" for n in range(count)]


def zero(width: int) -> str:
    """Expression of `width` zeros."""
    return "0.0f" if width == 1 else f"(v{width}){{0}}"


def add_product(total: str, a: str, b: str, *, fused: bool) -> str:
    """Statement that adds a product; `fused` where the target may do both at once."""
    return f"{total} = multiply_add({a}, {b}, {total});" if fused else f"{total} += {a} * {b};"


def band_end(band: object, rows: Term) -> Term:
    """How many rows of the result a call computes."""
    return "band_rows" if band else rows


def band_row(band: object, i: Term) -> Term:
    """Row of the result that row i of a call is."""
    return sum_of("first", i) if band else i


def row_start(band: Mapping[str, int] | None, row: Term, pitch: str) -> Term:
    """Where a row of x starts, in elements: in the whole image, or in the slots of a ring."""
    if not band:
        return product(row, "width", pitch)
    return product(remainder(row, "row_slots") if band["slots"] else row, "row_pitch")


def pixel_start(band: Mapping[str, int] | None, row: Term, column: Term, pitch: str) -> Term:
    """Where a pixel of x starts, in elements."""
    if not band:
        return product(sum_of(product(row, "width"), column), pitch)
    return sum_of(row_start(band, row, pitch), product(column, pitch))


# What templates may call, by its own name.
_WORDS = (
    vector,
    load,
    store,
    read,
    read_at,
    lanes,
    write,
    splat,
    repeat,
    fold_sums,
    every,
    numbered,
    step_on,
    over,
    bound,
    part_of,
    local,
    activation,
    applied,
    larger,
    zero,
    add_product,
    band_end,
    band_row,
    row_start,
    pixel_start,
    sum_of,
    difference,
    product,
    quotient,
    remainder,
    grouped,
    lesser,
    greater,
)


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The environment with netgen's delimiters."""
    made = jinja2.Environment(  # the output is C, not HTML
        loader=jinja2.FileSystemLoader([folder for folder in _FOLDERS if folder.is_dir()]),
        undefined=jinja2.StrictUndefined,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="${",
        variable_end_string="}",
        comment_start_string="<#",
        comment_end_string="#>",
        line_statement_prefix="//%",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.globals.update({word.__name__: word for word in _WORDS})
    return made


@cache
def _templates() -> frozenset[str]:
    return frozenset(environment().list_templates())


def has_template(template: str) -> bool:
    """Whether there is a template of that name; no file can have some names of functions."""
    return template in _templates()


def render(template: str, **context: object) -> str:
    """The text of a template; a name it does not know is an error."""
    return environment().get_template(template).render(context)
