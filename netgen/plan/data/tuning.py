"""Tunings: choices by layer that were measured to be faster than a kernel's own.

Choices are applied to the layers of a finished cut, where they take no more scratch than the plan's
own: they move no segment, and results are the same to the bit. So a network that is tuned needs no
more RAM, and its keys are those that its untuned plan has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

from netgen.errors import PlanError, UsageError
from netgen.kernels.layer import Choice, Kernel, Layer
from netgen.kernels.targets import Target


@dataclass(frozen=True)
class Tuning:
    """Choices by `layer_key`; `path` is that of the file as the user gave it, for messages."""

    target: str
    choices: Mapping[str, Choice]
    path: str = "tuning.json"

    @property
    def name(self) -> str:
        """The file without its folder, which may stand in what is generated."""
        return PurePath(self.path).name

    def require(self, target: Target) -> None:
        """Raise UsageError unless it was measured for this target."""
        if self.target != target.name:
            raise UsageError(
                "this tuning is for another target",
                where=self.path,
                expected=target.name,
                found=self.target,
                hint=f"give --target {self.target}, or tune for {target.name}: netgen tune MODEL "
                f"--target {target.name} -o FILE",
            )

    def apply(self, kernel: Kernel, layer: Layer, target: Target) -> Layer:
        """The layer with its choice, if it has one that takes no more scratch than the plan's.

        Raises PlanError for a choice that the kernel does not offer for the layer.
        """
        key = layer_key(kernel, layer)
        choice = self.choices.get(key)
        if choice is None:
            return layer
        offered = kernel.choices(layer, target)
        require_offered(kernel, choice, offered, f"{self.path}: {key}")
        tuned = replace(layer, choice=None if choice == offered[0] else choice)
        return tuned if kernel.scratch(tuned, target) <= kernel.scratch(layer, target) else layer


def layer_key(kernel: Kernel, layer: Layer) -> str:
    """Readable name of all that a layer's time depends on: kernel, shapes, bands, layouts.

    Of operands in runs of channels the places of a pixel and the number of runs.
    """
    words = [kernel.name, kernel.title(layer)]
    if layer.band is not None:
        words.append(f"rows {layer.band.rows} of {layer.band.slots}")
    for letter in sorted({*layer.layouts}):
        layout = layer.layout(letter)
        if not layout.is_dense:
            words.append(f"{letter} {layout.pitch}/{len(layout.runs)}")
    return " ".join(words)


def require_offered(
    kernel: Kernel, choice: Choice, offered: tuple[Choice, ...], where: str
) -> None:
    """Raise PlanError for a choice that a kernel does not offer for a layer."""
    if choice not in offered:
        raise PlanError(
            f"{kernel.name} offers no such choice for this layer",
            where=where,
            expected=f"one of {len(offered)}, the first {dict(offered[0])}" if offered else "none",
            found=str(dict(choice)),
            hint="it was made by another version or for another layer: tune or plan anew",
        )
