"""The self-test in the C: right where the C is right, and it names the first step that is not."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.compiler import lower, resolve_target
from netgen.dsl import Tensor, image, network
from netgen.emission.selftest import SEED, generated, golden_inputs, self_test
from netgen.errors import UsageError
from netgen.ops import conv2d, flatten, global_avg_pool, linear, max_pool2d, quantize, relu
from netgen.plan.data.options import PlanKeywords
from tests.tools import any_compiler, link

MAIN = """#include "model.h"
#include <stdio.h>
MODEL_ARENA(arena);
static float memory[MODEL_INPUT_ELEMENTS], scores[MODEL_OUTPUT1_ELEMENTS];
static int8_t codes[MODEL_OUTPUT2_ELEMENTS];
int main(void)
{
    model_t model = {0};
    const model_config config = {.arena = &arena, .arena_bytes = MODEL_ARENA_BYTES};
    int32_t status = model_selftest(&model, memory, scores, codes);
    printf("%ld ", (long)status);
    status = model_init(&model, &config);
    for (int i = 0; i < 2 && status == 0; ++i) {
        status = model_selftest(&model, memory, scores, codes);
    }
    printf("%ld '%s' %d", (long)status, model_selftest_layer(status), model.config.hook == NULL);
    return 0;
}
"""
FLAGS = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "-ffp-contract=on", "-I.")


@network
def both() -> tuple[Tensor, Tensor]:
    """Floats and codes: three steps of floats behind each other, two of codes."""
    x = image(8, 8, 3)
    codes = max_pool2d(quantize(x, 2.0**-5, 3, "i8", name="codes"), 2, stride=2, name="pooled")
    x = relu(conv2d(x, 8, 3, pad=1, name="first"), name="one")
    x = relu(conv2d(x, 8, 3, stride=2, pad=1, name="second"), name="two")
    return linear(flatten(global_avg_pool(x, name="mean")), 5, name="classes"), codes


def emit(folder: Path, options: PlanKeywords) -> None:
    netgen.emit(netgen.load(both), folder / "model.c", selftest=True, **options)
    (folder / "main.c").write_text(MAIN)


def printed(folder: Path) -> str:
    sources = ["main.c", "model.c", "model_weights.c"]
    return link(folder, [any_compiler(), *FLAGS], sources).run().decode()


@pytest.mark.parametrize(
    "options", [{"ram": 3000}, pytest.param({"input": "caller"}, marks=pytest.mark.heavy)]
)
def test_right_c_passes_and_wrong_c_is_found(options: PlanKeywords, tmp_path: Path) -> None:
    emit(tmp_path, options)
    assert printed(tmp_path) == "-12 0 '' 1"  # INIT before init; the user's hook is back
    weights, code = tmp_path / "model_weights.c", tmp_path / "model.c"
    right, source = weights.read_text(), code.read_text()
    at = right.index("two */")
    word = re.compile(r"0x[0-9a-f]{8}").search(right, at)
    assert word is not None
    flipped = f"0x{int(word[0], 16) ^ 0x80000000:08x}"  # the sign of one bias
    weights.write_text(right[: word.start()] + flipped + right[word.end() :])
    assert "'two' 1" in printed(tmp_path)
    weights.write_text(right)
    broken, count = re.subn(r"(max_pool2d\w*\([^;]*?\)\n\{)", r"\1 return;", source, count=1)
    assert count == 1
    code.write_text(broken)
    with_warnings = [f for f in FLAGS if not f.startswith("-W")]
    sources = ["main.c", "model.c", "model_weights.c"]
    program = link(tmp_path, [any_compiler(), *with_warnings], sources)
    assert "'pooled' 1" in program.run().decode()


def test_the_generator_is_knuths() -> None:
    number, expected = SEED, []
    for _ in range(50):
        number = (1664525 * number + 1013904223) % 2**32
        expected.append(number)
    assert generated(SEED, 50).tolist() == expected


def test_checksums_are_of_what_the_network_means() -> None:
    lowered = lower(netgen.load(both), resolve_target("generic"))
    (x,) = golden_inputs(lowered.plan).values()
    assert set((x * 2**14 % 1).ravel()) == {0.0}
    away = np.sign(x) * np.floor(np.abs(x) * 32 + 0.5)  # halves are rounded away from zero
    codes = np.clip(away + 3, -128, 127).astype(np.int8)
    pooled = codes.reshape(1, 4, 2, 4, 2, 3).max((2, 4))
    test = {step.name: step for step in self_test(lowered.plan, lowered.graph).steps}
    assert test["codes"].crc == f"0x{zlib.crc32(codes.tobytes()):08x}u"
    assert test["pooled"].crc == f"0x{zlib.crc32(pooled.tobytes()):08x}u"
    assert [test[name].crc for name in ("one", "two", "classes")] == ["0u"] * 3


def test_elements_without_a_sum_are_refused(tmp_path: Path) -> None:
    halves = """netgen 1

graph halves {
  %x : i16[1,2,2,2] {scale=0x1p-3} = input
  %d : f32[1,2,2,2]                = dequantize(%x)
  return %d
}
"""
    (tmp_path / "halves.ir").write_text(halves)
    with pytest.raises(UsageError, match="no sum for such elements, expected one of f32, i8, u8"):
        netgen.emit(netgen.load(str(tmp_path / "halves.ir")), tmp_path / "m.c", selftest=True)


@pytest.mark.heavy
def test_a_published_int8_model_tests_itself(shared_data: Path, tmp_path: Path) -> None:
    """All steps are exact, in bands, and a weight that is one off is found in its own step."""
    file = shared_data / "mlperf_tiny" / "kws_ref_model.tflite"
    netgen.emit(netgen.load(str(file)), tmp_path / "model.c", selftest=True, ram=12_000)
    main = MAIN.replace("static float memory[MODEL_INPUT_ELEMENTS], scores", "static float scores")
    main = main.replace("scores[MODEL_OUTPUT1_ELEMENTS];", "unused;")
    main = main.replace("codes[MODEL_OUTPUT2_ELEMENTS]", "memory[MODEL_INPUT_ELEMENTS], codes[12]")
    main = main.replace("static float unused;\n", "").replace("memory, scores", "memory")
    (tmp_path / "main.c").write_text(main)
    assert printed(tmp_path) == "-12 0 '' 1"
    weights = tmp_path / "model_weights.c"
    text = weights.read_text()
    at = text.index("0x", text.index("weights_4 "))
    weights.write_text(f"{text[:at]}0x{int(text[at + 2], 16) ^ 1:x}{text[at + 3 :]}")
    assert " 5 '" in printed(tmp_path)
