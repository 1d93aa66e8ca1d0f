from __future__ import annotations

import platform
from pathlib import Path

import pytest

from netgen.kernels.targets import TARGETS, find_target
from netgen.runtime import cpu
from tests.tools import run_python

V2 = {"ssse3", "sse4_1", "sse4_2", "popcnt", "cx16"}
V3 = V2 | {"avx", "avx2", "fma", "bmi1", "bmi2", "f16c", "movbe", "abm"}
V4 = V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}


@pytest.mark.parametrize(
    ("machine", "features", "target"),
    [
        ("x86_64", V4 | {"avx512_vnni"}, "x86-64-v4-vnni"),
        ("x86_64", V4, "x86-64-v4"),
        ("x86_64", V3 | {"avx512_vnni"}, "x86-64-v3"),
        ("AMD64", V4 - {"avx512vl"}, "x86-64-v3"),
        ("x86_64", V3 - {"fma"}, "x86-64-v2"),
        ("x86_64", {"sse2"}, "generic"),
        ("x86_64", set(), "generic"),
        ("arm64", {"fp", "asimd"}, "aarch64"),
        ("aarch64", {"fp", "asimd", "asimddp"}, "aarch64-dotprod"),
        ("aarch64", {"fp"}, "generic"),
        ("riscv64", {"asimd", *V4}, "generic"),
    ],
)
def test_native_target(
    machine: str, features: set[str], target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(cpu, "cpu_features", lambda: frozenset(features))
    assert cpu.native_target().name == target


def test_missing_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "cpu_features", lambda: frozenset(V3 - {"fma", "avx"}))
    missing = cpu.missing_features(find_target("x86-64-v3"))
    assert [name for name in missing if name in {"avx", "fma"}] == ["avx", "fma"]
    assert "avx2" not in missing
    assert cpu.missing_features(find_target("generic")) == ()


def test_cpuinfo() -> None:
    x86 = ["processor\t: 0\n", "flags\t\t: fpu sse4_2 avx2\n", "flags\t: never\n"]
    assert cpu.features_of_cpuinfo(x86) == {"fpu", "sse4_2", "avx2"}
    assert cpu.features_of_cpuinfo(["Features\t: fp asimd\n"]) == {"fp", "asimd"}
    assert cpu.features_of_cpuinfo(["uarch : sifive\n"]) == frozenset()


def test_a_file_may_stand_for_the_processor(tmp_path: Path) -> None:
    """Tests show less than there is, to this process and to those that it starts."""
    (tmp_path / "cpuinfo").write_text("flags : sse2\nFeatures : fp\n")
    script = "from netgen.runtime.cpu import native_target; print(native_target().name)"
    shown = run_python("-c", script, NETGEN_CPUINFO=str(tmp_path / "cpuinfo"))
    assert shown.stdout == "generic\n"


def test_sysctl() -> None:
    text = "FPU SSE4.1 SSE4.2 SSSE3 AVX1.0 FMA\nAVX2 AVX512F AVX512VL\n"
    expected = {"fpu", "sse4_1", "sse4_2", "ssse3", "avx", "fma", "avx2", "avx512f", "avx512vl"}
    assert cpu.features_of_sysctl(text) == expected


def test_this_machine() -> None:
    assert cpu.native_target() in TARGETS
    assert cpu.missing_features(cpu.native_target()) == ()
    assert cpu.platform_name() == f"{platform.system()} {cpu.machine()}"
