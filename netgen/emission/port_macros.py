"""The constants of the header that describe inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass

from netgen.emission.axes import UNKNOWN, axes_of
from netgen.emission.c_types import C_TYPES
from netgen.emission.interface import Port, input_ports, output_ports
from netgen.emission.words import literal
from netgen.ir.normalisation import Normalisation
from netgen.ir.tensor_type import TensorType
from netgen.plan.data.plan import Plan

_NAMES = {"H": "HEIGHT", "W": "WIDTH", "C": "CHANNELS"}


@dataclass(frozen=True)
class Macro:
    """A macro: its name behind that of the port, its value, and what it says."""

    name: str
    value: str
    comment: str


@dataclass(frozen=True)
class PortText:
    """An input or output in the header: what it is, further lines about it, its constants."""

    macro: str
    title: str
    notes: tuple[str, ...]
    constants: tuple[Macro, ...]


def port_texts(plan: Plan, upper: str, normalisation: Normalisation | None) -> list[PortText]:
    """All inputs, then all outputs; `normalisation` is what the network does to pixels."""
    ports = (*input_ports(plan), *output_ports(plan))
    return [_port_text(plan, port, upper, normalisation) for port in ports]


def has_unknown_axes(plan: Plan) -> bool:
    """Whether the network leaves open what some axis of an input or output is."""
    return any(UNKNOWN in axes_of(plan, value) for value in (*plan.inputs, *plan.outputs))


def _port_text(plan: Plan, port: Port, upper: str, normalisation: Normalisation | None) -> PortText:
    kind, axes = plan.values[port.value].type, axes_of(plan, port.value)
    extents = " x ".join(map(str, kind.shape))
    return PortText(
        macro=f"{upper}_{port.macro}",
        title=f"{port.value}: {C_TYPES[port.dtype].title}, {axes}: {extents}",
        notes=_pixels(kind, normalisation) if port.reads else (),
        constants=(
            Macro("ELEMENTS", str(kind.elements), f"in the order {axes}"),
            *(
                Macro(_NAMES.get(letter, f"DIM{axis}"), str(extent), f"axis {axis} of {axes}")
                for axis, (letter, extent) in enumerate(zip(axes, kind.shape, strict=True))
                if letter != "N"
            ),
            *_quantisation(kind, f"{upper}_{port.macro}"),
            *(_normalised(kind, normalisation) if port.reads else ()),
        ),
    )


def _pixels(kind: TensorType, normalisation: Normalisation | None) -> tuple[str, ...]:
    """Lines about the bytes of an image, unless they are codes."""
    if kind.dtype != "u8" or kind.quantisation is not None:
        return ()
    notes = ["Pixels of 0 to 255, their channels in the order in which the network was trained:"]
    if normalisation is None:
        return (*notes, "RGB mostly. The network normalises them.")
    mean, std = (
        ", ".join(f"{number:.9g}" for number in part)
        for part in (normalisation.mean, normalisation.std)
    )
    notes += ["RGB mostly. The network computes (x / 255 - mean) / std of them, by channel, where"]
    return (*notes, f"mean is {mean} and std is {std}.")


def _normalised(kind: TensorType, given: Normalisation | None) -> tuple[Macro, ...]:
    """Constants for the numbers by which an image of floats is normalised, where that is known."""
    if given is None or kind.dtype != "f32" or kind.shape[-1] != len(given.mean):
        return ()
    mean, std = ("{" + ", ".join(map(literal, part)) + "}" for part in (given.mean, given.std))
    return (
        Macro("MEAN", mean, "a byte x of an image becomes (x / 255 - MEAN) / STD, by channel"),
        Macro("STD", std, "likewise"),
    )


def _quantisation(kind: TensorType, macro: str) -> tuple[Macro, ...]:
    """Constants for the scale and the zero point of codes, if one scale is for all."""
    codes = kind.quantisation
    if codes is None or isinstance(codes.scale, str):
        return ()
    zero = f"({codes.zero})" if codes.zero < 0 else str(codes.zero)
    return (
        Macro("SCALE", literal(codes.scale), "a code q stands for SCALE * (q - ZERO_POINT)"),
        Macro("ZERO_POINT", zero, "the code of 0"),
        Macro("DEQUANTIZE(q)", f"({macro}_SCALE * (float)((q) - {macro}_ZERO_POINT))", "that"),
    )
