"""Images of another size: resized, or with channels as pixels."""

from __future__ import annotations

from netgen.errors import GraphError
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call
from netgen.ir.operator import Operator
from netgen.ops.depth_to_space import DepthToSpace, SpaceToDepth
from netgen.ops.resize_bilinear import ResizeBilinear
from netgen.ops.resize_nearest import ResizeNearest
from netgen.ops.window import pair


def resize_bilinear(call: Call) -> TensorView:
    """RESIZE_BILINEAR -> resize_bilinear; codes keep their scale, as TensorFlow Lite takes them."""
    return _resized(call, ResizeBilinear(_size(call), _coordinates(call)))


def resize_nearest_neighbor(call: Call) -> TensorView:
    """RESIZE_NEAREST_NEIGHBOR -> resize_nearest."""
    return _resized(call, ResizeNearest(_size(call), _coordinates(call)))


def depth_to_space(call: Call) -> TensorView:
    """DEPTH_TO_SPACE -> depth_to_space."""
    return _resized(call, DepthToSpace(call.integer("BlockSize")))


def space_to_depth(call: Call) -> TensorView:
    """SPACE_TO_DEPTH -> space_to_depth."""
    return _resized(call, SpaceToDepth(call.integer("BlockSize")))


def _resized(call: Call, op: Operator) -> TensorView:
    y = call.builder.emit(op, [call.builder.image(call.tensor())], call.name)
    return row_major(y, call.builder.shape(y))


def _size(call: Call) -> tuple[int, int]:
    return pair(call.integers(1, "the size"), "the size")


def _coordinates(call: Call) -> str:
    corners, centres = call.integer("AlignCorners"), call.integer("HalfPixelCenters")
    if corners and centres:
        raise GraphError("corners are aligned and pixels are centred", expected="one of both")
    return "align_corners" if corners else "half_pixel" if centres else "asymmetric"
