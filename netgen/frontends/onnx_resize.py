"""Images of another size: Resize, DepthToSpace, SpaceToDepth, ConvTranspose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.frontends.onnx_window import two
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.ops.channel_map import channel_map_op
from netgen.ops.depth_to_space import DepthToSpace, SpaceToDepth
from netgen.ops.resize import COORDINATES
from netgen.ops.resize_bilinear import ResizeBilinear
from netgen.ops.resize_nearest import ResizeNearest
from netgen.ops.transpose_conv2d import TransposeConv2d

Numbers = npt.NDArray[np.float64]

# Coordinates that are those of netgen where a scale is the quotient of the sizes.
_SAME = {
    "half_pixel_symmetric": "half_pixel",
    "pytorch_half_pixel": "half_pixel",
    "tf_half_pixel_for_nn": "half_pixel",
}
_TO_OHWI = (1, 2, 3, 0)
# A channel of a list takes as long as so many elements of an array.
_LISTED = 16


def resize(call: Call) -> TensorView:
    """Resize of images by `linear` -> resize_bilinear, by `nearest` -> resize_nearest.

    Source: ONNX operators, Resize.
    """
    x = call.tensor()
    mode = call.string("mode", "nearest")
    if len(x.shape) != 4 or mode not in {"linear", "nearest"}:
        raise GraphError(
            "only images can be resized, and not by cubes",
            expected="[1,C,H,W], mode linear or nearest",
            found=f"{list(x.shape)}, mode {mode}",
        )
    if call.flag("antialias") or call.flag("exclude_outside"):
        raise GraphError("resizing with antialias or exclude_outside is not supported")
    size = _size(call, x.shape)
    kind = call.string("coordinate_transformation_mode", "half_pixel")
    coordinates = _SAME.get(kind, kind)
    if coordinates not in COORDINATES:
        raise GraphError("coordinates that are not supported", found=kind)
    single = kind == "pytorch_half_pixel" and any(
        n == 1 < extent for n, extent in zip(size, x.shape[2:], strict=True)
    )
    if single:
        raise GraphError("pytorch_half_pixel to one pixel is not supported")
    if mode == "linear":
        if kind == "tf_half_pixel_for_nn":
            raise GraphError("coordinates that are not supported of linear", found=kind)
        return _emitted(call, ResizeBilinear(size, coordinates))
    return _emitted(call, _nearest(call, x.shape[2:], size, kind))


def _size(call: Call, shape: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of the result; raises GraphError where a scale is none of whole sizes."""
    axes = call.integers("axes")
    named = range(4) if axes is None else [axis % 4 for axis in axes]
    if call.string("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise GraphError("only keep_aspect_ratio_policy stretch is supported")
    sizes, scales = call.integers("sizes", 3), call.known(2, "scales")
    if not sizes and (scales is None or scales.dtype.kind != "f"):
        raise GraphError("neither sizes nor scales are there")
    wanted = list(shape)
    given: Sequence[float] = sizes or [float(n) for n in np.asarray(scales).reshape(-1)]
    if len(given) != len(named) or len(set(named)) != len(named):
        raise GraphError("a size or scale for every axis", found=f"{list(given)}")
    if not np.isfinite(given).all():
        raise GraphError("scales must be finite", found=f"{list(given)}")
    for axis, number in zip(named, given, strict=True):
        wanted[axis] = int(number if sizes else np.floor(shape[axis] * number))
        if not sizes and np.float32(wanted[axis] / shape[axis]) != np.float32(number):
            raise GraphError(
                "a scale that leaves parts of pixels over",
                expected=f"a quotient of a whole number by {shape[axis]}",
                found=str(number),
                hint="export the model with the size of the result",
            )
    if wanted[:2] != [*shape[:2]] or min(wanted) < 1:
        raise GraphError("only rows and columns can be resized", found=f"{list(wanted)}")
    return wanted[2], wanted[3]


def _nearest(call: Call, image: Sequence[int], size: tuple[int, int], kind: str) -> ResizeNearest:
    """The operator whose pixels are those that the file's coordinates and rounding give."""
    rounding = call.string("nearest_mode", "round_prefer_floor")
    wanted = [_places(n, out, kind, rounding) for n, out in zip(image, size, strict=True)]
    call.budget.take(len(COORDINATES) * sum(size))
    x = TensorType("f32", (1, *image, 1))
    for coordinates in COORDINATES:
        op = ResizeNearest(size, coordinates)
        if all(np.array_equal(op.places(x, axis), wanted[axis]) for axis in (0, 1)):
            return op
    raise GraphError(
        "these nearest pixels are not supported",
        expected="asymmetric and floor, half_pixel and round_prefer_ceil, or align_corners",
        found=f"{kind} and {rounding}",
    )


def _places(extent: int, outputs: int, kind: str, rounding: str) -> npt.NDArray[np.int64]:
    """The place along an axis that each output is."""
    at = np.arange(outputs, dtype=np.float64)
    scale = extent / outputs
    if kind == "align_corners":
        at = at * ((extent - 1) / (outputs - 1)) if outputs > 1 else at
    elif kind == "asymmetric":
        at = at * scale
    else:
        at = (at + 0.5) * scale - (0.0 if kind == "tf_half_pixel_for_nn" else 0.5)
    # Quotients of whole numbers are rounded: what should be whole, or a half, is.
    at = np.round(at, 9)
    rounded: dict[str, Numbers] = {
        "round_prefer_floor": np.ceil(at - 0.5),
        "round_prefer_ceil": np.floor(at + 0.5),
        "floor": np.floor(at),
        "ceil": np.ceil(at),
    }
    if rounding not in rounded:
        raise GraphError("an unknown nearest_mode", found=rounding)
    return np.clip(rounded[rounding], 0, extent - 1).astype(np.int64)


def depth_to_space(call: Call) -> TensorView:
    """DepthToSpace -> depth_to_space, behind a channel_map where channels come first (CRD)."""
    x, op = call.tensor(), DepthToSpace(call.integer("blocksize"))
    first, pixels = _channels_first(call), op.block * op.block
    if len(x.shape) != 4 or x.shape[1] % pixels:
        raise GraphError(
            "channels that are no blocks",
            expected=f"an image of a multiple of {pixels} channels",
            found=f"{list(x.shape)}",
        )
    image = call.builder.image(x)
    if first:
        order = np.arange(x.shape[1]).reshape(-1, pixels).T
        image = _dealt(call, image, order, f"{call.name}.channel_map")
    return _view(call, call.builder.emit(op, [image], call.name))


def _channels_first(call: Call) -> bool:
    """Whether the order is CRD, by channels and then by places in the block, rather than DCR."""
    mode = call.string("mode", "DCR")
    if mode not in {"DCR", "CRD"}:
        raise GraphError("an unknown order of blocks", expected="mode DCR or CRD", found=mode)
    return mode == "CRD"


def _dealt(call: Call, image: str, order: npt.NDArray[np.int64], name: str) -> str:
    """The channels of an image in this order."""
    call.budget.take(_LISTED * order.size)
    op = channel_map_op([(0, channel) for channel in order.reshape(-1).tolist()])
    return call.builder.emit(op, [image], name)


def space_to_depth(call: Call) -> TensorView:
    """SpaceToDepth -> space_to_depth, before a channel_map where channels come first (CRD)."""
    op, image = SpaceToDepth(call.integer("blocksize")), call.builder.image(call.tensor())
    if not _channels_first(call):
        return _view(call, call.builder.emit(op, [image], call.name))
    value = call.builder.emit(op, [image], f"{call.name}.space_to_depth")
    order = np.arange(call.builder.shape(value)[3]).reshape(op.block * op.block, -1).T
    return _view(call, _dealt(call, value, order, call.name))


def conv_transpose(call: Call) -> TensorView:
    """ConvTranspose over images -> transpose_conv2d; weights are [I,O,R,S]."""
    x, w = call.tensor(), call.weights(1, "W")
    if w.ndim != 4 or len(x.shape) != 4 or w.shape[0] != x.shape[1]:
        raise GraphError(
            "only transposed convolutions over images are supported",
            expected="[1,I,H,W] and weights [I,O,R,S]",
            found=f"{list(x.shape)} and {list(w.shape)}",
        )
    kernel = w.shape[2:]
    if call.integers("kernel_shape") not in (None, kernel):
        raise GraphError("kernel_shape does not fit the weights", expected=f"{list(kernel)}")
    if call.integer("group", 1) != 1 or two(call.integers("dilations"), "dilations") != (1, 1):
        raise GraphError("transposed convolutions in groups or with dilation are not supported")
    stride = two(call.integers("strides"), "strides")
    size, before = _transposed_size(call, x.shape[2:], kernel, stride)
    turned = call.builder.constant(call.names[1], w.transpose(_TO_OHWI))
    operands = [call.builder.image(x), turned]
    if call.given(2) is not None:
        operands.append(call.builder.constant(call.names[2], call.weights(2, "B")))
    op = TransposeConv2d(size=size, stride=stride, before=before)
    return _view(call, call.builder.emit(op, operands, call.name))


def _transposed_size(
    call: Call, image: Sequence[int], kernel: Sequence[int], stride: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns of the result, and how many are cut off before them.

    Source: ONNX operators, ConvTranspose: `output_shape` and `auto_pad` say what is left.
    """
    more = call.integers("output_padding") or (0, 0)
    kind = call.string("auto_pad", "NOTSET")
    wanted, pads = call.integers("output_shape"), call.integers("pads") or (0,) * 4
    if len(more) != 2 or len(pads) != 4 or min(*more, *pads) < 0 or len(wanted or pads[:2]) != 2:
        raise GraphError("paddings that do not fit", found=f"{list(more)} and {list(pads)}")
    if kind not in {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}:
        raise GraphError("an unknown auto_pad", found=kind)
    sizes, before = [], []
    for axis in (0, 1):
        full = stride[axis] * (image[axis] - 1) + kernel[axis] + more[axis]
        if wanted is None and not kind.startswith("SAME"):
            sides = (0, 0) if kind == "VALID" else (pads[axis], pads[2 + axis])
            sizes.append(full - sum(sides))
            before.append(sides[0])
            continue
        size = wanted[axis] if wanted is not None else stride[axis] * image[axis]
        if full < size:
            raise GraphError(
                "a result larger than all windows", expected=f"at most {full}", found=str(size)
            )
        half = (full - size) // 2
        sizes.append(size)
        before.append(half if kind == "SAME_UPPER" else full - size - half)
    if min(sizes) < 1:
        raise GraphError("nothing is left of the result", found=f"{sizes}")
    return (sizes[0], sizes[1]), (before[0], before[1])


def _emitted(call: Call, op: Operator) -> TensorView:
    return _view(call, call.builder.emit(op, [call.builder.image(call.tensor())], call.name))


def _view(call: Call, value: str) -> TensorView:
    _, rows, columns, channels = call.builder.shape(value)
    return call.builder.view(value, (1, channels, rows, columns))
