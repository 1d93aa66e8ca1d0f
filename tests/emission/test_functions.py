"""The functions that kernels call: which are printed, in which order, for which machines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netgen import emit
from netgen.dsl.network import network
from netgen.dsl.tensor import Tensor, image
from netgen.emission.environment import render
from netgen.emission.functions import called_names, vector_words
from netgen.ir.registry import REGISTRY
from netgen.kernels.targets import find_target
from netgen.ops import conv2d, relu
from netgen.ops.activation import ElementwiseActivation
from tests.quantisation.networks import seeded
from tests.quantisation.test_quantise import quantised

ACTIVATIONS = [op for op in REGISTRY if issubclass(op, ElementwiseActivation)]


def printed(call: str, target: str) -> str:
    """The lines printed above a kernel that makes this call."""
    calls = [f"M_LOAD16(p) M_LOAD8(p) M_LOAD4(p) {call}"]
    words = vector_words(calls, find_target(target), "m")
    return render("vectors.c.j2", prefix="m", **words)


def test_calls_are_found_in_the_text() -> None:
    assert called_names(["y = m_hard_swish(x); /* m_relu(x) */ relu(x)"], "m") == {
        *("hard_swish", "hard_sigmoid", "relu6"),
    }
    # The portable twin of a clamp selects, the one of x86 does not.
    names = called_names(["M_SIGMOID_8(v)"], "m")
    assert names >= {"exponential_v8", "AT_LEAST_8", "SELECT_8", "sigmoid_v8"}
    assert not names & {"exponential", "sigmoid", "AT_LEAST_16", "RELU_8"}


def test_a_kernel_is_no_function_of_a_vector() -> None:
    """An activation of 8 elements has a kernel of its own, with that number in its name."""
    assert called_names(["void m_sigmoid_8(x)"], "m") == {"sigmoid_8"}
    assert "static inline" not in printed("m_sigmoid_8(x)", "x86-64-v3")


def test_what_is_called_stands_before() -> None:
    text = printed("m_hard_swish(x) M_HARD_SWISH_8(v)", "x86-64-v3")
    scalars = [text.index(f"float m_{name}(") for name in ("relu6", "hard_sigmoid", "hard_swish")]
    vectors = [text.index(f"define M_{name}_8(") for name in ("RELU", "RELU6", "HARD_SIGMOID")]
    assert scalars == sorted(scalars)
    assert vectors == sorted(vectors)
    assert "RELU6_4" not in text


def test_machines_are_branches_where_they_differ() -> None:
    text = printed("M_HARD_SIGMOID_4(v)", "aarch64")
    before, _, rest = text.partition("#if defined(__SSE__)\n#define M_RELU")
    neon, other, behind = re.split(r"#elif defined\(__aarch64__\)\n|#else\n|#endif\n", rest)[1:4]
    assert "_mm_min_ps" in rest.partition("#elif")[0]
    assert "M_RELU6_4(v) \\\n    ((m_v4)vminq_f32" in neon
    assert "~M_ABOVE6_4(v)" in other
    assert behind.startswith("#define M_HARD_SIGMOID_4(v)")
    assert "RELU" not in before
    # Registers of 8 floats are not NEON's.
    assert "vminq" not in printed("M_HARD_SIGMOID_8(v)", "x86-64-v3")


@pytest.mark.parametrize("kind", ACTIVATIONS, ids=lambda kind: kind.operator_name)
def test_every_activation_has_both_forms(kind: type[ElementwiseActivation]) -> None:
    name = kind.operator_name
    assert f"static inline float m_{name}(float v" in printed(f"m_{name}(x)", "generic")
    for width in (4, 8, 16):
        macro = f"M_{name.upper()}_{width}(v"
        assert f"#define {macro}" in printed(f"{macro})", "x86-64-v4")


@network
def narrow() -> Tensor:
    """Windows of 8 codes, which are copied to whole vectors, and none of which is at a border."""
    return relu(conv2d(image(4, 4, 8), 8, 1, name="layer"))


def test_helium_copies_windows_without_a_border(tmp_path: Path) -> None:
    emit(quantised(seeded(narrow)).graph, tmp_path / "net.c", target="cortex-m-mve")
    text = (tmp_path / "net.c").read_text()
    assert "net_copy_row_i8(code, " in text
    assert "static inline void net_copy_row_i8(" in text
    assert "fill_row" not in text
    assert "height" not in text
