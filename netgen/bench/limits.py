"""Limits of one core, measured: multiply-adds, and reads from each level of its caches."""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netgen.emission.limits import chains, limits_source, vector_floats
from netgen.kernels.targets import Target
from netgen.runtime.build import build_library
from netgen.runtime.compilers import find_compiler
from netgen.runtime.cpu import require_processor

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")

_TRIALS = 7
_SECONDS = 4e-3  # of one trial


@dataclass(frozen=True)
class Level:
    """A level of memory: up to how many bytes live in it, and bytes that a second reads."""

    name: str
    bytes: int
    bandwidth: float


@dataclass(frozen=True)
class Limits:
    """`flops` a second, a multiply-add being two; levels from the nearest to what is beyond L2."""

    flops: float
    levels: tuple[Level, ...]

    def level_of(self, size: int) -> Level:
        """The nearest level that holds so many bytes."""
        return next((level for level in self.levels if size <= level.bytes), self.levels[-1])

    def seconds_a_byte(self, size: int) -> float:
        """Seconds to read a byte of so many that were touched just now, on average.

        As much of them as a level holds is read from there.
        """
        seconds, held = 0.0, 0
        for level in self.levels:
            upto = size if level is self.levels[-1] else min(size, level.bytes)
            seconds += max(0, upto - held) / level.bandwidth
            held = max(held, upto)
        return seconds / max(1, size)

    def best(self, other: Limits) -> Limits:
        """The greater of each limit in two measurements: no limit is below what was reached."""
        pairs = zip(self.levels, other.levels, strict=True)
        return Limits(
            max(self.flops, other.flops),
            tuple(Level(a.name, a.bytes, max(a.bandwidth, b.bandwidth)) for a, b in pairs),
        )


class Probe:
    """The probe's library. ctypes never closes one, so what it gives addresses of stays there.

    Raises BuildError where it does not compile, or this processor cannot run it.
    """

    def __init__(self, target: Target, pointers: int) -> None:
        require_processor(target)
        source = limits_source(target, pointers)
        path = build_library(source, "", "limits", target, find_compiler())
        library = ctypes.CDLL(str(path))
        self._width = vector_floats(target)
        self._chains = chains(target)
        self._multiply_add = library.limits_multiply_add
        self._multiply_add.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        self._multiply_add.restype = ctypes.c_float
        self._read = library.limits_read
        self._read.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32)
        self._read.restype = ctypes.c_uint32
        self._stamp = library.limits_stamp
        self._stamp.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        self._stamp.restype = None
        self.run = library.limits_run
        self.run.argtypes = (ctypes.c_void_p,) * 4
        self.run.restype = ctypes.c_int32
        self.hook = int(ctypes.cast(library.limits_step, ctypes.c_void_p).value or 0)

    def flops(self) -> float:
        """Floating-point operations a second."""
        # Sums that stay near 1: no chain overflows, becomes tiny, or equals another one.
        numbers = np.linspace(0.5, 1.5, self._chains + 2, dtype=np.float32)
        address = numbers.ctypes.data
        rate = _rate(lambda rounds: self._multiply_add(address, rounds))
        return rate * 2 * self._chains * self._width

    def bandwidth(self, size: int) -> float:
        """Bytes a second of reading `size` bytes over and over."""
        step = 8 * 4 * self._width
        size = max(step, size // step * step)
        memory = np.ones(size + step, np.uint8)
        address = memory.ctypes.data + -memory.ctypes.data % step
        vectors = size // (4 * self._width)
        return _rate(lambda rounds: self._read(address, vectors, rounds)) * size

    def stamp_seconds(self) -> float:
        """Seconds that each call of the hook takes."""
        stamps = np.zeros(2)
        return 1.0 / _rate(lambda times: self._stamp(stamps.ctypes.data, times))


def _rate(work: Callable[[int], object]) -> float:
    """Rounds a second, the best of some trials that each take a few milliseconds."""
    rounds, best = 1, 0.0
    while True:
        seconds = _timed(work, rounds)
        best = max(best, rounds / seconds)
        if seconds > _SECONDS or rounds >= 1 << 30:
            break
        rounds *= 2
    return max(best, *(rounds / _timed(work, rounds) for _ in range(_TRIALS)))


def _timed(work: Callable[[int], object], rounds: int) -> float:
    start = time.perf_counter()
    work(rounds)
    return time.perf_counter() - start


def cache_sizes(target: Target, folder: Path = _CACHES) -> tuple[int, int]:
    """Bytes of this core's caches for data, L1 and L2; a target's where Linux does not say."""
    found = {"1": target.cache_l1, "2": target.cache_l2}
    for index in sorted(folder.glob("index*")):
        kind, level, size = (_word(index / name) for name in ("type", "level", "size"))
        # A virtual machine may leave some of it out.
        if kind in {"Data", "Unified"} and level in found and re.fullmatch("[0-9]+K", size):
            found[level] = int(size.removesuffix("K")) * 1024
    return found["1"], found["2"]


def _word(file: Path) -> str:
    return file.read_text(encoding="ascii").strip() if file.is_file() else ""


def measure_limits(probe: Probe, target: Target, streamed: int) -> Limits:
    """Measure a core's limits; `streamed` bytes are what a model reads from beyond L2."""
    l1, l2 = cache_sizes(target)
    beyond = max(4 * l2, streamed)
    sizes = (("L1", l1, l1 // 2), ("L2", l2, l2 // 2), ("beyond L2", beyond, beyond))
    return Limits(
        probe.flops(),
        tuple(Level(name, held, probe.bandwidth(read)) for name, held, read in sizes),
    )
