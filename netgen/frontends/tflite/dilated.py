"""Convolutions with dilation as TensorFlow writes them: of a batch of every n-th pixel.

SPACE_TO_BATCH_ND pads an image and deals its pixels to a batch of small images, of which
BATCH_TO_SPACE_ND makes one again, and cuts off what is too much. A convolution between both, by
steps of one, is one with dilation of the image as a whole.
"""

from __future__ import annotations

from dataclasses import replace

from netgen.errors import GraphError
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.builder import ChannelsLast, Dealt
from netgen.frontends.tflite.call import Call
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.pad import Pad
from netgen.ops.reshape import Reshape
from netgen.ops.transpose import Transpose
from netgen.ops.window import Sliding

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]

_READERS = {"CONV_2D", "DEPTHWISE_CONV_2D"}


def space_to_batch(call: Call) -> TensorView:
    """SPACE_TO_BATCH_ND of an image, for convolutions: a batch that is left out in the end."""
    x, block, sides = call.tensor(), _block(call), _sides(call, "the paddings")
    if call.readers - _READERS:
        raise GraphError(
            "a batch of parts of an image",
            expected="CONV_2D or DEPTHWISE_CONV_2D alone to read it",
            found=", ".join(sorted(call.readers)),
        )
    builder, image = call.builder, call.builder.image(x)
    padded = builder.emit(Pad(sides), [image], f"{call.name}.pad") if any(sides) else image
    value = _dealt(builder, padded, block, call.name)
    builder.dealt[value] = Dealt(image, block, sides)
    return row_major(value, builder.shape(value))


def batch_to_space(call: Call) -> TensorView:
    """BATCH_TO_SPACE_ND of what a convolution makes of such a batch: padding less what is cut."""
    x, block, crops = call.tensor(), _block(call), _sides(call, "the crops")
    made = call.builder.dealt.get(x.value)
    if made is None or made.block != block:
        raise GraphError("a batch that no convolution makes of parts of an image")
    node = call.builder.nodes[made.image]
    layer = node
    if isinstance(node.op, ElementwiseActivation):
        layer = call.builder.nodes[node.operands[0]]
    assert isinstance(layer.op, Sliding)  # as `dilated` has it
    top, bottom, left, right = (a - b for a, b in zip(layer.op.pad, crops, strict=True))
    if min(top, bottom, left, right) < 0:
        raise GraphError("more is cut off than was padded", found=f"{crops} of {layer.op.pad}")
    op = replace(layer.op, pad=(top, bottom, left, right))
    if layer is node:
        value = call.builder.emit(op, layer.operands, call.name)
    else:
        before = call.builder.emit(op, layer.operands, f"{call.name}.{op.operator_name}")
        value = call.builder.emit(node.op, [before], call.name)
    return row_major(value, call.builder.shape(value))


def dilated(dealt: Dealt, op: Conv2d | DepthwiseConv2d) -> Conv2d | DepthwiseConv2d:
    """A convolution of the small images as one of the image they are dealt from."""
    if op.stride != (1, 1):
        raise GraphError("steps over a batch of parts of an image", found=str(op.stride))
    rows, columns = dealt.block
    top, bottom, left, right = op.pad
    sides = (top * rows, bottom * rows, left * columns, right * columns)
    pad = tuple(a + b for a, b in zip(dealt.pad, sides, strict=True))
    dilation = op.dilation[0] * rows, op.dilation[1] * columns
    return replace(op, pad=(pad[0], pad[1], pad[2], pad[3]), dilation=dilation)


def dealt_again(call: Call, dealt: Dealt, value: str) -> TensorView:
    """The batch that a convolution of the image stands for, for BATCH_TO_SPACE_ND."""
    if call.readers != {"BATCH_TO_SPACE_ND"}:
        raise GraphError(
            "a batch of parts of an image",
            expected="BATCH_TO_SPACE_ND alone to read it",
            found=", ".join(sorted(call.readers)) or "no reader",
        )
    batch = _dealt(call.builder, value, dealt.block, f"{value}.dealt")
    call.builder.dealt[batch] = Dealt(value, dealt.block, (0, 0, 0, 0))
    return row_major(batch, call.builder.shape(batch))


def _dealt(builder: ChannelsLast, image: str, block: Pair, name: str) -> str:
    """Every n-th row and column of an image as a small image of a batch."""
    _, height, width, channels = builder.shape(image)
    rows, columns = block
    if height % rows or width % columns:
        raise GraphError("an image that is no blocks", found=f"{height} x {width} by {block}")
    parts = (height // rows, rows, width // columns, columns, channels)
    split = builder.emit(Reshape(parts), [image], f"{name}.parts")
    turned = builder.emit(Transpose((1, 3, 0, 2, 4)), [split], f"{name}.turned")
    shape = (rows * columns, height // rows, width // columns, channels)
    return builder.emit(Reshape(shape), [turned], name)


def _block(call: Call) -> Pair:
    block = call.integers(1, "the block")
    if len(block) != 2 or min(block) < 1:
        raise GraphError("only blocks of rows and columns are supported", found=str(list(block)))
    return block[0], block[1]


def _sides(call: Call, what: str) -> Sides:
    array = call.known(2, what)
    if array.shape != (2, 2) or array.dtype.kind not in "iu" or (array < 0).any():
        raise GraphError(
            f"{what} that cannot be",
            expected="two numbers of at least 0 for rows and for columns",
            found=f"{array.dtype}{list(array.shape)}",
        )
    (top, bottom), (left, right) = array.tolist()
    return top, bottom, left, right
