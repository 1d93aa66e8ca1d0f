"""Every peer that is installed computes what the graph means; the others are no tests at all.

Which peers there are is known before the tests are collected: one that is missing is not skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest

from netgen.bench.peers import PEERS, check_installed, installed, of_floats
from netgen.bench.process import WorkerProcess
from netgen.bench.worker import Array, Job
from netgen.compiler import load
from netgen.dsl.tensor import Tensor, constructing, finish, image
from netgen.errors import BuildError, GraphError, MissingExtraError
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ops import (
    add,
    avg_pool2d,
    batch_norm,
    channel_pad,
    channel_shuffle,
    channel_slice,
    concat,
    conv2d,
    depthwise_conv2d,
    flatten,
    global_avg_pool,
    hard_sigmoid,
    hard_swish,
    leaky_relu,
    linear,
    max_pool2d,
    mul,
    pad,
    prelu,
    relu,
    relu6,
    relu_n1_to_1,
    sigmoid,
    softmax,
    spatial_slice,
    tanh,
)
from netgen.weights.seeded import seeded_weights, uniform
from tests.cases import heavy

INSTALLED = tuple(name for name in installed() if name in of_floats())


def graph_of(network: Callable[[], Tensor | tuple[Tensor, ...]]) -> Graph:
    with constructing() as construction:
        results = network()
        outputs = results if isinstance(results, tuple) else (results,)
        graph = finish(construction, network.__name__, outputs)
    return graph.with_constants(seeded_weights(graph))


def prepared(peer: str, graph: Graph) -> object:
    prepare = PEERS[peer].prepare
    assert prepare is not None
    return prepare(graph)


def outputs_of(peer: str, graph: Graph, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    job = Job(PEERS[peer].load, prepared(peer, graph), inputs)
    with closing(WorkerProcess(peer, job, None)) as process:
        assert process.time(2) > 0.0
        assert re.fullmatch(r"\d+\.\d+[.\w+]*", process.ready.version)
        return process.ready.outputs


def assert_agrees(peer: str, graph: Graph) -> None:
    inputs = {
        node.name: (uniform(node.name, node.type.shape) * 3**0.5).astype(np.float32)
        for node in graph.inputs
    }
    values = interpret(graph, inputs)
    results = outputs_of(peer, graph, tuple(inputs.values()))
    assert len(results) == len(graph.outputs)
    for name, found in zip(graph.outputs, results, strict=True):
        expected = values[name]
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= 2e-5 * np.abs(expected).max(), name


def residual() -> Tensor:
    """The operators of MobileNet and ResNet, padded as torch does and as TensorFlow does."""
    x = relu6(batch_norm(conv2d(image(13, 11, 3), 8, 3, stride=2, pad=1, bias=False)))
    y = relu6(batch_norm(depthwise_conv2d(x, 3, pad="same", bias=False)))
    y = relu6(depthwise_conv2d(y, 3, stride=1, pad=(1, 1, 0, 2), multiplier=2))
    y = relu(batch_norm(conv2d(y, 8, bias=False)) + x)
    y = hard_swish(conv2d(y, 12, (3, 2), stride=(2, 1), pad="same"))
    y = relu(conv2d(y, 6, 3, dilation=2, pad=2, groups=3))
    return softmax(linear(hard_swish(linear(flatten(global_avg_pool(y)), 9)), 5))


def branches() -> tuple[Tensor, ...]:
    """The operators of ShuffleNet, SqueezeNet and MobileNet v3, with two outputs."""
    x = relu(conv2d(image(12, 10, 4), 12, 3, pad=1))
    y = channel_shuffle(concat(channel_slice(x, 6, 6), channel_slice(x, 0, 6)), 3)
    y = relu(conv2d(y, 12, groups=3)) + x
    y = mul(y, hard_sigmoid(conv2d(relu(conv2d(global_avg_pool(y), 4)), 12)))
    return y, flatten(sigmoid(batch_norm(y)))


def pools() -> tuple[Tensor, ...]:
    """Windows of pooling."""
    x = image(12, 11, 5)
    return (
        max_pool2d(x, 3, stride=2, pad=1),
        max_pool2d(x, 2),
        max_pool2d(x, 3, stride=1, pad="same"),
        avg_pool2d(x, 3, stride=2, pad=1),
        avg_pool2d(x, 3, stride=1, pad=1, count_include_pad=False),
        avg_pool2d(x, (4, 3)),
    )


def sums() -> tuple[Tensor, ...]:
    """Operators between two inputs; values beyond 6; one that is read again once rectified."""
    a, b = image(3, 4, 5, name="a"), image(3, 4, 5, name="b")
    c = add(mul(a, b), a)
    d = softmax(c - b, beta=0.5)
    return relu6(c + c + c), relu(c) + c, leaky_relu(c, alpha=0.2), tanh(d), relu_n1_to_1(prelu(c))


def rare() -> tuple[Tensor, ...]:
    """Operators that ncnn's converter cannot read, or reads wrongly: one-sided padding, steps."""
    x = image(12, 11, 5)
    return (
        pad(x, (0, 1, 2, 3)),
        channel_pad(channel_slice(x, 1, 2, 3), 2, 1),
        spatial_slice(x, start=(1, 0), stride=2),
        max_pool2d(x, 3, stride=2, pad="same"),
    )


NETWORKS = (residual, branches, pools, sums, rare)


@pytest.mark.parametrize(
    ("peer", "network"),
    [(p, n) for p in INSTALLED for n in NETWORKS if (p, n.__name__) != ("ncnn", "rare")],
)
def test_peer_agrees_with_the_reference(
    peer: str, network: Callable[[], Tensor | tuple[Tensor, ...]]
) -> None:
    assert_agrees(peer, graph_of(network))


if "ncnn" in INSTALLED:

    def test_layers_that_were_not_converted_are_named() -> None:
        with pytest.raises(BuildError, match=r"ncnn does not have, found Pad, Tensor"):
            outputs_of("ncnn", graph_of(rare), (np.zeros((1, 12, 11, 5), np.float32),))


if "tflite" in INSTALLED:

    def test_windows_that_tflite_does_not_have() -> None:
        def odd() -> Tensor:
            return avg_pool2d(image(6, 6, 2), 3, stride=2, pad=1, count_include_pad=False)

        with pytest.raises(GraphError, match="no average over windows that are padded like this"):
            prepared("tflite", graph_of(odd))

    def test_weights_are_aligned_in_a_tflite_file() -> None:
        def layers() -> Tensor:
            x = image(1, 1, 3)
            return linear(linear(linear(flatten(x), 5), 7), 2)

        graph = graph_of(layers)
        content = prepared("tflite", graph)
        assert isinstance(content, bytes)
        for array in graph.constants.values():
            assert content.count(array.tobytes()) == 1
            assert content.index(array.tobytes()) % 16 == 0


@pytest.mark.parametrize("model", [heavy("mobilenet_v1"), "mobilenet_v2"])
@pytest.mark.parametrize("peer", INSTALLED)
def test_peer_runs_the_networks(peer: str, model: str) -> None:
    assert_agrees(peer, load(model, alpha=0.25, input_size=64, classes=10))


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert installed() == ()
    with pytest.raises(MissingExtraError, match=r"onnx, .* pip install onnx onnxruntime openvino "):
        check_installed("openvino")
    with pytest.raises(MissingExtraError, match=r"onnx, .* pip install onnx onnxruntime torch "):
        check_installed("torch")
