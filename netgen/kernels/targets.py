"""Targets are data: what a processor offers, and the flags its C is compiled with.

A target never changes what is computed, only how: which vector widths the templates may use, which
register tiles are worth trying, and how buffers are aligned. The C of every target compiles with
any gcc or clang for any processor; the flags here are the ones that make it fast.

Floating point: `-std=c99` gcc never fuses a multiply and an add, clang does within one expression.
Every multiply-add of the templates is therefore one expression `c += x * w`, and each target names
the contraction flag of both compilers, so that fused operations appear wherever the processor has
them and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from netgen.errors import UsageError
from netgen.kernels.arm import DOT_PRODUCTS, NEON, REGISTERS
from netgen.kernels.small_cores import DOTS, FEW_REGISTERS, PAIRS_OF_CODES, PAIRS_OF_HALVES
from netgen.kernels.tiling import TileCycles, Tiling
from netgen.kernels.x86 import CODE_TILES, FUSED, SUMS_IN_16, X86_V2, X86_V3, X86_V4

Compiler = Literal["gcc", "clang"]


@dataclass(frozen=True)
class Processor:
    """Strengths of a processor, and of compilers for it.

    With `multiply_add` a sum of scalars is built by a function of one multiply-add, which no
    compiler takes apart. With `prefetch` weights are fetched before they are needed. With
    `calls_apart` kernels stay functions of their own, since side by side in one they would spill.
    With `repeats` a last vector may compute some channels again rather than leave a few to narrower
    vectors.
    """

    multiply_add: bool = False
    prefetch: bool = False
    calls_apart: bool = False
    repeats: bool = False


@dataclass(frozen=True)
class Target:
    """One processor class.

    `cpu_features` are named as Linux names them in /proc/cpuinfo. `alignment` is that of the arena
    and of each layer's weights, in bytes, as are the sizes of the two nearest caches; `cache_miss`
    are the cycles that a byte takes to arrive which neither holds, 0 where that is not known: then
    the fastest plan is taken to be layer by layer. `tilings` are by element type; of one that is
    not there, kernels work without vectors.
    """

    name: str
    summary: str
    cpu_features: tuple[str, ...]
    machine_flags: tuple[str, ...]
    gcc_flags: tuple[str, ...]
    clang_flags: tuple[str, ...]
    alignment: int
    cache_l1: int
    cache_l2: int
    tilings: Mapping[str, Tiling] = field(hash=False)
    processor: Processor = Processor()
    cache_miss: float = 0.0
    level: str = "-O3"

    def tiling(self, element: str) -> Tiling:
        """The vectors and tiles for loops over an element type."""
        return self.tilings.get(element, _SCALARS)

    def retiled(self, element: str, tiling: Tiling) -> Target:
        """The same processor, with loops over an element type cut otherwise."""
        return replace(self, tilings={**self.tilings, element: tiling})

    def with_cycles(self, cycles: TileCycles) -> Target:
        """The same target with other costs of tiles of floats."""
        return self.retiled("f32", replace(self.f32, tile_cycles=cycles))

    @property
    def f32(self) -> Tiling:
        """The vectors and tiles for loops over floats."""
        return self.tiling("f32")

    def flags(self, compiler: Compiler) -> tuple[str, ...]:
        """Compile flags, in the order in which the header comment prints them."""
        contract = "-ffp-contract=on" if compiler == "clang" else "-ffp-contract=fast"
        extra = self.clang_flags if compiler == "clang" else self.gcc_flags
        return ("-std=c99", self.level, *self.machine_flags, contract, *extra)


_SCALARS = Tiling()
# Large cores with vector registers.
_LARGE = Processor(multiply_add=True, prefetch=True, calls_apart=True, repeats=True)

_WIDE = Tiling(
    vector_types=True,
    vector_widths=(16, 8, 4),
    tiles=((14, 1), (14, 2), (8, 3), (6, 4), (1, 8)),
    # Of 3 by 3 taps, two rows of outputs and an input, 24 vectors: a quarter of 28 columns.
    depthwise_unroll=7,
    depthwise_pairs=True,
    winograd=True,
    folds="narrow",
    tile_cycles=TileCycles(weights=0.4, store=0.6, tile=0.0),
    widened_tiles=((28, 1),),
    widening=(0.8, 0.8),
)

_NEON = Tiling(
    vector_types=True,
    vector_widths=(4,),
    # More than four fifths of the vector instructions are multiply-adds, but for the
    # first, where inputs are multiplied once, and the last, where weights are.
    tiles=((14, 1), (9, 2), (6, 3), (3, 4), (1, 8)),
    depthwise_unroll=4,
    # Outputs that wait go through memory in loops that are to stay in registers, and
    # what pairs gain was not measured.
    depthwise_pairs=False,
    winograd=True,
    lanes_of_inputs=4,
)

# Products of codes. Tiles leave registers for weights, inputs and products. Cycles of those that
# saturate are of networks whose groups are a third in twos, a sixth single, the rest wide.
_BYTES_8 = Tiling(
    vector_widths=(8,),
    tiles=((8, 1), (4, 2), (1, 4)),
    tight_tiles=((5, 2),),
    inputs_at_once=4,
    saturates=True,
    dot_cycles=0.85,
    pair_cycles=0.55,
    spread=0.4,
    tile_cycles=TileCycles(weights=0.33, store=5.0, tile=20.0),
)
_BYTES_16 = Tiling(
    vector_widths=(16,),
    tiles=((16, 1), (10, 2), (5, 3), (1, 8)),
    inputs_at_once=4,
    saturates=True,
    dot_cycles=1.7,
    pair_cycles=1.05,
    spread=0.8,
    tile_cycles=TileCycles(weights=0.66, store=5.0, tile=20.0),
)
_QUADS_16 = Tiling(
    vector_widths=(16,),
    tiles=((16, 1), (14, 2), (7, 3), (6, 4), (1, 8)),
    inputs_at_once=4,
    dot_cycles=0.5,
    pair_cycles=0.5,
    tile_cycles=TileCycles(store=5.0, tile=20.0),
)
# Each product of 4 sums and 8 inputs takes four registers, whose lanes are added up at the end.
_EIGHTS_4 = Tiling(
    vector_widths=(4,),
    tiles=((4, 1), (2, 2)),
    inputs_at_once=8,
    signed_codes=True,
    lanes_of_inputs=2,
    dot_cycles=3.0,
    tile_cycles=TileCycles(weights=1.0, store=8.0, tile=20.0),
)
_LANES_4 = Tiling(
    vector_widths=(4,),
    tiles=((14, 1), (9, 2), (5, 4), (1, 8)),
    inputs_at_once=4,
    signed_codes=True,
    lanes_of_inputs=4,
    dot_cycles=0.5,
    tile_cycles=TileCycles(weights=0.25, store=5.0, tile=20.0),
)


def _codes(tiling: Tiling) -> dict[str, Tiling]:
    """The tilings of codes of one byte, signed or not."""
    return {"i8": tiling, "u8": tiling}


_X86_V4 = Target(
    name="x86-64-v4",
    summary="AVX-512, 32 registers of 16 floats",
    cpu_features=X86_V4,
    machine_flags=("-march=x86-64-v4", "-mprefer-vector-width=512"),
    gcc_flags=(*FUSED, *CODE_TILES),
    clang_flags=(),
    alignment=64,
    cache_l1=32 * 1024,
    cache_l2=1024 * 1024,
    cache_miss=1 / 6,
    tilings={
        "f32": _WIDE,
        **_codes(_BYTES_16),
    },
    processor=_LARGE,
)
_AARCH64 = Target(
    name="aarch64",
    summary="NEON, 32 registers of 4 floats",
    cpu_features=NEON,
    machine_flags=("-march=armv8-a",),
    gcc_flags=REGISTERS,
    clang_flags=("-fno-unroll-loops",),
    alignment=64,
    cache_l1=32 * 1024,
    cache_l2=512 * 1024,
    cache_miss=1 / 6,
    tilings={"f32": _NEON, **_codes(_EIGHTS_4)},
    processor=_LARGE,
)

_CORTEX_M = Target(
    name="cortex-m",
    summary="Cortex-M0+, M3: one product at a time",
    cpu_features=(),
    machine_flags=(),
    gcc_flags=(),
    clang_flags=(),
    alignment=4,
    cache_l1=16 * 1024,
    cache_l2=64 * 1024,
    tilings={"f32": FEW_REGISTERS, **_codes(PAIRS_OF_CODES)},
    level="-O2",
)

TARGETS: tuple[Target, ...] = (
    Target(
        name="generic",
        summary="pure ISO C99 for any processor",
        cpu_features=(),
        machine_flags=(),
        gcc_flags=(),
        clang_flags=(),
        alignment=4,
        cache_l1=16 * 1024,
        cache_l2=256 * 1024,
        tilings={
            "f32": Tiling(
                vector_widths=(8, 4),
                tiles=((2, 1), (1, 2)),
                depthwise_unroll=4,
                depthwise_pairs=False,
            ),
        },
    ),
    _CORTEX_M,
    replace(
        _CORTEX_M,
        name="cortex-m-dsp",
        summary="Cortex-M4, M7, M33: products of pairs of 16 bits",
        tilings={"f32": FEW_REGISTERS, **_codes(PAIRS_OF_HALVES)},
    ),
    replace(
        _CORTEX_M,
        name="cortex-m-mve",
        summary="Cortex-M55, M85: Helium, products of 16 codes at once",
        tilings={"f32": FEW_REGISTERS, **_codes(DOTS)},
    ),
    replace(_CORTEX_M, name="riscv", summary="rv32imc, rv32imac"),
    Target(
        name="x86-64-v2",
        summary="SSE4.2, 16 registers of 4 floats",
        cpu_features=X86_V2,
        machine_flags=("-march=x86-64-v2",),
        gcc_flags=(),
        clang_flags=(),
        alignment=64,
        cache_l1=32 * 1024,
        cache_l2=256 * 1024,
        tilings={
            "f32": Tiling(
                vector_types=True,
                vector_widths=(4,),
                tiles=((12, 1), (6, 2), (4, 3), (2, 6), (1, 8)),
                depthwise_unroll=4,
                depthwise_pairs=False,
                folds="all",
                folded_tiles=((3, 4), (1, 8)),
                tile_cycles=TileCycles(weights=0.15),
                spread=0.25,
            ),
        },
        processor=_LARGE,
    ),
    Target(
        name="x86-64-v3",
        summary="AVX2 and FMA, 16 registers of 8 floats",
        cpu_features=X86_V3,
        machine_flags=("-march=x86-64-v3",),
        gcc_flags=(*FUSED, *CODE_TILES, *SUMS_IN_16),
        clang_flags=(),
        alignment=64,
        cache_l1=32 * 1024,
        cache_l2=512 * 1024,
        cache_miss=1 / 6,
        tilings={
            "f32": Tiling(
                vector_types=True,
                vector_widths=(8, 4),
                tiles=((12, 1), (6, 2), (4, 3), (1, 8)),
                depthwise_unroll=4,
                depthwise_pairs=True,
                winograd=True,
                folds="narrow",
                widening=(0.0, 0.1),
            ),
            **_codes(_BYTES_8),
        },
        processor=_LARGE,
    ),
    _X86_V4,
    replace(
        _X86_V4,
        name="x86-64-v4-vnni",
        summary="AVX-512 with products of bytes, 32 registers of 16 floats",
        cpu_features=(*X86_V4, "avx512_vnni"),
        machine_flags=("-march=x86-64-v4", "-mavx512vnni", "-mprefer-vector-width=512"),
        tilings={"f32": _WIDE, **_codes(_QUADS_16)},
    ),
    _AARCH64,
    replace(
        _AARCH64,
        name="aarch64-dotprod",
        summary="NEON with products of bytes, 32 registers of 4 floats",
        cpu_features=DOT_PRODUCTS,
        machine_flags=("-march=armv8.2-a+dotprod",),
        tilings={"f32": _NEON, **_codes(_LANES_4)},
    ),
)


def find_target(name: str) -> Target:
    """Look a target up by name; `native` is resolved by `runtime/cpu.py`, before this.

    Raises UsageError with all names for an unknown one.
    """
    for target in TARGETS:
        if target.name == name:
            return target
    names = ", ".join(target.name for target in TARGETS)
    raise UsageError(f"unknown target '{name}'", expected=f"one of {names}, native")
