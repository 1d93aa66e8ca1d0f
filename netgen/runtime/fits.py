"""Whether compiled models run on this machine, and which of several does so best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netgen.errors import BuildError
from netgen.runtime.cpu import missing_features, platform_name


@dataclass(frozen=True)
class Needs:
    """Needs of a library: features of a processor, a system; `target` is whom it was made for."""

    target: str
    cpu_features: tuple[str, ...]
    platform: str


def require_machine(needs: Needs, where: str) -> None:
    """Raise BuildError unless a library runs here."""
    again = "compile the network again on this machine"
    if needs.platform != platform_name():
        raise BuildError(
            "it was built for another system",
            where=where,
            expected=needs.platform,
            found=platform_name(),
            hint=again,
        )
    missing = missing_features(needs)
    if missing:
        raise BuildError(
            f"this processor lacks {', '.join(missing)}, which target {needs.target} needs",
            where=where,
            hint=f"{again}, or for target generic",
        )


def first_that_runs(variants: Sequence[Needs], where: str) -> int:
    """The place of the first of several libraries that runs here.

    Raises BuildError, which says of each why it does not.
    """
    if len(variants) == 1:
        require_machine(variants[0], where)
    for place, needs in enumerate(variants):
        if needs.platform == platform_name() and not missing_features(needs):
            return place
    raise BuildError(
        "it was compiled for several processors, and this is none of them",
        where=where,
        found=platform_name(),
        hint="compile the network again on this machine, or with generic among its targets",
        details=[f"{needs.target}: {_obstacle(needs)}" for needs in variants],
    )


def _obstacle(needs: Needs) -> str:
    if needs.platform != platform_name():
        return f"is for {needs.platform}"
    return f"needs {', '.join(missing_features(needs))}, which this processor lacks"
