"""The whole pipeline on one screen: load -> lower -> plan -> emit or compile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netgen.dsl.network import Network
from netgen.emission.files import write_files
from netgen.emission.footprint import Footprint
from netgen.emission.naming import emit_options, more_words
from netgen.emission.options import WeightsAs
from netgen.emission.selftest import self_test
from netgen.emission.source import emit_files
from netgen.errors import UsageError
from netgen.frontends.files import LOADERS, load_file
from netgen.ir.graph import Graph
from netgen.ir.normalisation import Normalisation
from netgen.ir.origin import Origin
from netgen.ir.tensor_type import Array
from netgen.kernels.targets import Target, find_target
from netgen.models.find import find_network
from netgen.passes import run_pipeline
from netgen.passes.take_pixels import take_pixels
from netgen.plan.build import build_plan
from netgen.plan.check.check_plan import check_plan
from netgen.plan.data.options import DEFAULT, PlanKeywords, PlanOptions, takes_plan_options
from netgen.plan.data.plan import Plan
from netgen.plan.data.tuning_use import require_use
from netgen.plan.json.tuning_file import read_tuning
from netgen.plan.packing import PackedBytes, pack_weights
from netgen.quantisation.options import QuantizeOptions
from netgen.runtime.cpu import native_target, require_processor
from netgen.runtime.model import CompiledModel
from netgen.runtime.photos import normalise
from netgen.weights.assign import seeded_graph, weighted_graph

if TYPE_CHECKING:
    from typing_extensions import Unpack  # of typing from Python 3.11 on

    from netgen.runtime.model_image import ModelImage

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Lowered:
    """A planned network: the fused graph, its plan, its packed weights."""

    graph: Graph
    plan: Plan
    packed: PackedBytes


def load(
    model: str | Network,
    *,
    weights: str | PathLike[str] | None = None,
    by_position: bool = False,
    named: Mapping[str, object] | None = None,
    **parameters: object,
) -> Graph:
    """The graph of a model, with its weights.

    `named` are more parameters, whose names may be those of arguments.

    `model` is a name of `netgen list`, `file.py:function`, a network, or a file of LOADERS.
    Without `weights` they are seeded: made up, but scaled so that activations keep unit variance.
    Raises UsageError, GraphError, WeightsError, and MissingExtraError for some files.
    """
    if isinstance(model, str) and (suffix := Path(model).suffix) in LOADERS:
        if weights is not None or by_position:
            raise UsageError(f"a {suffix} file has its weights already", hint="leave out --weights")
        return load_file(Path(model), parameters, named)
    parameters.update(named or {})
    if by_position and weights is None:
        raise UsageError("there are no weights to take by position", hint="give --weights as well")
    network = find_network(model)
    # Of a user's file only its name goes into what is generated, never its folder.
    title = network.name if isinstance(model, Network) else Path(model).name
    if weights is None:
        return seeded_graph(network, title, parameters)
    return weighted_graph(network, title, Path(weights), parameters, by_position=by_position)


def resolve_target(target: str) -> Target:
    """A target by name; `native` is the best one that this machine's processor has."""
    return native_target() if target == "native" else find_target(target)


def runnable_target(target: str) -> Target:
    """The same, of what is to run here. Raises BuildError where this machine cannot."""
    resolved = resolve_target(target)
    require_processor(resolved)
    return resolved


def with_input_type(graph: Graph, planning: PlanOptions) -> Graph:
    """The graph as it is compiled: with inputs of the type that is asked for. Raises UsageError."""
    if planning.input_type == "declared":
        return graph
    given = None
    if planning.mean is not None and planning.std is not None:
        given = Normalisation(planning.mean, planning.std)
    return take_pixels(graph, given)


def lower(graph: Graph, target: Target, planning: PlanOptions = DEFAULT) -> Lowered:
    """Set the type of inputs, run the passes, plan, have the plan checked, pack the weights."""
    fused = run_pipeline(with_input_type(graph, planning))
    plan = build_plan(fused, target, planning)
    check_plan(plan)
    if planning.tuning is not None:
        require_use(planning.tuning, plan)
    return Lowered(fused, plan, pack_weights(plan, fused))


def quantize(
    graph: Graph,
    images: Mapping[str, Array] | Array,
    *,
    options: QuantizeOptions | None = None,
    progress: Progress | None = None,
) -> Graph:
    """The graph with codes of 8 bits, calibrated on images.

    `images` are a batch of the one input, or batches by the inputs' names: floats as the network
    takes them, or pixels of uint8, which are normalised as its weights expect. Raises InputError
    for images that do not fit, UsageError where nobody says how pixels are normalised, GraphError
    for a network that has codes already, or a state.
    """
    from netgen.quantisation.quantise import quantise

    graph = _loaded(graph)
    batches = calibration_batches(graph, images)
    chosen = QuantizeOptions() if options is None else options
    return quantise(graph, batches, chosen, progress or (lambda _: None)).graph


def calibration_batches(graph: Graph, images: Mapping[str, Array] | Array) -> dict[str, Array]:
    """Batches of floats by the names of inputs; see `quantize`."""
    if not isinstance(images, Mapping):
        if len(graph.inputs) != 1:
            names = ", ".join(node.name for node in graph.inputs)
            raise UsageError("this network has several inputs", expected=f"images by name: {names}")
        images = {graph.inputs[0].name: images}
    return {name: _as_floats(graph, np.asarray(batch)) for name, batch in images.items()}


def _as_floats(graph: Graph, batch: Array) -> Array:
    if batch.dtype != np.uint8:
        return batch
    normalisation = graph.origin.normalisation if graph.origin else None
    if normalisation is None:
        raise UsageError(
            "this network does not say how pixels are normalised",
            hint="normalise the images yourself and pass them as float32",
        )
    return normalise(batch, normalisation)


@takes_plan_options
def emit(
    graph: Graph,
    path: str | PathLike[str],
    *,
    target: str = "generic",
    weights_as: WeightsAs = "c",
    prefix: str | None = None,
    selftest: bool = False,
    footprint: Footprint | None = None,
    labels: str | PathLike[str] | None = None,
    **options: Unpack[PlanKeywords],
) -> list[Path]:
    """Write the C of a graph: `path`, the header beside it, and the weights' files.

    The stem of `path` names the files and opens all public names, unless `prefix` is given, which
    then opens the names. With `selftest` the C can test itself; a `footprint` is what somebody has
    measured of it, which the header then states. `labels` is a file with a label of each element
    of the first output in a line. The other options are those of PlanOptions. Returns the files
    written; raises UsageError where they cannot be, leaving none behind, InputError for labels.
    """
    file = Path(path)
    if file.suffix != ".c":
        raise UsageError(
            "the output must be a C file",
            found=str(file),
            hint="name it like model.c; netgen compile also writes model.so and model.netgen",
        )
    more = (prefix, selftest, footprint, labels)
    files = emitted(graph, file.stem, target, weights_as, _planning(options), *more)
    return write_files(file.parent, files)


def emitted(
    graph: Graph,
    stem: str,
    target: str,
    weights_as: WeightsAs,
    planning: PlanOptions,
    prefix: str | None = None,
    selftest: bool = False,
    footprint: Footprint | None = None,
    labels: str | PathLike[str] | None = None,
) -> dict[str, bytes]:
    """The files that `emit` writes, by their names."""
    resolved = resolve_target(target)
    graph = with_input_type(_loaded(graph), planning)
    more = more_words(footprint, labels, selftest=selftest)
    texts = () if labels is None else _labels(graph, Path(labels))
    names = emit_options(_origin(graph), resolved, stem, prefix, weights_as, planning, more)
    lowered = lower(graph, resolved, planning)
    test = self_test(lowered.plan, lowered.graph) if selftest else None
    return emit_files(lowered.plan, _origin(graph), lowered.packed, names, test, footprint, texts)


@takes_plan_options
def compile(
    graph: Graph,
    *,
    target: str = "native",
    progress: Progress | None = None,
    **options: Unpack[PlanKeywords],
) -> CompiledModel:
    """Compile a graph into a callable, cached by content, compiler and target.

    The options are those of PlanOptions. A model with `input="rows"` can `stream()`, too. With
    `threads` above 1 an image is divided between so many, and a batch by its images. `progress` is
    told when the C compiler runs. Raises BuildError without a compiler, or where the processor
    lacks what the target needs.
    """
    planning, resolved = _planning(options), runnable_target(target)
    graph = with_input_type(_loaded(graph), planning)
    lowered = lower(graph, resolved, planning)
    undivided = None
    if planning.threads > 1:
        alone = lower(graph, resolved, replace(planning, threads=1))
        undivided = build(alone, _origin(graph), progress)
    return build(lowered, _origin(graph), progress, undivided)


@takes_plan_options
def save(
    graph: Graph,
    path: str | PathLike[str],
    *,
    targets: Sequence[str] = ("native",),
    progress: Progress | None = None,
    **options: Unpack[PlanKeywords],
) -> None:
    """Compile a graph into one file, for `netgen.load_compiled`, for each of several targets.

    The file holds a library and packed weights for each, and a machine takes the best that it runs.
    This machine's compiler makes them: targets are of its architecture, or generic. Raises
    UsageError and BuildError.
    """
    from netgen.runtime.saved import save_images

    planning, graph = _planning(options), _loaded(graph)
    graph = with_input_type(graph, planning)
    variants = []
    for target in several_targets(targets):
        made = [planning, replace(planning, threads=1)] if planning.threads > 1 else [planning]
        lowered = [lower(graph, target, each) for each in made]
        variants.append([build_image(each, _origin(graph), progress) for each in lowered])
    save_images(variants, Path(path))


def several_targets(names: Sequence[str]) -> list[Target]:
    """Targets by name, once each, the best first. Raises UsageError, and BuildError for strangers.

    A stranger is a target of other machines than this one.
    """
    from netgen.runtime.cpu import best_first, require_architecture

    if not names:
        raise UsageError("there are no targets", hint="name one: native, say")
    found = best_first(dict.fromkeys(map(resolve_target, names)))
    for target in found:
        require_architecture(target)
    return found


def build(
    lowered: Lowered,
    origin: Origin,
    progress: Progress | None = None,
    undivided: CompiledModel | None = None,
) -> CompiledModel:
    """Compile a planned network into a callable; see `compile`.

    `undivided` is the network compiled for one thread, which runs the images of batches.
    """
    from netgen.runtime.cpu import require_processor

    require_processor(find_target(lowered.plan.target))
    image = build_image(lowered, origin, progress)
    if undivided is not None:
        assert isinstance(image.weights, bytes)
        image = replace(image, weights=undivided.changed_weights(image.weights))
    return CompiledModel(image, undivided)


def build_image(lowered: Lowered, origin: Origin, progress: Progress | None = None) -> ModelImage:
    """Compile a planned network, for whichever processor, into data that holds its weights."""
    from netgen.runtime.build_image import build_image as built

    name, normalisation = lowered.graph.name, origin.normalisation
    return built(lowered.plan, lowered.packed, name, normalisation, progress)


def _loaded(graph: object) -> Graph:
    """The graph itself; raises UsageError for a name, say, that was not loaded."""
    if not isinstance(graph, Graph):
        raise UsageError(
            "this is no graph", found=repr(graph), hint="load the model first: netgen.load(...)"
        )
    return graph


def _planning(options: PlanKeywords) -> PlanOptions:
    """The options of a plan, with the tuning read from its file."""
    given: dict[str, Any] = {**options}
    tuning = options.get("tuning")
    if isinstance(tuning, str | PathLike):
        given["tuning"] = read_tuning(Path(tuning))
    return PlanOptions(**given)


def _origin(graph: Graph) -> Origin:
    return graph.origin or Origin(graph.name)


def _labels(graph: Graph, file: Path) -> list[str]:
    """The labels of the elements of the first output."""
    from netgen.runtime.top import read_labels

    return read_labels(file, graph[graph.outputs[0]].type.elements)
