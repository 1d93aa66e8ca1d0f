"""The versions of operators that netgen knows: an opset may change what one means."""

from __future__ import annotations

from netgen.errors import GraphError
from netgen.frontends.onnx_activations import ACTIVATIONS

# By operator, the newest opset that changed it in ONNX 1.23.
NEWEST: dict[str, int] = {
    **{activation.operator: activation.newest for activation in ACTIVATIONS},
    "Abs": 13,
    "Add": 14,
    "And": 7,
    "ArgMax": 13,
    "ArgMin": 13,
    "AveragePool": 22,
    "BatchNormalization": 15,
    "Cast": 28,
    "Ceil": 13,
    "Celu": 28,
    "Concat": 13,
    "Constant": 25,
    "ConstantOfShape": 25,
    "Conv": 22,
    "ConvTranspose": 22,
    "DepthToSpace": 28,
    "Div": 14,
    "Dropout": 22,
    "Equal": 19,
    "Expand": 13,
    "Flatten": 25,
    "Floor": 13,
    "Gather": 13,
    "Gemm": 13,
    "GlobalAveragePool": 22,
    "GlobalMaxPool": 22,
    "Greater": 13,
    "GreaterOrEqual": 16,
    "Identity": 25,
    "InstanceNormalization": 22,
    "IsNaN": 20,
    "LRN": 13,
    "Less": 13,
    "LessOrEqual": 16,
    "LogSoftmax": 13,
    "LpNormalization": 22,
    "MatMul": 13,
    "Max": 13,
    "MaxPool": 22,
    "Mean": 13,
    "MeanVarianceNormalization": 13,
    "Min": 13,
    "Mod": 28,
    "Mul": 14,
    "Neg": 13,
    "Not": 1,
    "Or": 7,
    "PRelu": 16,
    "Pad": 25,
    "Pow": 15,
    "Range": 27,
    "Reciprocal": 13,
    "ReduceL1": 18,
    "ReduceL2": 18,
    "ReduceLogSum": 28,
    "ReduceLogSumExp": 28,
    "ReduceMax": 20,
    "ReduceMean": 18,
    "ReduceMin": 20,
    "ReduceProd": 18,
    "ReduceSum": 13,
    "ReduceSumSquare": 18,
    "Reshape": 25,
    "Resize": 19,
    "Shape": 25,
    "Size": 25,
    "Slice": 13,
    "Softmax": 13,
    "SpaceToDepth": 28,
    "Split": 18,
    "Sqrt": 13,
    "Squeeze": 25,
    "Sub": 14,
    "Sum": 13,
    "Tile": 13,
    "Transpose": 25,
    "Unsqueeze": 25,
    "Where": 16,
    "Xor": 7,
}


def check_version(operator: str, opset: int) -> None:
    """Raise GraphError where the opset has a version of the operator that netgen does not know."""
    from onnx.defs import get_schema

    version = get_schema(operator, opset, "").since_version
    if version > NEWEST[operator]:
        raise GraphError(
            f"version {version} of the operator is not supported",
            expected=f"at most {NEWEST[operator]}",
            hint=f"export the model for an opset below {version}",
        )
