"""Trained networks as codes: nearly as accurate as floats, and no worse than ONNX Runtime's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netgen
from netgen.export.formats import exported
from netgen.export.litert_session import run_litert
from netgen.ir.graph import Graph
from netgen.ir.tensor_type import Array
from netgen.runtime.photos import load_photo, normalise
from tests.quantisation.onnxruntime_static import scores_of_static

PHOTOS = 32  # to calibrate with, of 100: the others are judged


@dataclass(frozen=True)
class Subject:
    """A network of floats, images as it takes them, their classes, those to calibrate with."""

    graph: Graph
    images: Array
    labels: Array
    chosen: Array


def cifar(data: Path, graph: Graph) -> Subject:
    with np.load(data / "cifar10" / "cifar10_dev_1000.npz") as file:
        pixels, labels = file["x"], file["y"]
    assert graph.origin is not None
    assert graph.origin.normalisation is not None
    chosen = np.zeros(len(pixels), bool)
    chosen[::8] = True
    return Subject(graph, normalise(pixels, graph.origin.normalisation), labels, chosen)


def photos(data: Path, graph: Graph, size: int, first_class: int) -> Subject:
    with np.load(data / "mobilenet_v2_imagenet" / "expected_logits_torch.npz") as file:
        names, labels = file["files"], file["labels"] + first_class
    pixels = np.stack([load_photo(data / "photos" / str(name), (size, size)) for name in names])
    assert graph.origin is not None
    assert graph.origin.normalisation is not None
    chosen = np.zeros(len(pixels), bool)
    chosen[1 : 3 * PHOTOS : 3] = True
    return Subject(graph, normalise(pixels, graph.origin.normalisation), labels, chosen)


def resnet20(data: Path) -> Subject:
    weights = data / "cifar10" / "resnet20-12fca82f.th"
    return cifar(data, netgen.load("resnet20", weights=weights))


def shufflenet_v2(data: Path) -> Subject:
    weights = data / "cifar10" / "cifar10_shufflenetv2_x0_5-1308b4e9.pt"
    own: dict[str, Any] = {"scale": 0.5, "input_size": 32, "classes": 10, "stem": "cifar"}
    return cifar(data, netgen.load("shufflenet_v2", weights=weights, **own))


def mobilenet_v1(data: Path) -> Subject:
    weights = data / "mobilenet_v1_imagenet" / "mobilenet_v1_0.25_128_dequant_fp32.npz"
    own: dict[str, Any] = {"alpha": 0.25, "input_size": 128, "classes": 1001}
    return photos(data, netgen.load("mobilenet_v1", weights=weights, **own), 128, 1)


def mobilenet_v2(data: Path) -> Subject:
    weights = data / "mobilenet_v2_imagenet" / "mobilenet_v2-b0353104.pth"
    return photos(data, netgen.load("mobilenet_v2", weights=weights), 224, 0)


def right(scores: Array, subject: Subject) -> float:
    """The share of the judged images whose best class is right."""
    hits = scores.argmax(axis=1) == subject.labels
    return float(hits[~subject.chosen].mean())


def same(scores: Array, others: Array, subject: Subject) -> float:
    """The share of the judged images that both give the same class."""
    equal = scores.argmax(axis=1) == others.argmax(axis=1)
    return float(equal[~subject.chosen].mean())


@dataclass(frozen=True)
class Network:
    """A network: what makes it, and how much its codes may lose against its floats."""

    make: Callable[[Path], Subject]
    most_lost: float
    least_same: float


# Five of 875 images are measured: one more than half a point.
CIFAR = (Network(resnet20, 0.005, 0.98), Network(shufflenet_v2, 5 / 875, 0.98))
# Both lose two of 68 photos, as measured. That is within chance: the standard error
# of either share is four photos.
IMAGENET = (Network(mobilenet_v1, 2 / 68, 0.88), Network(mobilenet_v2, 2 / 68, 0.93))


@dataclass(frozen=True)
class Trained:
    """A network with its codes, and what both compute of all images."""

    network: Network
    subject: Subject
    coded: Graph
    floats: Array
    scores: Array


@pytest.fixture(scope="module", params=(*CIFAR, *IMAGENET), ids=lambda each: each.make.__name__)
def trained(request: pytest.FixtureRequest, shared_data: Path) -> Trained:
    network: Network = request.param
    subject = network.make(shared_data)
    coded = netgen.quantize(subject.graph, subject.images[subject.chosen])
    floats, scores = (
        np.asarray(netgen.compile(graph)(subject.images)) for graph in (subject.graph, coded)
    )
    return Trained(network, subject, coded, floats, scores)


@pytest.mark.heavy
def test_accuracy_of_floats(trained: Trained) -> None:
    whole = right(trained.floats, trained.subject)
    lost = whole - right(trained.scores, trained.subject)
    assert lost <= trained.network.most_lost + 1e-9


@pytest.mark.heavy
def test_classes_of_floats(trained: Trained) -> None:
    assert same(trained.scores, trained.floats, trained.subject) >= trained.network.least_same


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore")  # of ONNX Runtime's quantiser
def test_no_worse_than_a_peer(trained: Trained, tmp_path: Path) -> None:
    subject, floats = trained.subject, trained.floats
    theirs = [
        scores_of_static(
            subject.graph, subject.images[subject.chosen], subject.images, method, tmp_path
        )
        for method in ("MinMax", "Percentile")
    ]
    best = max(right(found, subject) for found in theirs)
    nearest = max(same(found, floats, subject) for found in theirs)
    # A peer can be better than the floats by luck alone, and than these codes by what they lose.
    lost = trained.network.most_lost + 1e-9
    assert right(trained.scores, subject) >= min(best, right(floats, subject)) - lost
    assert same(trained.scores, floats, subject) >= nearest - lost


@pytest.mark.heavy
def test_bytes_of_litert(trained: Trained, tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(exported(trained.coded, "tflite"))
    graph = netgen.load(str(file))
    (given,), (output,) = graph.inputs, graph.outputs
    for image, found in zip(trained.subject.images[:10], trained.scores[:10], strict=True):
        assert np.array_equal(run_litert(file, {given.name: image[None]})[output].ravel(), found)
