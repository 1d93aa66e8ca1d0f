"""The kernels: one file each, selected by what they accept and what they cost.

Adding a kernel adds one line here. An operator needs one that accepts every attribute; faster ones
are additions that touch nothing else.
"""

from __future__ import annotations

from netgen.errors import PlanError
from netgen.kernels.activation_f32 import ActivationF32
from netgen.kernels.add_f32 import AddConstantF32, AddF32
from netgen.kernels.avg_pool2d_f32 import AvgPool2dF32
from netgen.kernels.avg_pool2d_portable_f32 import AvgPool2dPortableF32
from netgen.kernels.batch_norm_f32 import BatchNormF32
from netgen.kernels.channel_map_f32 import ChannelMapF32
from netgen.kernels.conv2d_f32 import Conv2dF32
from netgen.kernels.conv2d_portable_f32 import Conv2dPortableF32
from netgen.kernels.depthwise_conv2d_f32 import DepthwiseConv2dF32
from netgen.kernels.depthwise_conv2d_portable_f32 import DepthwiseConv2dPortableF32
from netgen.kernels.global_avg_pool_f32 import GlobalAvgPoolF32
from netgen.kernels.layer import Kernel, Layer
from netgen.kernels.max_pool2d_f32 import MaxPool2dF32
from netgen.kernels.max_pool2d_portable_f32 import MaxPool2dPortableF32
from netgen.kernels.mul_f32 import MulConstantF32, MulF32
from netgen.kernels.pad_f32 import PadF32
from netgen.kernels.pointwise_f32 import PointwiseF32
from netgen.kernels.softmax_f32 import SoftmaxF32
from netgen.kernels.spatial_slice_f32 import SpatialSliceF32
from netgen.kernels.targets import Target
from netgen.kernels.transpose_f32 import TransposeF32
from netgen.kernels.winograd_f32 import Winograd2F32, Winograd4F32

KERNELS: tuple[Kernel, ...] = (
    PointwiseF32(),
    Conv2dF32(),
    Winograd2F32(),
    Winograd4F32(),
    Conv2dPortableF32(),
    DepthwiseConv2dF32(),
    DepthwiseConv2dPortableF32(),
    AddF32(),
    AddConstantF32(),
    MulF32(),
    MulConstantF32(),
    ActivationF32(),
    BatchNormF32(),
    PadF32(),
    GlobalAvgPoolF32(),
    MaxPool2dF32(),
    MaxPool2dPortableF32(),
    AvgPool2dF32(),
    AvgPool2dPortableF32(),
    SoftmaxF32(),
    ChannelMapF32(),
    SpatialSliceF32(),
    TransposeF32(),
)


def select_kernel(layer: Layer, target: Target, *, winograd: bool = True) -> Kernel:
    """The cheapest kernel that accepts the layer; ties go to the one listed first.

    Unless `winograd`, none whose numeric form is Winograd's.
    """
    candidates = [
        kernel
        for kernel in KERNELS
        if isinstance(layer.op, kernel.operators)
        and kernel.runs_on(target)
        and kernel.accepts(layer)
        and (winograd or not kernel.numeric_form.startswith("winograd"))
    ]
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
