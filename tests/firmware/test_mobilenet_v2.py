"""mobilenet_v2 0.35/96 as firmware: the host's numbers, and no needs of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import netgen
from netgen.ir.graph import Graph
from tests.firmware import board

# It takes 10 s to compile; other tests of boards have smaller networks.
pytestmark = pytest.mark.heavy

CLASSES = 1000
MOST_STACK = 512  # bytes of one function
C_LIBRARY = {"memcpy", "memset", "memmove"}


@dataclass(frozen=True)
class Firmware:
    """The model on the board and on the host, from the same graph."""

    image: board.Image
    graph: Graph

    def host(self, images: NDArray[np.float32]) -> object:
        return netgen.compile(self.graph, target="generic")(images)

    @property
    def model_object(self) -> Path:
        return self.image.folder / "model.o"


@pytest.fixture(scope="module")
def firmware(build_image: board.BuildImage, tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    folder = tmp_path_factory.mktemp("mobilenet_v2")
    graph = netgen.load("mobilenet_v2", alpha=0.35, input_size=96)
    netgen.emit(graph, folder / "model.c", target="generic")
    sources = (folder / "model.c", folder / "model_weights.c")
    flags = ("-std=c99", "-O2", "-ffp-contract=fast")  # as the README compiles it
    model = board.Model(sources, "model", 96 * 96 * 3, CLASSES, flags)
    image = build_image("mps2-an500", model, folder)
    return Firmware(image, graph)


def test_outputs_equal_those_of_the_host(firmware: Firmware) -> None:
    images = np.random.default_rng(7).standard_normal((2, 96, 96, 3)).astype(np.float32)
    expected = firmware.host(images)
    assert isinstance(expected, np.ndarray)
    assert expected.shape == (2, CLASSES)
    assert np.ptp(expected) > 0.1
    error = np.abs(firmware.image.run(images) - expected).max() / np.abs(expected).max()
    assert error < 1e-5


def test_model_needs_nothing_but_memcpy_and_its_weights(firmware: Firmware) -> None:
    undefined = {s.name for s in board.list_symbols(firmware.model_object) if s.kind == "U"}
    unexpected = {
        name
        for name in undefined - C_LIBRARY
        if not name.startswith(("model_weights_", "__aeabi_"))
    }
    assert unexpected == set()
    assert any(name.startswith("model_weights_") for name in undefined)


def test_model_has_no_mutable_globals(firmware: Firmware) -> None:
    for compiled in firmware.image.objects:
        sizes = board.section_sizes(compiled)
        mutable = {name: n for name, n in sizes.items() if name.startswith((".data", ".bss"))}
        assert sum(mutable.values()) == 0, f"{compiled.name}: {mutable}"


def test_attributes_place_weights_arena_and_code(firmware: Firmware) -> None:
    sizes = board.section_sizes(firmware.image.elf)
    symbols = board.list_symbols(firmware.image.elf)
    weights = [s for s in symbols if s.name.startswith("model_weights_")]
    arena = next(s for s in symbols if s.name == "arena")
    assert all(s.address >= 0x60000000 for s in [*weights, arena])
    assert sizes[".weights"] >= sum(s.size for s in weights) > 1_600_000 * 4
    assert sizes[".bulk"] >= arena.size > 0
    code = board.section_sizes(firmware.model_object)
    assert code[".model_code"] > code.get(".text", 0)


def test_no_function_takes_much_stack(firmware: Firmware) -> None:
    uses = board.stack_uses(firmware.model_object)
    assert "model_run" in uses
    large = {name: use for name, use in uses.items() if use[0] > MOST_STACK or use[1] != "static"}
    assert large == {}
