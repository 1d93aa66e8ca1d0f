"""Options of plans: each is declared once, for Python, the command line and the header.

An added option is a field of PlanOptions, a key of PlanKeywords, and its use in the planner: `emit`
and `compile` take it, every command that plans has it, and the header of the C prints it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, cast, get_args

from netgen.errors import UsageError
from netgen.plan.data.option_kinds import (
    Count,
    Numbers,
    OneOf,
    OptionKind,
    RamBytes,
    Switch,
    TuningFile,
)

if TYPE_CHECKING:  # all kernels come with it, and running a compiled model needs none
    from netgen.plan.data.tuning import Tuning

# Where the image is: in the caller's memory, in the arena, or nowhere: its rows are pushed.
Image = Literal["caller", "arena", "rows"]

# The elements of an image: those that the network was declared with, or bytes.
InputType = Literal["declared", "u8"]

# What weights of dense floats are stored as.
WeightsDtype = Literal["float32", "float16", "int8"]

# The most bytes of the arena; or those of a fast and of a slow region of RAM.
Ram = int | tuple[int, int] | Literal["least"] | None

# More than any machine for such networks has; a guard against slips of the finger.
MOST_THREADS = 64


class PlanKeywords(TypedDict, total=False):
    """The options as keywords of `emit` and `compile`; a tuning may be the path of its file."""

    ram: Ram
    input: Image
    accept_gap: bool
    winograd: bool
    tuning: Tuning | str | PathLike[str] | None
    threads: int
    copies: bool
    small: bool
    weights_dtype: WeightsDtype
    input_type: InputType
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None


def _described(kind: OptionKind, text: str) -> dict[str, object]:
    """The metadata of a field of PlanOptions."""
    return {"kind": kind, "help": text}


@dataclass(frozen=True)
class PlanOptions:
    """`ram` is the most bytes that the arena may have; without it the fastest plan is taken.

    With "least" it is the smallest arena that is found, and the fastest plan of that size.
    A pair of numbers are the bytes of a fast and of a slow region of RAM, which hold an arena each.
    With `input="arena"` the caller writes the image into the arena, with "rows" it pushes its rows.
    An arena that is not proven to be the smallest needs the extra `planner`, unless `accept_gap`.
    Unless `winograd`, 3x3 convolutions are computed directly: slower, with less memory. `tuning` is
    what `netgen tune` measured, or its file; a NetgenNote warns where it has layers of other models
    as well. With `threads` above 1 a run is divided between so many, with the same results. With
    `copies` channels are moved in memory where layers could write them in place: to compare.
    With `small` there are loops in place of unrolled kernels, and layers that differ in sizes share
    functions: less flash, the same results, slower. Weights of convolutions and linear layers of
    floats are rounded to `weights_dtype` and stored so, but for those of depthwise and transposed
    ones; int8 has a scale for each output. With `input_type="u8"` the network takes bytes: of
    floats the pixels of 0 to 255, which it normalises itself as its weights expect, or by `mean`
    and `std`, one number of each per channel in the scale of 0 to 1; of codes of i8 those that
    stand for the same numbers, 128 above.

    Raises UsageError for a value that an option cannot have.
    """

    ram: Ram = field(
        default=None,
        metadata=_described(
            RamBytes(),
            "Most bytes of the arena, as 256K, or least for the smallest arena that is found, or "
            "fast=128K,slow=2M for two regions of RAM.",
        ),
    )
    input: Image = field(
        default="caller",
        metadata=_described(
            OneOf("place of an image", get_args(Image)),
            "The image is the caller's, stands in the arena, or is pushed row by row.",
        ),
    )
    accept_gap: bool = field(
        default=False,
        metadata=_described(Switch(), "Place without solver, proven to be best or not."),
    )
    winograd: bool = field(
        default=True,
        metadata=_described(
            Switch(), "Whether 3x3 convolutions may be Winograd's, where the target has vectors."
        ),
    )
    tuning: Tuning | None = field(
        default=None,
        metadata=_described(TuningFile(), "Use the choices that netgen tune measured."),
    )
    threads: int = field(
        default=1,
        metadata=_described(
            Count("number of threads", MOST_THREADS), "Divide a run between so many threads."
        ),
    )
    copies: bool = field(
        default=False,
        metadata=_described(
            Switch(), "Copy channels where they need not move: to see what that would cost."
        ),
    )
    small: bool = field(
        default=False,
        metadata=_described(
            Switch(), "Less code: loops in place of unrolled kernels, shared by layers of any size."
        ),
    )

    weights_dtype: WeightsDtype = field(
        default="float32",
        metadata=_described(
            OneOf("type of weights", get_args(WeightsDtype)),
            "Round weights of convolutions and linear layers of floats, and store them so.",
        ),
    )
    input_type: InputType = field(
        default="declared",
        metadata=_described(
            OneOf("type of an image's elements", get_args(InputType)),
            "The image is of the network's own elements, or of bytes, which it normalises itself.",
        ),
    )
    mean: tuple[float, ...] | None = field(
        default=None,
        metadata=_described(
            Numbers("mean of pixels"), "With u8: per channel, 0..1, for example 0.5,0.5,0.5."
        ),
    )
    std: tuple[float, ...] | None = field(
        default=None,
        metadata=_described(Numbers("deviation of pixels"), "With u8: per channel, 0..1."),
    )

    def __post_init__(self) -> None:
        for name, option in PLAN_OPTIONS.items():
            option.kind.require(name, getattr(self, name))
        if (self.mean is None) != (self.std is None):
            raise UsageError("mean and std go together", hint="give both, or neither")
        if self.mean is not None and self.input_type != "u8":
            raise UsageError(
                "mean and std are of an image of bytes",
                hint='add input_type="u8", on the command line --input-type u8',
            )
        if isinstance(self.ram, tuple) and self.accept_gap:
            raise UsageError(
                "accept_gap does not go together with two regions of ram",
                hint="leave out accept_gap: no proof is asked for there",
            )

    def words(self) -> list[str]:
        """The words of the command line that ask for the same; defaults are left out."""
        return [
            word
            for name, option in PLAN_OPTIONS.items()
            if getattr(self, name) != option.default
            for word in option.kind.words(option.flag, getattr(self, name))
        ]

    def keywords(self) -> PlanKeywords:
        """The same as keywords of `emit` and `compile`."""
        return cast("PlanKeywords", {name: getattr(self, name) for name in PLAN_OPTIONS})


def stored_as(dtype: WeightsDtype) -> str:
    """The element type of weights."""
    return {"float32": "f32", "float16": "f16", "int8": "i8"}[dtype]


@dataclass(frozen=True)
class PlanOption:
    """One option: its default, which values it takes, its help, and its `flag` without `--`."""

    default: object
    kind: OptionKind
    help: str
    flag: str


# By name, in the order in which help and header list them.
PLAN_OPTIONS = {
    found.name: PlanOption(
        found.default, found.metadata["kind"], found.metadata["help"], found.name.replace("_", "-")
    )
    for found in fields(PlanOptions)
}

DEFAULT = PlanOptions()

Function = TypeVar("Function", bound=Callable[..., Any])


def takes_plan_options(function: Function) -> Function:
    """Have `help` print the options of a function that takes PlanKeywords, and what they mean."""
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    types = PlanKeywords.__annotations__
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=option.default,
            annotation=types[name].__forward_arg__,
        )
        for name, option in PLAN_OPTIONS.items()
    ]
    # `inspect.signature` looks there first.
    vars(function)["__signature__"] = signature.replace(parameters=[*own, *options])
    texts = [inspect.cleandoc(text) for text in (function.__doc__, PlanOptions.__doc__) if text]
    function.__doc__ = "\n\nPlanOptions: ".join(texts)
    return function
