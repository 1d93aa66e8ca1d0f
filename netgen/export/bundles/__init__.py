"""The kinds of bundles: each adds its build files around the same C."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netgen.export.bundles.arduino import arduino_files
from netgen.export.bundles.cmake import cmake_files
from netgen.export.bundles.cmsis_pack import cmsis_pack_files
from netgen.export.bundles.content import Bundle, Files
from netgen.export.bundles.esp_idf import esp_idf_files
from netgen.export.bundles.make import make_files
from netgen.export.bundles.platformio import platformio_files
from netgen.export.bundles.zephyr import zephyr_files

KINDS: Mapping[str, Callable[[Bundle], Files]] = {
    "cmake": cmake_files,
    "make": make_files,
    "arduino": arduino_files,
    "platformio": platformio_files,
    "zephyr": zephyr_files,
    "esp-idf": esp_idf_files,
    "cmsis-pack": cmsis_pack_files,
}
# Those whose build is ours to write, so that it can be one for a board.
FOR_BOARDS = ("cmake", "make")
