"""Stub models: hand-written C with the interface of generated C, small enough to check by eye."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from netgen.ir.normalisation import Normalisation
from netgen.kernels.targets import find_target
from netgen.plan.data.options import Image
from netgen.runtime import cache
from netgen.runtime.build import build_library
from netgen.runtime.compilers import find_compiler
from netgen.runtime.model import CompiledModel
from netgen.runtime.model_image import ModelImage, ModelPort

HEADER = """
#include <stddef.h>
#include <stdint.h>
typedef struct {
    void *arena; size_t arena_bytes;
    const void *weights; size_t weights_bytes;
    int32_t (*hook)(void *user, uint32_t step); void *user;
} PREFIX_config;
typedef struct { PREFIX_config config; } PREFIX_t;
int32_t PREFIX_init(PREFIX_t *m, const PREFIX_config *config);
"""

INIT = """
#include "PREFIX.h"
int32_t PREFIX_init(PREFIX_t *m, const PREFIX_config *config)
{
    if (config->arena_bytes != 16) return -1;
    if ((uintptr_t)config->arena % 64 != 0) return -2;
    if (config->weights_bytes < 16 || config->user) return -3;
    m->config = *config;
    return 0;
}
"""

# Sums the pixels of a 4 x 3 image of two channels into the arena, then scales and adds.
SUM_HEADER = "int32_t PREFIX_run(PREFIX_t *m, const float *x, float *y);"
SUM = """
int32_t PREFIX_run(PREFIX_t *m, const float *x, float *y)
{
    const float *w = m->config.weights;
    float *a = m->config.arena;
    if ((uintptr_t)x % sizeof(float)) return -8;
    a[0] = 0.0f;
    a[1] = 0.0f;
    for (int i = 0; i < 4 * 3; i++)
        for (int c = 0; c < 2; c++)
            a[c] += x[2 * i + c];
    if (m->config.hook && m->config.hook(m->config.user, 0)) return -9;
    for (int c = 0; c < 2; c++)
        y[c] = a[c] * w[c] + w[2 + c];
    if (m->config.hook && m->config.hook(m->config.user, 1)) return -9;
    return y[0] == 12345.0f ? -7 : 0;
}
"""

# Inputs (4, 3, 2) and (2,); outputs: the image plus the vector, and the vector doubled.
PAIR_HEADER = "int32_t PREFIX_run(PREFIX_t *m, const float *x, const float *v, float *y, float *d);"
PAIR = """
int32_t PREFIX_run(PREFIX_t *m, const float *x, const float *v, float *y, float *d)
{
    (void)m;
    for (int i = 0; i < 4 * 3; i++)
        for (int c = 0; c < 2; c++)
            y[2 * i + c] = x[2 * i + c] + v[c];
    for (int c = 0; c < 2; c++)
        d[c] = 2.0f * v[c];
    return 0;
}
"""

# The same sums of rows that are pushed; how many there were stands in the arena as well.
PUSH_HEADER = (
    """
int32_t PREFIX_push_begin(PREFIX_t *m);
int32_t PREFIX_push_rows(PREFIX_t *m, const float *rows, size_t row_stride_bytes, uint32_t count);
int32_t PREFIX_push_finish(PREFIX_t *m, float *y);
"""
    + SUM_HEADER
)
PUSH = """
int32_t PREFIX_push_begin(PREFIX_t *m)
{
    float *a = m->config.arena;
    a[0] = a[1] = a[2] = 0.0f;
    return 0;
}
int32_t PREFIX_push_rows(PREFIX_t *m, const float *rows, size_t row_stride_bytes, uint32_t count)
{
    float *a = m->config.arena;
    if (row_stride_bytes < 24 || row_stride_bytes % 4 || (uintptr_t)rows % sizeof(float)) return -8;
    for (uint32_t i = 0; i < count; i++, a[2] += 1.0f)
        for (int j = 0; j < 6; j++)
            a[j % 2] += *(const float *)((uintptr_t)rows + i * row_stride_bytes + 4 * j);
    return a[0] == 12345.0f ? -7 : 0;
}
int32_t PREFIX_push_finish(PREFIX_t *m, float *y)
{
    const float *w = m->config.weights;
    const float *a = m->config.arena;
    if (a[2] != 4.0f) return -9;
    for (int c = 0; c < 2; c++)
        y[c] = a[c] * w[c] + w[2 + c];
    return 0;
}
int32_t PREFIX_run(PREFIX_t *m, const float *x, float *y)
{
    PREFIX_push_begin(m);
    PREFIX_push_rows(m, x, 24, 4);
    return PREFIX_push_finish(m, y);
}
"""

# Says in the image that it runs, then waits there for an answer, for a long but finite time.
WAIT = """
int32_t PREFIX_run(PREFIX_t *m, const float *x, float *y)
{
    volatile float *mail = (volatile float *)(uintptr_t)x;
    (void)m;
    mail[0] = 1.0f;
    for (uint64_t n = 0; n < UINT64_C(20000000000); n++)
        if (mail[1] == 1.0f) {
            y[0] = y[1] = 7.0f;
            return 0;
        }
    return -8;
}
"""

WEIGHTS = np.array([2.0, -3.0, 0.5, 10.0], np.float32)
IMAGE_PORT = ModelPort("image", (4, 3, 2))


@dataclass(frozen=True)
class Stub:
    """C of a stub and its ports; `image` builds it."""

    header: str
    source: str
    prefix: str
    inputs: tuple[ModelPort, ...]
    outputs: tuple[ModelPort, ...]
    input_as: Image = "caller"

    def image(self) -> ModelImage:
        target = find_target("generic")
        path = build_library(self.source, self.header, self.prefix, target, find_compiler())
        return ModelImage(
            shared_object=path.read_bytes(),
            weights=WEIGHTS.tobytes(),
            prefix=self.prefix,
            target=target.name,
            cpu_features=target.cpu_features,
            arena_bytes=16,
            arena_alignment=64,
            inputs=self.inputs,
            outputs=self.outputs,
            error_names=((-1, "STUB_ERROR_ARENA"), (-3, "STUB_ERROR_BLOB"), (-7, "STUB_ERROR_RUN")),
            normalisation=Normalisation((0.5, 0.25), (0.5, 2.0)),
            input_as=self.input_as,
        )

    def model(self) -> CompiledModel:
        return CompiledModel(self.image())


def _stub(
    prefix: str,
    header: str,
    source: str,
    inputs: tuple[ModelPort, ...],
    outputs: tuple[ModelPort, ...],
) -> Stub:
    texts = [text.replace("PREFIX", prefix) for text in (HEADER + header, INIT + source)]
    return Stub(texts[0], texts[1], prefix, inputs, outputs)


@pytest.fixture
def sum_stub() -> Stub:
    return _stub("model", SUM_HEADER, SUM, (IMAGE_PORT,), (ModelPort("logits", (2,)),))


@pytest.fixture
def push_stub() -> Stub:
    stub = _stub("pushed", PUSH_HEADER, PUSH, (IMAGE_PORT,), (ModelPort("logits", (2,)),))
    return replace(stub, input_as="rows")


@pytest.fixture
def wait_stub() -> Stub:
    return _stub("waiter", SUM_HEADER, WAIT, (IMAGE_PORT,), (ModelPort("logits", (2,)),))


@pytest.fixture
def pair_stub() -> Stub:
    inputs = (IMAGE_PORT, ModelPort("vector", (2,)))
    return _stub(
        "pair", PAIR_HEADER, PAIR, inputs, (ModelPort("sum", (4, 3, 2)), ModelPort("twice", (2,)))
    )


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, which nothing stands in for from the tests before."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NETGEN_CACHE_DIR", str(folder))
    cache._private_folder.cache_clear()
    return folder
