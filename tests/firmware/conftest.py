"""Fixtures of the emulated boards; what they need beside Python is looked for here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.firmware import board
from tests.tools import any_compiler, find_tool, run_tool


@pytest.fixture(scope="session")
def build_image() -> board.BuildImage:
    """`board.build_image`, where the cross compiler, its newlib and the emulator are installed."""
    find_tool("qemu-system-arm")
    specs = run_tool(["arm-none-eabi-gcc", "-print-file-name=rdimon.specs"])
    if not Path(specs.decode().strip()).is_absolute():
        # gcc prints the bare name of a file that it does not find; newlib is a package of its own.
        pytest.skip("needs newlib for arm-none-eabi, which is not installed")  # CI installs it
    return board.build_image


@pytest.fixture(scope="session")
def instruction_counter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin for `Image.count_instructions`."""
    version = run_tool(["qemu-system-arm", "--version"]).decode().split()[3]
    if int(version.split(".")[0]) > 8:
        # QEMU 9 took away the interface that the plugin is written for; CI has an older one.
        pytest.skip(f"needs QEMU 8 or older to count, found {version}")  # no such interface
    return board.build_counter(any_compiler(), tmp_path_factory.mktemp("counter"))
