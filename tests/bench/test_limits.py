"""The probe of `bench --profile`: its machine code, its clock, the caches that it goes by."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from netgen.bench.limits import Level, Limits, Probe, cache_sizes, measure_limits
from netgen.emission.limits import chains, limits_source
from netgen.kernels.targets import TARGETS, Compiler, Target, find_target
from netgen.runtime.cpu import native_target
from tests.emission.assembly import Loop, innermost_loops
from tests.emission.programs import WARNINGS
from tests.tools import COMPILERS, run_tool

X86 = [
    target for target in TARGETS if target.name.startswith("x86-64") or not target.f32.vector_types
]

NEAR = Level("L1", 100, 8.0)
FAR = Level("beyond L2", 1000, 2.0)


def loops(target: Target, compiler: Compiler, folder: Path) -> dict[str, Loop]:
    """The longest innermost loop of each of the probe's functions."""
    (folder / "limits.c").write_text(limits_source(target, 2))
    run_tool([compiler, *target.flags(compiler), "-S", "limits.c", "-o", "limits.s"], folder)
    found = innermost_loops((folder / "limits.s").read_text())
    return {loop.function: loop for loop in sorted(found, key=lambda loop: len(loop.instructions))}


@pytest.mark.parametrize("target", X86, ids=lambda target: target.name)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_loops_do_what_is_counted_and_nothing_else(
    target: Target, compiler: Compiler, tmp_path: Path
) -> None:
    found = loops(target, compiler, tmp_path)
    arithmetic, reading = found["limits_multiply_add"], found["limits_read"]
    # A compiler may have unrolled the loop, but no chain may be missing, merged or spilled.
    together = arithmetic.fused + arithmetic.products
    assert together >= chains(target)
    assert together % chains(target) == 0
    assert arithmetic.sums == arithmetic.products
    assert (arithmetic.fused > 0) == ("fma" in target.cpu_features)
    assert arithmetic.spills == 0
    reads = [text for text in reading.instructions if "xor" in text and "(" in text]
    assert len(reads) >= 8
    assert reading.spills == 0


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_probe_compiles_without_warnings(compiler: Compiler, tmp_path: Path) -> None:
    (tmp_path / "limits.c").write_text(limits_source(find_target("x86-64-v2"), 3))
    warnings = [flag for flag in WARNINGS if flag != "-Wmissing-prototypes"]
    run_tool([compiler, "-std=c99", *warnings, "-c", "limits.c"], tmp_path)


def test_measured_here() -> None:
    target = native_target()
    limits = measure_limits(Probe(target, 2), target, 1 << 20)
    assert limits.flops > 0
    assert [level.name for level in limits.levels] == ["L1", "L2", "beyond L2"]
    assert [level.bytes for level in limits.levels] == sorted(lv.bytes for lv in limits.levels)
    assert all(level.bandwidth > 0 for level in limits.levels)


def test_stamps_add_up_by_step() -> None:
    """A model whose run calls the hook for steps 0, 2 and 2 again."""
    probe = Probe(find_target("generic"), 2)
    hook = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_uint32)(probe.hook)
    stamps = np.zeros(4)
    seen: list[tuple[int | None, ...]] = []

    def run(*pointers: int | None) -> int:
        seen.append(pointers)
        started = float(stamps[0])
        assert started > 0
        steps = [hook(stamps.ctypes.data, step) for step in (0, 2, 2)]
        assert steps == [0, 0, 0]
        assert stamps[0] - started == pytest.approx(stamps[1:].sum(), abs=1e-6)
        return 7

    model = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 3)(run)
    address = ctypes.cast(model, ctypes.c_void_p).value
    pointers = np.array([3, 4], np.uintp)
    assert probe.run(address, 2, pointers.ctypes.data, stamps.ctypes.data) == 7
    assert seen == [(2, 3, 4)]
    assert stamps[1] > 0
    assert stamps[2] == 0
    assert stamps[3] > 0
    assert probe.stamp_seconds() > 0


def test_levels() -> None:
    limits = Limits(10.0, (NEAR, FAR))
    assert limits.level_of(100) is NEAR
    assert limits.level_of(101) is FAR
    assert limits.level_of(10_000) is FAR
    assert limits.seconds_a_byte(50) == 1 / 8
    assert limits.seconds_a_byte(200) == pytest.approx((100 / 8 + 100 / 2) / 200)
    assert limits.seconds_a_byte(10_000) == pytest.approx((100 / 8 + 9_900 / 2) / 10_000)
    other = Limits(9.0, (Level("L1", 100, 9.0), Level("beyond L2", 1000, 1.0)))
    assert limits.best(other) == Limits(10.0, (Level("L1", 100, 9.0), FAR))


def test_caches_of_linux(tmp_path: Path) -> None:
    target = find_target("x86-64-v3")
    assert cache_sizes(target, tmp_path) == (target.cache_l1, target.cache_l2)
    for name, words in {
        "index0": ("Data", "1", "48K"),
        "index1": ("Instruction", "1", "32K"),
        "index2": ("Unified", "2", "2048K"),
        "index3": ("Unified", "3", "266240K"),
    }.items():
        (tmp_path / name).mkdir()
        for file, word in zip(("type", "level", "size"), words, strict=True):
            (tmp_path / name / file).write_text(word + "\n")
    assert cache_sizes(target, tmp_path) == (48 << 10, 2 << 20)
    (tmp_path / "index2" / "size").unlink()
    assert cache_sizes(target, tmp_path) == (48 << 10, target.cache_l2)
