"""Options of quantisation: each step can be turned off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from netgen.errors import UsageError

Observer = Literal["search", "minmax", "percentile", "mse"]
Ports = Literal["float", "codes"]


@dataclass(frozen=True)
class QuantizeOptions:
    """The steps, and what stays in floats.

    `observer` chooses the range of every value: all of it (`minmax`), but for one element of ten
    thousand (`percentile`), that of the least error of the value (`mse`), or of the layers that
    read it (`search`). `keep_float` are names of layers, or of scopes of them. `ports` says whether
    the network takes and gives floats as before, or codes. Raises UsageError for other choices.
    """

    observer: Observer = "search"
    equalise: bool = True
    correct_bias: bool = True
    round_weights: bool = True
    keep_float: tuple[str, ...] = ()
    ports: Ports = "float"

    def __post_init__(self) -> None:
        for name, choices in (("observer", get_args(Observer)), ("ports", get_args(Ports))):
            if getattr(self, name) not in choices:
                raise UsageError(
                    f"there is no such {name}",
                    expected=f"one of {', '.join(choices)}",
                    found=repr(getattr(self, name)),
                )
