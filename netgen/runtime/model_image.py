"""A compiled model as data: all that a machine without a compiler needs to run it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from netgen.ir.normalisation import Normalisation
from netgen.plan.data.options import Image
from netgen.runtime.cpu import platform_name


@dataclass(frozen=True)
class ModelPort:
    """One input or output: its name and its shape without the batch, (H, W, C) or (C,).

    `dtype` is NumPy's name of its elements. Codes stand for scale * (code - zero_point); floats,
    and mere numbers, have no scale.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    scale: float | None = None
    zero_point: int = 0

    @property
    def bytes(self) -> int:
        """Bytes of one image."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class WeightsFile:
    """A weights blob in a file: its last `size` bytes, from `offset` on; `sha256` is theirs."""

    path: Path
    sha256: str
    size: int
    offset: int = 0


@dataclass(frozen=True)
class Patch:
    """Some neighbouring bytes of a blob."""

    start: int
    content: bytes

    @property
    def end(self) -> int:
        """The first byte of the blob behind it."""
        return self.start + len(self.content)


@dataclass(frozen=True)
class ChangedWeights:
    """A weights blob that is another one but for some stretches."""

    base: bytes | WeightsFile
    stretches: tuple[Patch, ...]


@dataclass(frozen=True)
class ModelImage:
    """A compiled model: a shared object, its weights blob, and what calling it takes.

    `weights` is the blob itself, a file that holds it, or what it has changed of another. `target`
    names the target that the library was compiled for, `cpu_features` what it needs of the
    processor, `platform` its system and architecture. `arena_bytes` is one instance's working
    memory, aligned to `arena_alignment` bytes, and `model_bytes` that of its `model_t`. `input_as`
    says how images come: from the caller's memory, written into the arena, or row by row. With
    `fast_bytes` the C takes the arena in two parts, the first of so many bytes. A run is divided
    between `threads`. The arena's first `state_bytes` live from run to run. `error_names` names the
    statuses that the C returns. `normalisation` is what the weights expect of pixels, if that is
    known. `steps` are the values that the steps compute, by the numbers that the C's hook is told;
    `memory_map` is a picture of the arena, as SVG.
    """

    shared_object: bytes
    weights: bytes | WeightsFile | ChangedWeights
    prefix: str
    target: str
    cpu_features: tuple[str, ...]
    arena_bytes: int
    arena_alignment: int
    inputs: tuple[ModelPort, ...]
    outputs: tuple[ModelPort, ...]
    error_names: tuple[tuple[int, str], ...] = ()
    normalisation: Normalisation | None = None
    platform: str = field(default_factory=platform_name)
    input_as: Image = "caller"
    model_bytes: int = 128
    fast_bytes: int | None = None
    threads: int = 1
    state_bytes: int = 0
    steps: tuple[str, ...] = ()
    memory_map: str = ""
