"""The functions that kernels call: which are printed, in which order, for which machines."""

from __future__ import annotations

import re

import pytest

import netgen.ops  # noqa: F401  # registers the operators
from netgen.emission.environment import further, render
from netgen.emission.functions import called_names, vector_words
from netgen.ir.registry import REGISTRY
from netgen.kernels.targets import find_target
from netgen.ops.activation import ElementwiseActivation

ACTIVATIONS = [op for op in REGISTRY if issubclass(op, ElementwiseActivation)]


def printed(call: str, target: str) -> str:
    """What stands above a kernel that makes this call."""
    words = vector_words(called_names([f"LOAD16(p) LOAD8(p) LOAD4(p) {call}"]), find_target(target))
    return render("vectors.c.j2", **words)


def test_calls_are_found_in_the_text() -> None:
    assert called_names(["y = hard_swish(x); /* relu(x) */"]) == {
        *("hard_swish", "hard_sigmoid", "relu6"),
    }
    # The portable twin of a clamp selects, the one of x86 does not.
    names = called_names(["SIGMOID_8(v)"])
    assert names >= {"exponential_8", "AT_LEAST_8", "SELECT_8", "_mm256_max_ps"}
    assert not names & {"exponential", "sigmoid", "AT_LEAST_16", "RELU_8"}


def test_what_is_called_stands_before() -> None:
    text = printed("hard_swish(x) HARD_SWISH_8(v)", "x86-64-v3")
    scalars = [text.index(f"float {name}(") for name in ("relu6", "hard_sigmoid", "hard_swish")]
    vectors = [text.index(f"define {name}_8(") for name in ("RELU", "RELU6", "HARD_SIGMOID")]
    assert scalars == sorted(scalars)
    assert vectors == sorted(vectors)
    assert "RELU6_4" not in text


def test_machines_are_branches_where_they_differ() -> None:
    text = printed("HARD_SIGMOID_4(v)", "aarch64")
    before, _, rest = text.partition("#if defined(__SSE__)\n#define RELU")
    neon, other, behind = re.split(r"#elif defined\(__aarch64__\)\n|#else\n|#endif\n", rest)[1:4]
    assert "_mm_min_ps" in rest.partition("#elif")[0]
    assert "RELU6_4(v) ((v4)vminq_f32" in neon
    assert "~ABOVE6_4(v)" in other
    assert behind.startswith("#define HARD_SIGMOID_4(v)")
    assert "RELU" not in before
    # Registers of 8 floats are not NEON's.
    assert "vminq" not in printed("HARD_SIGMOID_8(v)", "x86-64-v3")


@pytest.mark.parametrize("kind", ACTIVATIONS, ids=lambda kind: kind.operator_name)
def test_every_activation_has_both_forms(kind: type[ElementwiseActivation]) -> None:
    name = kind.operator_name
    assert f"static inline float {name}(float v" in printed(f"{name}(x)", "generic")
    for width in (4, 8, 16):
        assert f"#define {name.upper()}_{width}(v" in printed(
            f"{name.upper()}_{width}(v)", "x86-64-v4"
        )


def test_numbers_are_floats_of_c() -> None:
    assert further([]) == ""
    assert further([0.2, 3, -1e-8, 1e30]) == ", 0.2f, 3.0f, -1e-08f, 1e+30f"
