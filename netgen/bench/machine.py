"""The machine of a measurement: its processor, and the compiler of netgen's C."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from netgen.compiler import runnable_target
from netgen.runtime.compilers import find_compiler

_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Machine:
    """The processor's name, and how netgen's C was compiled for it: compiler and target."""

    processor: str
    compiler: str
    target: str

    def __str__(self) -> str:
        return f"{self.processor}; {self.compiler}; target {self.target}"


def this_machine(target: str) -> Machine:
    """Describe this machine.

    Raises UsageError for a wrong target, BuildError for a foreign one or without a compiler.
    """
    return Machine(processor_name(), find_compiler().summary, runnable_target(target).name)


def processor_name() -> str:
    """Name the processor as its maker does, else its architecture."""
    if platform.system() == "Darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        name = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    else:
        name = name_in_cpuinfo(_CPUINFO.read_text(errors="replace") if _CPUINFO.exists() else "")
    return name.strip() or platform.machine()


def name_in_cpuinfo(text: str) -> str:
    """Find the name in a /proc/cpuinfo: `model name` on x86, `Model` on some Arm boards."""
    fields = [line.partition(":") for line in text.splitlines()]
    names = {key.strip().lower(): value.strip() for key, _, value in reversed(fields)}
    return names.get("model name") or names.get("model") or ""
