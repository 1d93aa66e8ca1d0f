"""Layers with weights: their codes, fitted to what the network of codes gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netgen.ir.graph import Graph, Node
from netgen.ir.operator import Signature
from netgen.ir.tensor_type import Array, Quantisation, TensorType
from netgen.ops.activation import activate
from netgen.ops.rescaled import scale_of
from netgen.ops.weighted import Weighted
from netgen.quantisation.noise import real_of
from netgen.quantisation.options import QuantizeOptions
from netgen.quantisation.over_images import over_images, sums
from netgen.quantisation.rounding import adapted
from netgen.quantisation.scheme import coded_op, coded_types
from netgen.quantisation.weights import CodedWeights, nearest, weight_scales


class CodedLayer:
    """A layer with weights as it computes on codes of its operand x."""

    def __init__(self, graph: Graph, node: Node, meaning: Mapping[str, Quantisation]) -> None:
        op = coded_op(node.op, meaning[node.name])
        assert isinstance(op, Weighted)
        self.op = op
        self.types = coded_types(graph, node, meaning)
        self.result = op.result_type(self.types)
        self._w = graph.constant(node.operands[1])
        has_bias = len(node.operands) > 2
        self._b = graph.constant(node.operands[2]) if has_bias else np.zeros(len(self._w))

    @property
    def x(self) -> TensorType:
        """The type of the operand."""
        return self.types[0]

    def coded(
        self, options: QuantizeOptions, x: Array, before: Array, fitted: Array
    ) -> tuple[CodedWeights, Array]:
        """Weights and bias for a batch x of codes, and the whole sums that they give.

        `before` are the sums of the floats. All is fitted to the images that are `fitted`.
        """
        b = self._b.astype(np.float64)
        scales = weight_scales(self._w, b, scale_of(self.x))
        codes = nearest(self._w, scales)
        if options.round_weights:
            codes = adapted(self.op, self._w, scales, codes, real_of(x[fitted], self.x))
        made, found = CodedWeights(codes, scales, b), self.products(codes, x)
        if options.correct_bias:
            real = (found * made.units(scale_of(self.x)) + b)[fitted]
            made = replace(made, bias=b + self._correction(before[fitted], real))
        return made, found + made.whole_bias(scale_of(self.x))

    def products(self, codes: Array, x: Array) -> Array:
        """The sums of products of a batch of codes x with codes of weights, exact in float64."""
        w, zero = codes.astype(np.float64), self.x.zero
        return over_images(lambda n: sums(self.op, x[n].astype(np.float64) - zero, w), len(x))

    def finished(self, made: CodedWeights, whole: Array) -> Array:
        """The codes of the result for whole sums."""
        scale = self.types[1].quantisation
        assert scale is not None
        scales = {str(scale.scale): made.scales.astype(np.float64)}
        signature = Signature(tuple(self.types), self.result, scales)
        store = self.result.element.store
        return over_images(lambda n: store(self.op.finished(whole[n], signature)), len(whole))

    def _correction(self, before: Array, found: Array) -> Array:
        """The mean of what is missing in each output, where the activation lets it through.

        The less certain the mean is over the images, the less of it is taken.
        """
        flat = (before - found).reshape(len(before), -1, before.shape[-1])
        inner = before.reshape(flat.shape)
        passed = activate(self.op.activation or "none", inner) == inner
        count = passed.sum(axis=1)
        means = (flat * passed).sum(axis=1) / np.maximum(count, 1)
        seen = (count > 0).sum(axis=0)
        mean = means.sum(axis=0) / np.maximum(seen, 1)
        spread = np.where(count > 0, (means - mean) ** 2, 0.0).sum(axis=0)
        doubt = spread / np.maximum(seen - 1, 1) / np.maximum(seen, 1)
        certain = np.clip(1.0 - doubt / np.maximum(mean**2, 1e-300), 0.0, 1.0)
        return np.where(seen > 1, mean * certain, 0.0)
