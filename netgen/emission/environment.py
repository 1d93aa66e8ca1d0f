"""The Jinja environment, and the few words that templates use for rows and pixels.

Only this module imports jinja2.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

import jinja2

from netgen.emission.counting import bound, local, over, part_of, step_on
from netgen.emission.words import Words, formula_of, literal
from netgen.kernels.terms import (
    NamedInt,
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


def every(step: int, first: int, end: int) -> str:
    """List of numbers."""
    return ", ".join(map(str, range(first, end, step)))


def numbered(before: str, count: int, behind: str = "") -> list[str]:
    """Names that differ by a number, from 0 on."""
    return [f"{before}{n}{behind}" for n in range(count)]


def each_of(function: str, pointer: str, count: int, step: int) -> str:
    """Calls of a function for so many addresses behind a macro's pointer, one after the other."""
    return ", ".join(f"{function}(({pointer}) + {step * n})" for n in range(count))


def band_end(band: object, rows: Term) -> Term:
    """The number of rows of the result that a call computes."""
    return "band_rows" if band else rows


def band_row(band: object, i: Term) -> Term:
    """Row of the result that row i of a call is."""
    return sum_of("first", i) if band else i


def row_start(band: Mapping[str, int] | None, row: Term, pitch: str) -> Term:
    """The first element of a row of x: in the whole image, or in the slots of a ring."""
    if not band:
        return product(row, "width", pitch)
    return product(remainder(row, "row_slots") if band["slots"] else row, "row_pitch")


def pixel_start(band: Mapping[str, int] | None, row: Term, column: Term, pitch: str) -> Term:
    """The first element of a pixel of x: in the whole image, or in the slots of a ring."""
    if not band:
        return product(sum_of(product(row, "width"), column), pitch)
    return sum_of(row_start(band, row, pitch), product(column, pitch))


def bytes_of(count: Term, element: str) -> Term:
    """The bytes of so many elements of a C type; a variable is an `int`."""
    if isinstance(count, str):
        return f"(size_t){count} * sizeof({element})"
    return product(str(count) if isinstance(count, NamedInt) else count, f"sizeof({element})")


# What templates may call, by its own name.
_WORDS = (
    formula_of,
    literal,
    bytes_of,
    every,
    each_of,
    numbered,
    step_on,
    over,
    bound,
    part_of,
    local,
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
        auto_reload=False,  # which would ask for a file's time whenever another imports it
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
    """The text of a template; a name it does not know is an error.

    Where there is a `prefix`, types, macros and functions of vectors carry it.
    """
    words = Words(str(context["prefix"])).by_name() if "prefix" in context else {}
    return environment().get_template(template).render({**words, **context})
