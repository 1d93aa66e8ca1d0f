"""Checking arrays against a model's inputs: never a silent reinterpretation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netgen.errors import InputError
from netgen.runtime.layouts import (
    Layout,
    borrowed,
    channels_first,
    channels_last_view,
    require_layout,
)
from netgen.runtime.model_image import ModelPort

# Of the element type of a port.
Array = NDArray[Any]


def checked_batches(
    inputs: Sequence[object], ports: Sequence[ModelPort], layout: Layout = "NHWC"
) -> tuple[list[Array], bool]:
    """Check inputs: as batches, (N, *shape) each, uncopied, and whether they are single images.

    With `layout` "NCHW" images come with channels first; the batches have them last all the same.
    Raises InputError for a wrong number of inputs, a wrong dtype or shape, or batches that differ.
    """
    require_layout(layout)
    ports = ports if layout == "NHWC" else channels_first(ports)
    names = ", ".join(port.name for port in ports)
    if len(inputs) != len(ports):
        raise InputError(
            "wrong number of inputs", expected=f"{len(ports)} ({names})", found=str(len(inputs))
        )
    arrays = [
        checked_array(image, port, port.dtype) for image, port in zip(inputs, ports, strict=True)
    ]
    pairs = list(zip(arrays, ports, strict=True))
    sizes = {len(a) if a.ndim > len(p.shape) else None for a, p in pairs}
    if len(sizes) > 1:
        raise InputError(
            "inputs of different batch sizes",
            where=names,
            expected="the same number of images in all, or one image each",
            found=", ".join(str(array.shape) for array in arrays),
        )
    single = sizes == {None}
    batches = [array[np.newaxis] if single else array for array in arrays]
    return batches if layout == "NHWC" else list(map(channels_last_view, batches)), single


def checked_array(image: object, port: ModelPort, dtype: str) -> Array:
    """Check that an image or batch has exactly this dtype and the port's shape; no copy.

    Raises InputError, which prints both dtypes and shapes and the way out.
    """
    array = borrowed(image, f"input '{port.name}'")
    if array is None:
        raise InputError(
            "not an array",
            where=f"input '{port.name}'",
            expected=_wanted(port, dtype),
            found=type(image).__name__,
            hint="pass a NumPy array",
        )
    shape_fits = array.shape[-len(port.shape) :] == port.shape and (
        array.ndim - len(port.shape) in {0, 1}
    )
    if array.dtype == dtype and shape_fits:
        return array
    what = "wrong shape" if array.dtype == dtype else "wrong dtype"
    raise InputError(
        what if shape_fits or array.dtype == dtype else "wrong dtype and shape",
        where=f"input '{port.name}'",
        expected=_wanted(port, dtype),
        found=f"{array.dtype} {array.shape}",
        hint="; ".join((*_dtype_hint(array, dtype, port), *_shape_hint(array, port))),
    )


def _wanted(port: ModelPort, dtype: str) -> str:
    sizes = ", ".join(map(str, port.shape))
    return f"{dtype} {port.shape} or (N, {sizes})"


def _dtype_hint(array: Array, dtype: str, port: ModelPort) -> tuple[str, ...]:
    if array.dtype == dtype:
        return ()
    if port.dtype != "float32" and dtype == port.dtype:
        return (f"the network takes {dtype}{_meaning(port)}",)
    if dtype == "uint8":
        return ("preprocess takes 8-bit pixels of 0..255; give other images to the model itself",)
    if array.dtype == np.uint8:
        return ("normalise 8-bit pixels with model.preprocess(images)",)
    return ("convert with images.astype(numpy.float32)",)


def _meaning(port: ModelPort) -> str:
    """Words behind a type: that its elements are pixels, or codes q of which numbers."""
    if port.scale is None:
        return ": pixels of 0 to 255, as they are" if port.dtype == "uint8" else ""
    zero = port.zero_point
    distance = f"(q {'-' if zero > 0 else '+'} {abs(zero)})" if zero else "q"
    return f": a code q stands for {port.scale:.9g} * {distance}"


def _shape_hint(array: Array, port: ModelPort) -> tuple[str, ...]:
    shape, wanted = array.shape, port.shape
    if len(wanted) != 3 or shape[-3:] == wanted:
        return ()
    channels_first = (wanted[2], wanted[0], wanted[1])
    if shape[-3:] == channels_first and len(shape) in {3, 4}:
        axes = "1, 2, 0" if len(shape) == 3 else "0, 2, 3, 1"
        return (f"looks like channels first; use images.transpose({axes})",)
    if wanted[2] == 1 and len(shape) in {2, 3} and shape[-2:] == wanted[:2]:
        return ("add the channel axis with images[..., numpy.newaxis]",)
    if len(shape) in {3, 4} and shape[-1] == wanted[2]:
        return (f"resize the images to {wanted[0]} x {wanted[1]} pixels",)
    return ()
