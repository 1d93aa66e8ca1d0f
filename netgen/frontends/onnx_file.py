"""An `.onnx` file -> a graph with its weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from netgen.errors import GraphError, MissingExtraError, UsageError, WeightsError
from netgen.frontends.onnx_fold import FOLDS
from netgen.frontends.onnx_functions import check_functions, written_out
from netgen.frontends.onnx_lower import lower_model
from netgen.frontends.onnx_nodes import needed_nodes
from netgen.frontends.onnx_operators import MAPPINGS
from netgen.frontends.onnx_quantised import QUANTISED, quantised_written_out
from netgen.frontends.onnx_read import Bindings
from netgen.ir.graph import Graph
from netgen.ir.normalisation import Normalisation
from netgen.ir.origin import Origin
from netgen.ir.verify import verify

if TYPE_CHECKING:
    from onnx import ModelProto

# Before it, Clip and Pad had their numbers in attributes: older files are lifted to it.
_LIFTED_OPSET = 11
_OLDEST_OPSET = 6


def load_onnx(
    path: Path,
    shapes: Mapping[str, Sequence[int]] | None = None,
    axes: Mapping[str, object] | None = None,
) -> Graph:
    """Read a float model of the operators that netgen has, ONNX opset 6 or later.

    `shapes` binds the shapes of inputs by name, `axes` open axes as the file calls them.

    The interface is the file's: an input [1,C,H,W] stays that. Where the network needs it as NHWC,
    one `transpose` at its edge makes it so, and the plan counts it as bytes moved; inside there is
    none. An open first axis becomes 1 where it is a batch, that is where nothing depends on how
    long it is; else it must be bound. A first axis of more than 1 is data like any other, and one
    of 1 stands before it. Data in files beside the model are read, from its folder only.
    The metadata `netgen.mean` and `netgen.std`, which netgen exports, say how pixels become inputs.

    Raises UsageError where the file cannot be read, GraphError with all nodes that are not
    supported, WeightsError for weights that are missing or not float32, MissingExtraError where
    onnx is not installed.
    """
    onnx = _import_onnx()
    where = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=where) from error
    model = _parse(onnx, content, where)
    _check_opset(onnx, model, where)
    external = _read_external(onnx, model, path)
    model = _lifted(model, where)
    bindings = Bindings.of(shapes or {}, axes or {}, where)
    graph = lower_model(_prepared(onnx, model, where), path.stem, where, bindings)
    digest = hashlib.sha256(content)
    for file in external:
        digest.update(file.read_bytes())
    origin = Origin(
        model=path.name,
        weights_file=" + ".join([path.name, *(file.name for file in external)]),
        weights_sha256=digest.hexdigest(),
        normalisation=_normalisation(model, graph, where),
    )
    return verify(graph.with_constants(graph.constants, origin))


def _normalisation(model: ModelProto, graph: Graph, where: str) -> Normalisation | None:
    """The normalisation in the metadata, per channel of the first input; None without any."""
    texts = {entry.key: entry.value for entry in model.metadata_props}
    found = [texts[key] for key in ("netgen.mean", "netgen.std") if key in texts]
    if not found:
        return None
    try:
        mean, std = (tuple(float(number) for number in text.split(",")) for text in found)
        normalisation = Normalisation(mean, std)
    except (ValueError, UsageError) as error:
        raise GraphError(
            "the metadata netgen.mean and netgen.std are malformed",
            where=where,
            expected="one number per channel in each, as in 0.485,0.456,0.406",
            found=" and ".join(map(repr, found)),
            hint="export the model again, or remove both",
        ) from error
    shape = graph.inputs[0].type.shape if graph.inputs else ()
    # The channels of an image are the last dimension, or the second in files of other tools.
    if len(mean) not in (shape[-1:] + shape[1:2]):
        raise GraphError(
            "the metadata netgen.mean and netgen.std do not fit the input",
            where=where,
            expected=f"one number per channel of {list(shape)}",
            found=str(len(mean)),
            hint="export the model again, or remove both",
        )
    return normalisation


def _import_onnx() -> ModuleType:
    try:
        import onnx
        import onnx.checker
        import onnx.external_data_helper
        import onnx.inliner
    except ModuleNotFoundError:
        raise MissingExtraError("onnx", "onnx", "reading an .onnx file") from None
    return onnx


def _parse(onnx: ModuleType, content: bytes, where: str) -> ModelProto:
    from google.protobuf.message import DecodeError  # comes with onnx

    try:
        model: ModelProto = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise GraphError("no ONNX file, or a damaged one", where=where) from error
    if not model.opset_import or not model.graph.output:
        raise GraphError("no ONNX file: it has no opset or no output", where=where)
    return model


def _check_opset(onnx: ModuleType, model: ModelProto, where: str) -> None:
    # The operators of ONNX itself have two names for their domain.
    versions = {item.version for item in model.opset_import if item.domain in ("", "ai.onnx")}
    newest = onnx.defs.onnx_opset_version()
    if len(versions) != 1 or not _OLDEST_OPSET <= min(versions) <= newest:
        raise GraphError(
            "this opset is not supported",
            where=where,
            expected=f"{_OLDEST_OPSET} to {newest}",
            found=" and ".join(map(str, sorted(versions))) or "none of ONNX's own",
            hint="export the model for opset 17, or update onnx",
        )


def _lifted(model: ModelProto, where: str) -> ModelProto:
    """The model in opset 11, if it is older."""
    (version,) = {item.version for item in model.opset_import if item.domain in ("", "ai.onnx")}
    if version >= _LIFTED_OPSET:
        return model
    from onnx import ModelProto
    from onnx.helper import make_tensor_value_info
    from onnx.version_converter import ConvertError, convert_version

    listed = ModelProto()
    listed.CopyFrom(model)
    inputs = {value.name for value in model.graph.input}
    # The converter takes constants for inputs, as the oldest files list them.
    listed.graph.input.extend(
        make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in model.graph.initializer
        if tensor.name not in inputs
    )
    try:
        lifted: ModelProto = convert_version(listed, _LIFTED_OPSET)
    # What the converter raises depends on what it finds: C++ exceptions of several kinds.
    except (ConvertError, RuntimeError, ValueError, IndexError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise GraphError(
            f"the model of opset {version} cannot be lifted to opset {_LIFTED_OPSET}: {reason}",
            where=where,
            hint="export the model for opset 17",
        ) from error
    return lifted


def _read_external(onnx: ModuleType, model: ModelProto, path: Path) -> list[Path]:
    """Load data that stand in files of their own; returns those files, in order of their names."""
    helper = onnx.external_data_helper
    names = {
        entry.value
        for tensor in model.graph.initializer
        if helper.uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    }
    try:
        helper.load_external_data_for_model(model, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise WeightsError(
            f"the weights beside the model cannot be read: {reason}",
            where=str(path),
            expected=", ".join(sorted(names)) or "no such files",
            hint="keep the files together as they were exported",
        ) from error
    return [path.parent / name for name in sorted(names)]


def _prepared(onnx: ModuleType, model: ModelProto, where: str) -> ModelProto:
    """Inline the model's own functions, and have onnx check its form."""
    for value in model.graph.output:
        # ONNX Runtime finds out shapes of outputs that the file does not tell, and so does netgen.
        value.type.tensor_type.shape.SetInParent()
    model.graph.name = model.graph.name or "graph"
    ordered = needed_nodes(model.graph)
    del model.graph.node[:]
    model.graph.node.extend(ordered)
    try:
        onnx.checker.check_model(model)
        if model.functions:
            check_functions(model, where)
            model = onnx.inliner.inline_local_functions(model)
            onnx.checker.check_model(model)
        model = quantised_written_out(written_out(model, {*MAPPINGS, *FOLDS, *QUANTISED}))
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise GraphError(f"not a valid ONNX model: {reason}", where=where) from error
    return model
