"""The kernels: one file each, selected by what they accept and what they cost.

Adding a kernel adds one line here. An operator needs one that accepts every attribute; faster ones
are additions that touch nothing else.
"""

from __future__ import annotations

from netgen.errors import PlanError
from netgen.kernels.conversions.argmax import ArgmaxKernel
from netgen.kernels.conversions.dequantize import DequantizeKernel
from netgen.kernels.conversions.normalize import NormalizeKernel
from netgen.kernels.conversions.quantize import QuantizeKernel
from netgen.kernels.conversions.quantize_codes import QuantizeCodesKernel
from netgen.kernels.f32.activation import ActivationF32
from netgen.kernels.f32.add import AddConstantF32, AddF32
from netgen.kernels.f32.avg_pool2d import AvgPool2dF32
from netgen.kernels.f32.avg_pool2d_portable import AvgPool2dPortableF32
from netgen.kernels.f32.batch_norm import BatchNormF32
from netgen.kernels.f32.broadcast import (
    BroadcastConstantF32,
    BroadcastF32,
    ConstantBroadcastF32,
    WhereF32,
)
from netgen.kernels.f32.conv2d import Conv2dF32
from netgen.kernels.f32.conv2d_portable import Conv2dPortableF32
from netgen.kernels.f32.depthwise_conv2d import DepthwiseConv2dF32
from netgen.kernels.f32.depthwise_conv2d_loops import DepthwiseConv2dLoopsF32
from netgen.kernels.f32.depthwise_conv2d_portable import DepthwiseConv2dPortableF32
from netgen.kernels.f32.global_avg_pool import GlobalAvgPoolF32
from netgen.kernels.f32.matmul import MatmulF32
from netgen.kernels.f32.max_pool2d import MaxPool2dF32
from netgen.kernels.f32.max_pool2d_portable import MaxPool2dPortableF32
from netgen.kernels.f32.mul import MulConstantF32, MulF32
from netgen.kernels.f32.pointwise import PointwiseF32
from netgen.kernels.f32.prelu import PreluConstantF32, PreluF32
from netgen.kernels.f32.reduction import ReductionF32
from netgen.kernels.f32.resize_bilinear import ResizeBilinearF32
from netgen.kernels.f32.softmax import SoftmaxF32
from netgen.kernels.f32.sub import ConstantDifferenceF32, SubConstantF32, SubF32
from netgen.kernels.f32.table import TableF32
from netgen.kernels.f32.transpose_conv2d import TransposeConv2dF32
from netgen.kernels.f32.winograd import Winograd2F32, Winograd4F32
from netgen.kernels.i8.binary_even import (
    BinaryConstantEvenI8,
    BinaryEvenI8,
    ConstantDifferenceEvenI8,
)
from netgen.kernels.i8.clamp import ClampI8
from netgen.kernels.i8.conv2d_portable import Conv2dPortableI8
from netgen.kernels.i8.conv2d_tiles import Conv2dTilesI8
from netgen.kernels.i8.depthwise_conv2d import DepthwiseConv2dI8
from netgen.kernels.i8.depthwise_conv2d_loops import DepthwiseConv2dLoopsI8
from netgen.kernels.i8.depthwise_conv2d_portable import DepthwiseConv2dPortableI8
from netgen.kernels.i8.depthwise_dots import DepthwiseDotsI8
from netgen.kernels.i8.depthwise_planes import DepthwisePlanesI8
from netgen.kernels.i8.global_avg_pool import GlobalAvgPoolI8
from netgen.kernels.i8.l2_normalize import L2NormalizeI8
from netgen.kernels.i8.linear_portable import LinearPortableI8
from netgen.kernels.i8.log_softmax import LogSoftmaxI8
from netgen.kernels.i8.mul import MulConstantI8, MulI8, MulRealI8
from netgen.kernels.i8.pooling import AvgPool2dI8, MaxPool2dI8
from netgen.kernels.i8.prelu import PreluConstantI8, PreluI8
from netgen.kernels.i8.product import ProductI8
from netgen.kernels.i8.product_dots import ProductDotsI8
from netgen.kernels.i8.product_pairs import ProductPairsI8
from netgen.kernels.i8.resize_bilinear import ResizeBilinearI8, ResizeBilinearU8
from netgen.kernels.i8.softmax import SoftmaxI8
from netgen.kernels.i8.squared_difference import (
    SquaredDifferenceConstantI8,
    SquaredDifferenceI8,
)
from netgen.kernels.i8.sum import ConstantDifferenceI8, SumConstantI8, SumI8, SumRealI8
from netgen.kernels.i8.sum_vectors import SumVectorsI8
from netgen.kernels.i8.table import TableI8
from netgen.kernels.i8.transpose_conv2d import TransposeConv2dI8
from netgen.kernels.i8.wide import Conv2dWideI8, DepthwiseConv2dWideI8, LinearWideI8
from netgen.kernels.i8.winograd import WinogradI8
from netgen.kernels.layer import Kernel, Layer
from netgen.kernels.moves.assign import AssignKernel
from netgen.kernels.moves.channel_map import ChannelMapKernel
from netgen.kernels.moves.copy import CopyKernel
from netgen.kernels.moves.depth_to_space import DepthToSpaceKernel, SpaceToDepthKernel
from netgen.kernels.moves.pad import PadKernel
from netgen.kernels.moves.resize_nearest import MirrorPadKernel, ResizeNearestKernel
from netgen.kernels.moves.spatial_slice import SpatialSliceKernel
from netgen.kernels.moves.strided import StridedKernel
from netgen.kernels.moves.transpose import TransposeKernel
from netgen.kernels.targets import Target

KERNELS: tuple[Kernel, ...] = (
    PointwiseF32(),
    Conv2dF32(),
    Winograd2F32(),
    Winograd4F32(),
    Conv2dPortableF32(),
    DepthwiseConv2dF32(),
    DepthwiseConv2dLoopsF32(),
    DepthwiseConv2dPortableF32(),
    Conv2dPortableI8(),
    Conv2dTilesI8(),
    DepthwiseConv2dI8(),
    DepthwiseConv2dLoopsI8(),
    DepthwisePlanesI8(),
    DepthwiseDotsI8(),
    DepthwiseConv2dPortableI8(),
    LinearPortableI8(),
    Conv2dWideI8(),
    DepthwiseConv2dWideI8(),
    LinearWideI8(),
    TransposeConv2dF32(),
    TransposeConv2dI8(),
    AddF32(),
    AddConstantF32(),
    MulF32(),
    MulConstantF32(),
    SubF32(),
    SubConstantF32(),
    ConstantDifferenceF32(),
    PreluF32(),
    PreluConstantF32(),
    BroadcastF32(),
    BroadcastConstantF32(),
    ConstantBroadcastF32(),
    WhereF32(),
    ReductionF32(),
    MatmulF32(),
    TableF32(),
    ActivationF32(),
    BatchNormF32(),
    PadKernel(),
    GlobalAvgPoolF32(),
    GlobalAvgPoolI8(),
    ProductI8(),
    WinogradI8(),
    ProductPairsI8(),
    ProductDotsI8(),
    MaxPool2dF32(),
    MaxPool2dPortableF32(),
    AvgPool2dF32(),
    AvgPool2dPortableF32(),
    MaxPool2dI8(),
    AvgPool2dI8(),
    ResizeNearestKernel(),
    MirrorPadKernel(),
    ResizeBilinearF32(),
    ResizeBilinearI8(),
    ResizeBilinearU8(),
    SoftmaxF32(),
    SumRealI8(),
    SumI8(),
    SumVectorsI8(),
    SumConstantI8(),
    ConstantDifferenceI8(),
    MulRealI8(),
    BinaryEvenI8(),
    BinaryConstantEvenI8(),
    ConstantDifferenceEvenI8(),
    MulI8(),
    MulConstantI8(),
    SquaredDifferenceI8(),
    SquaredDifferenceConstantI8(),
    PreluI8(),
    PreluConstantI8(),
    ClampI8(),
    TableI8(),
    SoftmaxI8(),
    LogSoftmaxI8(),
    L2NormalizeI8(),
    ChannelMapKernel(),
    SpatialSliceKernel(),
    DepthToSpaceKernel(),
    SpaceToDepthKernel(),
    TransposeKernel(),
    StridedKernel(),
    CopyKernel(),
    AssignKernel(),
    QuantizeKernel(),
    QuantizeCodesKernel(),
    DequantizeKernel(),
    ArgmaxKernel(),
    NormalizeKernel(),
)


def select_kernel(
    layer: Layer, target: Target, *, winograd: bool = True, small: bool = False
) -> Kernel:
    """The cheapest kernel that accepts the layer; ties go to the one listed first.

    Unless `winograd`, none that transforms weights; if `small`, none that is unrolled. Weights that
    the layer has in a compressed form are so only for kernels that widen them.
    """
    candidates = [
        kernel
        for kernel in KERNELS
        if isinstance(layer.op, kernel.operators)
        and kernel.computes(layer)
        and kernel.runs_on(target)
        and kernel.accepts(layer)
        and (winograd or not kernel.transforms_weights)
        and not (small and kernel.unrolled)
    ]
    # What is to be compressed must be, where any kernel can.
    candidates = [k for k in candidates if layer.weights in k.widens] or candidates
    if not candidates:
        whose = f" whose {' and '.join(sorted(layer.constant))} are constants"
        raise PlanError(
            f"no kernel computes {layer.op.operator_name} of {layer.result}"
            f"{whose if layer.constant else ''}"
        )
    return min(candidates, key=lambda kernel: kernel.cost(layer, target))


def find_kernel(name: str) -> Kernel:
    """A kernel by name; raises PlanError for an unknown one (a plan of another version)."""
    for kernel in KERNELS:
        if kernel.name == name:
            return kernel
    raise PlanError(f"unknown kernel '{name}'", hint="make the plan anew")
