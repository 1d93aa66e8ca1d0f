"""torchvision's MobileNetV2 with weights in fewer bytes, on 100 photos, beside torch's logits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netgen
from netgen.compiler import lower
from netgen.emission.weights import BLOB_HEADER_BYTES
from netgen.kernels.targets import find_target
from netgen.plan.data.options import PlanOptions, WeightsDtype
from netgen.runtime.photos import load_photo

# By type of weights: bytes of the blob; the largest and the median error of a photo's logits,
# relative to its largest; photos whose class is another one.
EXPECTED: dict[WeightsDtype, tuple[int, float, float, int]] = {
    "float32": (13951488, 1e-4, 1e-5, 0),
    "float16": (7140416, 2.4e-3, 1e-3, 0),
    "int8": (3778496, 8e-2, 3.2e-2, 1),
}


@pytest.mark.heavy
@pytest.mark.usefixtures("as_users_compile")
@pytest.mark.parametrize("dtype", EXPECTED)
def test_scores_are_near_those_of_torch(dtype: WeightsDtype, shared_data: Path) -> None:
    folder = shared_data / "mobilenet_v2_imagenet"
    graph = netgen.load("mobilenet_v2", weights=folder / "mobilenet_v2-b0353104.pth")
    size, most, median, others = EXPECTED[dtype]
    lowered = lower(graph, find_target("x86-64-v3"), PlanOptions(weights_dtype=dtype))
    assert lowered.packed.size + BLOB_HEADER_BYTES == size
    with np.load(folder / "expected_logits_torch.npz") as file:
        files, expected = [shared_data / "photos" / str(n) for n in file["files"]], file["logits"]
    model = netgen.compile(graph, weights_dtype=dtype)
    logits = model(model.preprocess(np.stack([load_photo(file, (224, 224)) for file in files])))
    assert isinstance(logits, np.ndarray)
    errors = np.abs(logits - expected).max(axis=1) / np.abs(expected).max(axis=1)
    assert errors.max() < most
    assert np.median(errors) < median
    assert np.count_nonzero(logits.argmax(axis=1) != expected.argmax(axis=1)) == others
