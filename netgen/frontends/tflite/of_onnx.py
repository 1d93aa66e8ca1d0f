"""Operators that ONNX has, too: its mappings make them of a call of TensorFlow Lite."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netgen.frontends.onnx_call import Attribute
from netgen.frontends.onnx_call import Call as OnnxCall
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.frontends.tflite.call import Call

_OPSET = 13


def by_onnx(
    call: Call,
    mapping: Callable[[OnnxCall], TensorView],
    operator: str,
    attributes: Mapping[str, Attribute],
) -> TensorView:
    """The result of ONNX's operator of the same inputs, as opset 13 has it."""
    names = tuple("" if tensor is None else tensor.name for tensor in call.read)
    return mapping(
        OnnxCall(
            builder=call.builder,
            budget=call.budget,
            operator=operator,
            opset=_OPSET,
            names=names,
            results=(call.name,),
            outputs=1,
            inputs=call.inputs,
            attributes=attributes,
        )
    )
