"""The walk: floats and codes go through the network side by side, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, Quantisation, TensorType
from netgen.ops.activation import activate
from netgen.ops.rescaled import scale_of
from netgen.ops.weighted import Weighted
from netgen.quantisation.layers import CodedLayer
from netgen.quantisation.noise import codes_of, decibels, real_of
from netgen.quantisation.options import QuantizeOptions
from netgen.quantisation.over_images import (
    applied,
    last_uses,
    sums_of_floats,
    value_of_floats,
)
from netgen.quantisation.scheme import Scheme, coded_op, coded_types
from netgen.quantisation.statistics import Progress
from netgen.quantisation.weights import CodedWeights

# Images on which layers are judged alone.
_ALONE = 8


@dataclass(frozen=True)
class LayerNoise:
    """The noise of one value in decibels: of the whole network up to it, and of its layer alone.

    `weights` is that of the layer's weights, None of others.
    """

    name: str
    operator: str
    accumulated: float
    alone: float
    weights: float | None = None


@dataclass
class Walk:
    """The result of a walk: weights of each layer as codes, the noise of each coded node."""

    weights: dict[str, CodedWeights] = field(default_factory=dict)
    noise: list[LayerNoise] = field(default_factory=list)
    outputs: dict[str, float] = field(default_factory=dict)


class Walker:
    """Values of the network of floats, and of that of codes: codes, or floats that it computes."""

    def __init__(
        self,
        graph: Graph,
        scheme: Scheme,
        meaning: Mapping[str, Quantisation],
        options: QuantizeOptions,
        fitted: Array,
    ) -> None:
        self._graph, self._scheme, self._meaning = graph, scheme, meaning
        self._options, self._fitted = options, fitted
        self._floats: dict[str, Array] = {}
        self._held: dict[str, Array] = {}
        self._found = Walk()

    def walk(self, images: Mapping[str, Array], progress: Progress) -> Walk:
        """Go through the network; layers are fitted to the `fitted` images, judged on the others.

        On all of them where all are fitted.
        """
        graph, ended = self._graph, last_uses(self._graph)
        for node in graph.inputs:
            self._floats[node.name] = self._held[node.name] = images[node.name]
        for position, node in enumerate(graph.activations, start=1):
            progress(f"quantising %{node.name} ({position} of {len(graph.activations)})")
            if node.name in self._scheme.coded:
                self._coded(node)
            else:
                given = {name: self._real(name) for name in node.operands if name in self._held}
                self._floats[node.name] = value_of_floats(
                    graph, node, self._floats, len(self._fitted)
                )
                self._held[node.name] = value_of_floats(graph, node, given, len(self._fitted))
            if node.name in graph.outputs:
                found = self._judged(self._floats[node.name], self._real(node.name))
                self._found.outputs[node.name] = found
            for name in ended.get(node.name, ()):
                del self._floats[name], self._held[name]
        return self._found

    def _kind(self, name: str) -> TensorType:
        return TensorType("i8", self._graph[name].type.shape, self._meaning[name])

    def _real(self, name: str) -> Array:
        """A value of the network of codes as numbers."""
        held = self._held[name]
        return held if held.dtype == np.float32 else real_of(held, self._kind(name))

    def _codes(self, name: str) -> Array:
        """A value of the network of codes as codes."""
        held = self._held[name]
        return codes_of(held, self._kind(name)) if held.dtype == np.float32 else held

    def _judged(self, floats: Array, found: Array) -> float:
        judges = np.ones(len(floats), bool) if self._fitted.all() else ~self._fitted
        return decibels(floats[judges], found[judges])

    def _coded(self, node: Node) -> None:
        """Compute a coded node in both networks, and by itself on codes of some floats.

        What is only fitted to some of the images is a trial: nobody asks for noise of layers then.
        """
        weighted = isinstance(node.op, Weighted)
        alone = self._layer(node) if weighted else self._without_weights(node)
        if alone is None:
            return
        floats, kind = self._floats[node.name], self._kind(node.name)
        made = self._found.weights.get(node.name)
        self._found.noise.append(
            LayerNoise(
                node.name,
                node.op.operator_name,
                self._judged(floats, self._real(node.name)),
                decibels(floats[: len(alone)], real_of(alone, kind)),
                decibels(self._graph.constant(node.operands[1]), made.real()) if made else None,
            )
        )

    def _layer(self, node: Node) -> Array | None:
        graph, x = self._graph, node.operands[0]
        layer = CodedLayer(graph, node, self._meaning)
        before = sums_of_floats(graph, node, self._floats[x])
        made, whole = layer.coded(self._options, self._codes(x), before, self._fitted)
        self._found.weights[node.name] = made
        self._floats[node.name] = activate(node.op.activation or "none", before)
        self._held[node.name] = layer.finished(made, whole)
        if not self._fitted.all():
            return None
        alone = codes_of(self._floats[x][:_ALONE], layer.x)
        bias = made.whole_bias(scale_of(layer.x))
        return layer.finished(made, layer.products(made.codes, alone) + bias)

    def _without_weights(self, node: Node) -> Array | None:
        graph = self._graph
        op = coded_op(node.op, self._meaning[node.name])
        types = tuple(coded_types(graph, node, self._meaning))
        made = Node(node.name, op, node.operands, op.result_type(types))
        signature = Signature(types, made.type)
        self._floats[node.name] = value_of_floats(graph, node, self._floats, len(self._fitted))

        def operands(activation: Callable[[str], Array]) -> list[Array]:
            return [
                codes_of(graph.constant(n), self._kind(n)) if graph.is_const(n) else activation(n)
                for n in node.operands
            ]

        self._held[node.name] = applied(made, operands(self._codes), signature, len(self._fitted))
        if not self._fitted.all():
            return None
        alone = operands(lambda name: codes_of(self._floats[name][:_ALONE], self._kind(name)))
        return applied(made, alone, signature, min(_ALONE, len(self._fitted)))
