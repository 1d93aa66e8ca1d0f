"""The Jinja environment, and the few words that templates use for vectors and activations.

Only this module imports jinja2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

# A wheel carries the templates inside the package, a checkout beside it.
_FOLDERS = (Path(__file__).parents[1] / "_templates", Path(__file__).parents[2] / "templates")


def vector(width: int) -> str:
    """C type of `width` floats."""
    return "float" if width == 1 else f"v{width}"


def load(width: int) -> str:
    """Macro that reads `width` floats at any address of a float."""
    return f"LOAD{width}"


def store(width: int) -> str:
    """Macro that writes `width` floats at any address of a float."""
    return f"STORE{width}"


def activation(act: str, width: int) -> str:
    """Function (of scalars) or macro that applies an activation; for none, just parentheses."""
    if act == "none":
        return ""
    return act if width == 1 else f"{act.upper()}_{width}"


def further(numbers: Sequence[float]) -> str:
    """Further arguments of a call: numbers that are the same for every element."""
    return "".join(f", {literal(number)}" for number in numbers)


def literal(number: float) -> str:
    """The float nearest to a number, as C: in the fewest digits that name it."""
    return str(np.float32(number)) + "f"


def larger(width: int) -> str:
    """Function (of scalars) or macro that gives the larger of two."""
    return "larger" if width == 1 else f"LARGER_{width}"


def splat(width: int, scalar: str) -> str:
    """Expression of `width` times the same float."""
    return scalar if width == 1 else f"SPLAT{width}({scalar})"


# By fold: the macros that repeat so many floats, and that add so many neighbours.
_REPEATS = {2: "PAIRS", 4: "QUADS"}


def repeat(width: int, fold: int, array: str, at: str) -> str:
    """Expression of `width` floats: `fold` of an array from `at` on, again and again."""
    if fold == 1:
        return splat(width, f"{array}[{at}]")
    if fold == width:
        return f"{load(width)}({array} + {at})"
    return f"{_REPEATS[fold]}{width}({array} + {at})"


def fold_sums(width: int, fold: int, name: str, registers: Sequence[int]) -> str:
    """Expression of `width` floats, each the sum of `fold` neighbours in registers of that name."""
    sums, words = [f"{name}_{n}" for n in registers], _REPEATS[fold]
    if len(sums) == 1:
        return f"SUM_{words}{width * fold}({sums[0]})"
    return f"{words}_OF{width}({', '.join(sums)})"


def every(step: int, first: int, end: int) -> str:
    """List of numbers."""
    return ", ".join(map(str, range(first, end, step)))


def step_on(name: str, by: int) -> str:
    """Expression that moves a variable on."""
    if abs(by) == 1:
        return f"++{name}" if by > 0 else f"--{name}"
    return f"{name} += {by}" if by > 0 else f"{name} -= {-by}"


def zero(width: int) -> str:
    """Expression of `width` zeros."""
    return "0.0f" if width == 1 else f"(v{width}){{0}}"


def add_product(total: str, a: str, b: str, *, fused: bool) -> str:
    """Statement that adds a product; `fused` where the target may do both at once."""
    return f"{total} = multiply_add({a}, {b}, {total});" if fused else f"{total} += {a} * {b};"


def band_end(band: object, rows: object) -> object:
    """How many rows of the result a call computes."""
    return "ROWS" if band else rows


def band_row(band: object) -> str:
    """Row of the result that loop variable i stands for."""
    return "(first + i)" if band else "i"


def part_first(split: Mapping[str, Any] | None, by: str, number: int, first: object) -> object:
    """Where a part of a call begins in the loop of this number: at `first`, unless cut there."""
    return first if split is None or split["by"] != by else _bound(split, number, "part")


def part_end(split: Mapping[str, Any] | None, by: str, number: int, end: object) -> object:
    """Where a part of a call ends in the loop of this number."""
    return end if split is None or split["by"] != by else _bound(split, number, "part + 1")


def _bound(split: Mapping[str, Any], number: int, index: str) -> str:
    loop = f"[{number}]" if len(split["bounds"]) > 1 else ""
    return f"bounds{loop}[{index}]"


def row_start(band: Mapping[str, int] | None, row: str, pitch: str) -> str:
    """Where a row of x starts, in elements: in the whole image, or in the slots of a ring."""
    grouped = f"({row})" if " " in row else row
    if not band:
        return f"{grouped} * W * {pitch}"
    return f"{grouped} % SLOTS * ROW" if band["slots"] else f"{grouped} * ROW"


def pixel_start(band: Mapping[str, int] | None, row: str, column: object, pitch: str) -> str:
    """Where a pixel of x starts, in elements."""
    if not band:
        grouped = f"({row})" if " " in row else row
        return f"({grouped} * W + {column}) * {pitch}"
    grouped = f"({column})" if " " in str(column) else str(column)
    return f"{row_start(band, row, pitch)} + {grouped} * {pitch}"


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
    made.globals.update(
        vector=vector,
        load=load,
        store=store,
        splat=splat,
        repeat=repeat,
        fold_sums=fold_sums,
        every=every,
        step_on=step_on,
        activation=activation,
        further=further,
        larger=larger,
        zero=zero,
        add_product=add_product,
        band_end=band_end,
        band_row=band_row,
        part_first=part_first,
        part_end=part_end,
        row_start=row_start,
        pixel_start=pixel_start,
    )
    return made


@cache
def has_template(template: str) -> bool:
    """Whether there is a template of that name."""
    return any((folder / template).is_file() for folder in _FOLDERS)


def render(template: str, **context: object) -> str:
    """The text of a template; a name it does not know is an error."""
    return environment().get_template(template).render(context)
