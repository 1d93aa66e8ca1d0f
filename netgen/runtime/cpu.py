"""Features of this machine's processor, in the names that Linux uses."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from netgen.errors import BuildError

if TYPE_CHECKING:  # all kernels come with it, and running a compiled model needs none
    from netgen.kernels.targets import Target

# Tests name another file, which shows less than the processor has: they pass on a lesser machine.
_CPUINFO = Path(os.environ.get("NETGEN_CPUINFO", "/proc/cpuinfo"))

# Other systems' names of one architecture, as Linux says them.
_MACHINES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}

# Fastest first; a machine that supports none of its own runs `generic`.
_NATIVE_TARGETS = {
    "x86_64": ("x86-64-v4-vnni", "x86-64-v4", "x86-64-v3", "x86-64-v2"),
    "aarch64": ("aarch64-dotprod", "aarch64"),
}


def machine() -> str:
    """Name the architecture of this process as Linux does: `x86_64`, `aarch64`, ..."""
    name = platform.machine().lower()
    return _MACHINES.get(name, name)


def platform_name() -> str:
    """Name the system on which a library built here can run, for example `Linux x86_64`."""
    return f"{platform.system()} {machine()}"


@functools.cache
def cpu_features() -> frozenset[str]:
    """Read the features of this processor, as Linux names them; empty if it cannot be asked.

    An empty set is safe: nothing but `generic` is then chosen or loaded.
    """
    system = platform.system()
    if system == "Linux" and _CPUINFO.exists():
        with _CPUINFO.open(encoding="ascii", errors="replace") as lines:
            return features_of_cpuinfo(lines)
    if system == "Darwin" and machine() == "aarch64":
        return frozenset({"asimd", "asimddp"})  # all Macs of this architecture have them
    if system == "Darwin":
        keys = ("machdep.cpu.features", "machdep.cpu.leaf7_features")
        # No check: an old processor lacks the second key, and the first is printed all the same.
        answer = subprocess.run(
            ["/usr/sbin/sysctl", "-n", *keys], capture_output=True, text=True, check=False
        )
        return features_of_sysctl(answer.stdout)
    return frozenset()


def features_of_cpuinfo(lines: Iterable[str]) -> frozenset[str]:
    """Read the first processor of a /proc/cpuinfo: its `flags` on x86, `Features` on Arm."""
    for line in lines:  # stops at the first: the kernel is slow to print hundreds of processors
        name, _, value = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return frozenset(value.split())
    return frozenset()


def features_of_sysctl(text: str) -> frozenset[str]:
    """Translate what macOS prints (`SSE4.2 AVX1.0 AVX512F`) to the names of Linux."""
    names = (word.lower().replace(".", "_") for word in text.split())
    return frozenset("avx" if name == "avx1_0" else name for name in names)


class NeedsFeatures(Protocol):
    """A target, or a model that was compiled for one."""

    @property
    def cpu_features(self) -> tuple[str, ...]:
        """The processor features without which the code must not run, as Linux names them."""
        ...


def missing_features(needs: NeedsFeatures) -> tuple[str, ...]:
    """List the features that are needed and this machine lacks, in the order of the need."""
    have = cpu_features()
    return tuple(name for name in needs.cpu_features if name not in have)


def require_architecture(target: Target) -> None:
    """Raise BuildError unless this machine's compiler makes code for a target."""
    machines = [name for name, targets in _NATIVE_TARGETS.items() if target.name in targets]
    if machines and machine() not in machines:
        raise BuildError(
            f"target {target.name} is for {machines[0]}, which this machine ({machine()}) cannot "
            "run",
            hint="choose target native or generic here; for the other machine write C: netgen "
            f"compile MODEL --target {target.name} -o model.c",
        )


def require_processor(target: Target) -> None:
    """Raise BuildError unless code for a target runs here, before anything is compiled for it."""
    require_architecture(target)
    if missing := missing_features(target):
        raise BuildError(
            f"this processor lacks {', '.join(missing)}, which target {target.name} needs",
            hint="choose target native or generic",
        )


def best_first(targets: Iterable[Target]) -> list[Target]:
    """Sort targets of this machine's architecture, the fastest first; the others come last."""
    order = _NATIVE_TARGETS.get(machine(), ())
    return sorted(
        targets, key=lambda each: order.index(each.name) if each.name in order else len(order)
    )


def native_target() -> Target:
    """Choose the fastest target whose code this machine runs; `generic` if none is better."""
    from netgen.kernels.targets import find_target

    candidates = map(find_target, _NATIVE_TARGETS.get(machine(), ()))
    return next((t for t in candidates if not missing_features(t)), find_target("generic"))
