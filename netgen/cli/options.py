"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from netgen.cli import values as cli_values
from netgen.cli.completion import complete_model
from netgen.cli.planning import planning_option

# Where the context keeps these, so that not every command has to hand them on.
BY_POSITION = "netgen.by_position"
INPUT_SHAPES = "netgen.input_shapes"
OUTPUTS = "netgen.outputs"

Command = TypeVar("Command", bound=Callable[..., Any])


def model_options(command: Command) -> Command:
    """The parameters and the weights of a model."""
    parameters = click.option(
        "-p",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        callback=cli_values.read_parameters,
        help="Parameter of the model, for example alpha=0.35.",
    )
    weights = click.option("--weights", type=click.Path(path_type=Path), help="Weight file.")
    by_position = click.option(
        "--by-position",
        is_flag=True,
        expose_value=False,
        callback=lambda context, _, value: context.meta.update({BY_POSITION: value}),
        help="Take the layers of a .pth or .npz file in their order, whatever their names.",
    )
    input_shape = click.option(
        "--input-shape",
        multiple=True,
        expose_value=False,
        metavar="INPUT=N,N,...",
        callback=lambda context, option, given: context.meta.update(
            {INPUT_SHAPES: cli_values.read_shapes(context, option, given)}
        ),
        help="Shape of an input of an .onnx file whose axes are open: x=1,3,96,96.",
    )
    outputs = click.option(
        "--outputs",
        metavar="NAMES",
        expose_value=False,
        callback=lambda context, _, value: context.meta.update({OUTPUTS: value}),
        help="Tensors of a .tflite file, by commas: the network ends there.",
    )
    return parameters(weights(by_position(input_shape(outputs(command)))))


def model_arguments(command: Command) -> Command:
    """MODEL, its parameters and its weights."""
    return click.argument("model", shell_complete=complete_model)(model_options(command))


target_option = click.option(
    "--target", default="native", show_default=True, help="Processor class, or native."
)
as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON and nothing else."
)

board_option = click.option(
    "--board",
    metavar="NAME",
    help="Run it on this emulated board, mps2-an386 say: instructions, not time.",
)


def show_options(command: Command) -> Command:
    """Options of `netgen show`: the stage and the form."""
    return with_options(
        command,
        click.option(
            "--stage",
            type=click.Choice(["source", "fused", "plan"]),
            default="source",
            show_default=True,
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(["table", "text", "dot", "svg"]),
            default="table",
            show_default=True,
        ),
        click.option("--target", default="generic", show_default=True, help="Target of the plan."),
    )


def compile_options(command: Command) -> Command:
    """Options of `netgen compile`: the files to write, and the processor."""
    return with_options(
        command,
        click.option(
            "-o",
            "output",
            type=click.Path(path_type=Path),
            required=True,
            help="The C file.",
        ),
        click.option("--target", default="generic", show_default=True, help="Processor class."),
        click.option(
            "--weights-as",
            type=click.Choice(["c", "inline", "incbin", "blob"]),
            default="c",
            show_default=True,
            help="A second C file, in the one file, assembled from a binary, a blob.",
        ),
        click.option(
            "--prefix", help="Opens all public names, none of files; by default the stem of -o."
        ),
        click.option("--verify", is_flag=True, help="Compile and run it here against NumPy first."),
    )


def firmware_options(command: Command) -> Command:
    """Options of `netgen compile` for firmware: what the C can do and may take, and its build."""
    return with_options(
        command,
        click.option(
            "--selftest", is_flag=True, help="Add a function that tests the C on its own board."
        ),
        click.option(
            "--labels",
            type=click.Path(path_type=Path),
            help="One label per line: a table of them in the C, and a function for the best.",
        ),
        click.option(
            "--measure",
            metavar="BOARD",
            help="Compile the C for a board, and state code and stack in the header.",
        ),
        click.option(
            "--max-arena",
            callback=cli_values.read_bytes,
            metavar="BYTES",
            help="More is an error, exit code 10.",
        ),
        click.option(
            "--max-flash",
            callback=cli_values.read_bytes,
            metavar="BYTES",
            help="Of weights and code, with --measure: likewise.",
        ),
        click.option(
            "--depfile",
            type=click.Path(path_type=Path),
            help="Write a rule of make: the C file, and the files that it depends on.",
        ),
    )


def photo_options(command: Command) -> Command:
    """Options for photos: cropping, resizing and normalisation, and the labels of outputs."""
    return with_options(
        picture_options(command),
        click.option("--labels", type=click.Path(path_type=Path), help="One label per line."),
        click.option("--top", default=5, show_default=True, type=click.IntRange(min=1)),
    )


def picture_options(command: Command) -> Command:
    """Options for photos as inputs: cropping, resizing and normalisation."""
    filters = click.Choice(["nearest", "bilinear", "bicubic", "lanczos"])
    return with_options(
        command,
        click.option(
            "--resize",
            type=click.IntRange(min=1),
            help="Shorter side before the crop [default: input size].",
        ),
        click.option("--no-crop", is_flag=True, help="Squeeze the whole photo instead."),
        click.option("--interpolation", default="bilinear", show_default=True, type=filters),
        click.option(
            "--mean",
            callback=cli_values.read_numbers,
            help="Per channel, 0..1, for example 0.5,0.5,0.5.",
        ),
        click.option("--std", callback=cli_values.read_numbers, help="Per channel, 0..1."),
    )


def plan_options(command: Command) -> Command:
    """Options of `netgen plan`: the processor, and the files to write and to check."""
    file = click.Path(path_type=Path)
    return with_options(
        command,
        click.option("--target", default="generic", show_default=True, help="Processor class."),
        click.option("-o", "output", type=file, help="Write the plan: NAME.svg is its memory map."),
        click.option("--check", "checked", type=file, help="Check a plan's JSON."),
        click.option(
            "--pareto",
            "curve",
            is_flag=True,
            help="Plans from the fastest to the smallest arena; -o writes .svg or .json.",
        ),
        click.option("--csv", "buffers", type=file, help="Place bare buffers; -o writes a CSV."),
        click.option(
            "--capacity",
            callback=cli_values.read_bytes,
            metavar="BYTES",
            help="With --csv: enough, if met.",
        ),
    )


def report_options(command: Command) -> Command:
    """Options of `netgen report`: the page, the processor, whether steps are timed."""
    file = click.Path(path_type=Path)
    return with_options(
        command,
        click.option("-o", "output", type=file, required=True, help="The page: NAME.html."),
        click.option("--target", default="generic", show_default=True, help="Processor class."),
        click.option(
            "--measure", is_flag=True, help="Compile and run it here; add the time of each step."
        ),
    )


def tune_options(command: Command) -> Command:
    """Options of `netgen tune`: the file to write, and the extent of the search."""
    return with_options(
        command,
        click.option(
            "-o", "output", type=click.Path(path_type=Path), required=True, help="tuning.json"
        ),
        click.option(
            "--most",
            default=8,
            show_default=True,
            type=click.IntRange(min=2),
            help="Choices of each layer to time, the best estimated first.",
        ),
    )


def quantize_options(command: Command) -> Command:
    """Options of `netgen quantize`: the images, the steps, the files to write."""
    file = click.Path(path_type=Path)
    observers = click.Choice(["search", "minmax", "percentile", "mse"])
    return with_options(
        command,
        click.option(
            "--calibrate", "images", type=file, required=True, help="A folder of photos, or .npz."
        ),
        click.option("-o", "output", type=file, required=True, help="model.ir"),
        click.option("--observer", type=observers, default="search", show_default=True),
        click.option("--equalise/--no-equalise", default=True, help="Scale channels alike."),
        click.option("--correct-bias/--no-correct-bias", default=True, help="Keep means."),
        click.option("--round-weights/--no-round-weights", default=True, help="Up or down."),
        click.option(
            "--keep-float", multiple=True, metavar="LAYER", help="A layer, or a scope of them."
        ),
        click.option(
            "--ports", type=click.Choice(["float", "codes"]), default="float", show_default=True
        ),
        click.option(
            "--gains/--no-gains",
            "judge_steps",
            default=True,
            help="Judge each step, leave out what makes it worse.",
        ),
        click.option(
            "--threshold", default=15.0, show_default=True, help="Name layers below it, in dB."
        ),
        click.option("--report", "page", type=file, help="Write the report as a page: NAME.html."),
    )


def bench_options(command: Command) -> Command:
    """Against whom to measure, and for how long."""
    return with_options(
        command,
        click.option(
            "--vs",
            help="Peers, by commas: onnxruntime, openvino, ncnn, tflite, torch, tflm "
            "[default: onnxruntime, of .tflite files tflite; with --table all that fit].",
        ),
        click.option(
            "--table", metavar="NAME", help="All networks of a published table: fp32, int8."
        ),
        click.option(
            "--models",
            "folder",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="Where the files of --table int8 are, at any depth.",
        ),
        click.option(
            "--profile", "profiled", is_flag=True, help="Each step beside what bounds it; no peers."
        ),
        click.option("--rounds", default=50, show_default=True, type=click.IntRange(min=1)),
        planning_option("threads", "Of every runtime, each on a core of its own."),
        click.option(
            "--format",
            "form",
            type=click.Choice(["text", "markdown"]),
            default="text",
            show_default=True,
            help="As markdown: one line per model.",
        ),
        click.option(
            "--chart",
            type=click.Path(path_type=Path, dir_okay=False, writable=True),
            help="Draw the ratios into an SVG file.",
        ),
    )


def with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    """Add options, in the order in which the help lists them."""
    for option in reversed(options):
        command = option(command)
    return command
