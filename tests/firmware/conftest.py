"""Fixtures of the emulated boards; what they need beside Python is looked for here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.firmware import board


@pytest.fixture(scope="session")
def build_image(require_tool: Callable[[str], str]) -> board.BuildImage:
    """`board.build_image`, where the cross compiler, its newlib and the emulator are installed."""
    gcc = require_tool("arm-none-eabi-gcc")
    require_tool("qemu-system-arm")
    specs = board.run_tool([gcc, "-print-file-name=rdimon.specs"], Path.cwd())
    if not Path(specs.strip()).is_absolute():
        # gcc prints the bare name of a file that it does not find; newlib is a package of its own.
        pytest.skip("needs newlib for arm-none-eabi, which is not installed")  # CI installs it
    return board.build_image


@pytest.fixture(scope="session")
def instruction_counter(
    require_tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The plugin for `Image.count_instructions`."""
    version = board.run_tool([require_tool("qemu-system-arm"), "--version"], Path.cwd()).split()[3]
    if int(version.split(".")[0]) > 8:
        # QEMU 9 took away the interface that the plugin is written for; CI has an older one.
        pytest.skip(f"needs QEMU 8 or older to count, found {version}")  # no such interface
    return board.build_counter(require_tool("gcc"), tmp_path_factory.mktemp("counter"))
