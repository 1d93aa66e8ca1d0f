"""Operators and open axes: one rule for each operator, listed in RULES, or in OF_SEVERAL.

A rule gives the place of the axis in the results. It raises GraphError, which says how, where
results along the axis depend on each other, or on how long it is. It gives None where the weights
or the shapes of the file fit no other extent than 1: then 1 is what the axis is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from netgen.errors import GraphError
from netgen.frontends.onnx_activations import ACTIVATIONS
from netgen.frontends.onnx_call import axis_of
from netgen.frontends.onnx_norms import normalised_axes
from netgen.frontends.onnx_open_axis import AxisPlace, OpenNode, without
from netgen.frontends.onnx_open_several import OF_SEVERAL
from netgen.frontends.onnx_reductions import REDUCTIONS
from netgen.frontends.onnx_shapes import (
    flattened,
    permutation,
    sides_of,
    squeezed_axes,
    target_shape,
    unsqueezed_axes,
)
from netgen.frontends.onnx_slices import cuts_of
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.frontends.onnx_window import padding, two

Rule: TypeAlias = "Callable[[OpenNode, AxisPlace], AxisPlace | None]"


def follow(step: OpenNode) -> AxisPlace | None:
    """The place of an open axis in the results of an operator whose inputs depend on it."""
    operator = step.call.operator
    if operator in OF_SEVERAL:
        return OF_SEVERAL[operator](step)
    for index, (array, twin) in enumerate(zip(step.call.inputs, step.twin.inputs, strict=True)):
        if (
            not isinstance(array, TensorView)
            and twin is not array
            and (operator, index) not in _READ
        ):
            raise GraphError(f"input {index + 1} depends on the axis")
    place = step.places[0]
    if place is not None:
        if operator not in RULES:
            raise GraphError("it is not followed through this operator")
        return RULES[operator](step, place)
    # Other activations are cut, or take a shape.
    if operator == "Slice" and cuts_of(step.call, step.shape) == cuts_of(step.twin, step.shape):
        return None
    raise GraphError("the result depends on the axis")


def _keeps(step: OpenNode, place: AxisPlace) -> AxisPlace:
    del step
    return place


def _conv(step: OpenNode, place: AxisPlace) -> AxisPlace | None:
    w = step.call.weights(1, "W")
    return None if place.axis == 1 else _window(step, place, w.shape[2:])


def _pool(step: OpenNode, place: AxisPlace) -> AxisPlace:
    return _window(step, place, step.call.integers("kernel_shape") or ())


def _window(step: OpenNode, place: AxisPlace, kernel: tuple[int, ...]) -> AxisPlace:
    """A window of one pixel along the axis, moved by one, leaves it as it is."""
    call, pixels = step.call, place.axis - 2
    if pixels < 0:
        return place
    stride, dilation = (two(call.integers(what), what) for what in ("strides", "dilations"))
    pad = padding(call, step.shape[2:], kernel, stride, dilation)
    if kernel[pixels] != 1 or stride[pixels] != 1 or any(pad[2 * pixels : 2 * pixels + 2]):
        raise GraphError("the windows reach over the axis")
    return place


def _conv_transpose(step: OpenNode, place: AxisPlace) -> AxisPlace | None:
    """The weights say how many channels there are; a pixel spreads over several."""
    del step
    if place.axis >= 2:
        raise GraphError("the windows reach over the axis")
    return None if place.axis == 1 else place


def _blocks(step: OpenNode, place: AxisPlace) -> AxisPlace:
    del step
    if place.axis >= 1:
        raise GraphError("blocks are taken of the axis")
    return place


def _resize(step: OpenNode, place: AxisPlace) -> AxisPlace:
    del step
    if place.axis >= 2:
        raise GraphError("pixels along the axis are resized")
    return place


def _global_pool(step: OpenNode, place: AxisPlace) -> AxisPlace:
    del step
    if place.axis >= 2:
        raise GraphError("the axis is reduced")
    return place


def _reduce_mean(step: OpenNode, place: AxisPlace) -> AxisPlace:
    call, rank = step.call, len(step.shape)
    axes = call.axes(rank, 1)
    if not axes and call.flag("noop_with_empty_axes"):
        return place
    if place.axis in (axes or range(rank)):
        raise GraphError("the axis is reduced")
    return place if call.flag("keepdims", 1) else without(place, axes or ())


def _arg_max(step: OpenNode, place: AxisPlace) -> AxisPlace:
    axis = axis_of(step.call.integer("axis", 0), len(step.shape))
    if place.axis == axis:
        raise GraphError("the largest is sought along the axis")
    return place if step.call.flag("keepdims", 1) else without(place, [axis])


def _softmax(step: OpenNode, place: AxisPlace) -> AxisPlace:
    call = step.call
    axis = axis_of(call.integer("axis", -1 if call.opset >= 13 else 1), len(step.shape))
    if place.axis == axis or (call.opset < 13 and place.axis > axis):
        raise GraphError("the sum is taken over the axis")
    return place


def _instance_norm(step: OpenNode, place: AxisPlace) -> AxisPlace | None:
    """The parameters say how many channels there are; means are taken over all pixels."""
    del step
    if place.axis >= 2:
        raise GraphError("the mean is taken over the axis")
    return None if place.axis == 1 else place


def _neighbours(step: OpenNode, place: AxisPlace) -> AxisPlace:
    del step
    if place.axis == 1:
        raise GraphError("neighbours along the axis are summed")
    return place


def _mean_variance(step: OpenNode, place: AxisPlace) -> AxisPlace:
    if place.axis in normalised_axes(step.call, len(step.shape)):
        raise GraphError("the mean is taken over the axis")
    return place


def _tile(step: OpenNode, place: AxisPlace) -> AxisPlace:
    """Repeats of the whole axis change slower than it."""
    repeats = step.call.integers("repeats", 1) or ()
    return replace(place, outer=place.outer * repeats[place.axis])


def _batch_norm(step: OpenNode, place: AxisPlace) -> AxisPlace | None:
    """The parameters say how many channels there are."""
    del step
    return None if place.axis == 1 else place


def _along(how: str, default: int = 0) -> Rule:
    """Make the rule of what has one axis along which it must not be."""

    def rule(step: OpenNode, place: AxisPlace) -> AxisPlace:
        if place.axis == axis_of(step.call.integer("axis", default), len(step.shape)):
            raise GraphError(how)
        return place

    return rule


def _pad(step: OpenNode, place: AxisPlace) -> AxisPlace:
    if any(sides_of(step.call, len(step.shape))[place.axis]):
        raise GraphError("the axis is made longer")
    return place


def _slice(step: OpenNode, place: AxisPlace) -> AxisPlace:
    twin = step.twin.tensor().shape
    for axis, (cut, longer) in enumerate(
        zip(cuts_of(step.call, step.shape), cuts_of(step.twin, twin), strict=True)
    ):
        if longer != (range(twin[axis]) if axis == place.axis else cut):
            raise GraphError("the axis is cut")
    return place


def _reshape(step: OpenNode, place: AxisPlace) -> AxisPlace | None:
    shape = target_shape(step.call, step.shape)
    try:
        twin = target_shape(step.twin, step.twin.tensor().shape)
    except GraphError:
        return None
    return step.moved(place, shape, twin)


def _flatten(step: OpenNode, place: AxisPlace) -> AxisPlace:
    twin = step.twin.tensor().shape
    return step.moved(place, flattened(step.call, step.shape), flattened(step.twin, twin))


def _squeeze(step: OpenNode, place: AxisPlace) -> AxisPlace | None:
    dropped = squeezed_axes(step.call, step.shape)
    if place.axis not in dropped:
        return without(place, dropped)
    if step.call.axes(len(step.shape), 1) is None:
        raise GraphError("the axis is dropped only where it is 1")
    return None


def _unsqueeze(step: OpenNode, place: AxisPlace) -> AxisPlace:
    new = unsqueezed_axes(step.call, len(step.shape))
    old = [axis for axis in range(len(step.shape) + len(new)) if axis not in new]
    return replace(place, axis=old[place.axis])


def _transpose(step: OpenNode, place: AxisPlace) -> AxisPlace:
    return replace(place, axis=permutation(step.call, len(step.shape)).index(place.axis))


# Inputs that may depend on the axis, since their rules ask the twin.
_READ = {("Reshape", 1), ("Slice", 1), ("Slice", 2)}

RULES: dict[str, Rule] = {
    **{activation.operator: _keeps for activation in ACTIVATIONS},
    "ArgMax": _arg_max,
    "ArgMin": _arg_max,
    "AveragePool": _pool,
    "BatchNormalization": _batch_norm,
    "Cast": _keeps,
    "Celu": _keeps,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "DequantizeLinear": _keeps,
    "DepthToSpace": _blocks,
    "Dropout": _keeps,
    "Flatten": _flatten,
    "Gather": _along("places along the axis are gathered"),
    "GlobalAveragePool": _global_pool,
    "GlobalMaxPool": _global_pool,
    "Identity": _keeps,
    "InstanceNormalization": _instance_norm,
    "LRN": _neighbours,
    "LogSoftmax": _softmax,
    "LpNormalization": _along("the size is taken along the axis", -1),
    "MeanVarianceNormalization": _mean_variance,
    "Neg": _keeps,
    "Not": _keeps,
    "Pow": _keeps,
    "Reciprocal": _keeps,
    "MaxPool": _pool,
    "Pad": _pad,
    **dict.fromkeys(REDUCTIONS, _reduce_mean),
    "QuantizeLinear": _keeps,
    "Reshape": _reshape,
    "Resize": _resize,
    "Slice": _slice,
    "Softmax": _softmax,
    "SpaceToDepth": _blocks,
    "Split": _along("the axis is split"),
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
