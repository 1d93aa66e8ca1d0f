"""A compiled model as a Python callable."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netgen.errors import UsageError
from netgen.runtime import cache
from netgen.runtime.build import CHook, Library, ModelInstance
from netgen.runtime.fits import Needs, require_machine
from netgen.runtime.inputs import Array, checked_array, checked_batches
from netgen.runtime.interface import Interface
from netgen.runtime.layouts import Layout, channels_first_view
from netgen.runtime.model_html import model_html
from netgen.runtime.model_image import ChangedWeights, ModelImage, ModelPort, WeightsFile
from netgen.runtime.photos import normalise
from netgen.runtime.raw_run import RawRun
from netgen.runtime.saved import load_images, save_images
from netgen.runtime.shares import run_shares
from netgen.runtime.step_times import StepTimes, step_times
from netgen.runtime.stream import Stream
from netgen.runtime.weights import differing, keep_weights, map_weights, share_weights


class CompiledModel:
    """Runs a compiled network on images; safe to call from several threads at once.

    `model(images)` takes (H, W, C) or (N, H, W, C), any strides, and returns (classes,) or
    (N, classes). With `layout="NCHW"` images, and results of three axes, have channels first.
    Arrays of other libraries are read where they lie (DLPack). Several inputs are several
    arguments, several outputs give a tuple. Elements are those of the ports, float32 or codes.

    Compiled for several threads, an image is divided between
    them; of a batch each thread runs images of its own with `undivided`, the same network compiled
    for one thread, since what is planned for several is slower with one. Each call borrows an
    instance with its own arena (there are as many as calls ran at once); weights are mapped from
    one file that all processes share. Pickles carry library and weights.

    Where the network has a state, a call begins with what that is before the first run, and the
    images of a batch follow each other as runs of one stream. `stream()` gives a stream that keeps
    its state from call to call.

    Raises BuildError when constructed or unpickled where the library cannot run: another system, a
    processor without the features of its target, a weights file that is missing or damaged.
    """

    def __init__(self, image: ModelImage, undivided: CompiledModel | None = None) -> None:
        needs = Needs(image.target, image.cpu_features, image.platform)
        require_machine(needs, f"compiled model {image.prefix}")
        self._undivided = undivided
        self._library = Library(
            cache.store_object(image.shared_object, ".so"),
            image.prefix,
            Interface(
                len(image.inputs),
                len(image.outputs),
                image.input_as,
                image.model_bytes,
                image.fast_bytes,
                image.threads,
                image.state_bytes > 0,
            ),
            dict(image.error_names),
        )
        kept = keep_weights(image.weights)
        # The mapping is all that is needed of them from now on.
        self._image = dataclasses.replace(image, weights=kept)
        self._weights = map_weights(kept)
        # Taking from and adding to a deque is atomic: no lock that a fork could find locked.
        self._idle: deque[ModelInstance] = deque()

    @property
    def image(self) -> ModelImage:
        """The data that this model was made of."""
        return self._image

    @property
    def stateful(self) -> bool:
        """Whether a run leaves something for the next one of its stream."""
        return self._image.state_bytes > 0

    @property
    def inputs(self) -> tuple[ModelPort, ...]:
        """Inputs in the order of the arguments."""
        return self._image.inputs

    @property
    def outputs(self) -> tuple[ModelPort, ...]:
        """Outputs in the order of the results."""
        return self._image.outputs

    def __call__(self, *inputs: object, layout: Layout = "NHWC") -> Array | tuple[Array, ...]:
        """Run on one image or a batch; see the class. Raises InputError, BuildError."""
        results = self.run(*inputs, layout=layout)
        return results[0] if len(results) == 1 else results

    def run(self, *inputs: object, layout: Layout = "NHWC") -> tuple[Array, ...]:
        """Run images like a call, but always return a tuple with one array per output."""
        batches, single = checked_batches(inputs, self.inputs, layout)
        count = len(batches[0])
        results = self.new_results(count)
        each, undivided = count // self._image.threads, self._undivided
        done = 0
        if each and undivided is not None and not self.stateful:
            done = each * self._image.threads
            shares = [range(first, first + each) for first in range(0, done, each)]
            run_shares(lambda share: undivided.run_share(batches, results, share), shares)
        # Those that are left are too few for every thread to have one.
        self.run_share(batches, results, range(done, count))
        shown = [result if layout == "NHWC" else channels_first_view(result) for result in results]
        return tuple(result[0] if single else result for result in shown)

    def run_with_hook(
        self,
        *inputs: object,
        hook: Callable[[int, Array], bool | None],
        results: Sequence[Array] | None = None,
    ) -> tuple[Array, ...] | None:
        """Run on one image, calling `hook(step, arena)` after each step of the C.

        `arena` is the instance's working memory as bytes, live: what a step wrote may be
        overwritten by a later one. `results` are arrays of `new_results(1)` that the C writes to,
        for a hook that looks at them. A hook that returns true ends the run, and the result is
        None; its exceptions end the run and are raised here. Raises InputError, BuildError.
        """
        return self.runs_with_hook(hook)(*inputs, results=results)

    def runs_with_hook(
        self, hook: Callable[[int, Array], bool | None]
    ) -> Callable[..., tuple[Array, ...] | None]:
        """The same as a function of images and `results`, whose calls are runs of one stream."""
        arena = self._new_arena()
        instance = self._library.new_instance(
            arena, self._weights, lambda step: bool(hook(step, arena))
        )

        def run(
            *inputs: object, results: Sequence[Array] | None = None
        ) -> tuple[Array, ...] | None:
            batches, single = checked_batches(inputs, self.inputs)
            if not single:
                found = f"{len(batches[0])} images"
                raise UsageError("a run with a hook takes one image", found=found)
            results = self.new_results(1) if results is None else results
            finished = self._run_one(instance, batches, results, 0)
            return tuple(result[0] for result in results) if finished else None

        return run

    def raw_run(self, *inputs: object, hook: CHook) -> RawRun:
        """The pointers for C that runs one image by itself, repeatedly, in an arena of its own.

        Raises InputError; UsageError if the model does not take one image from the caller's memory.
        """
        batches, single = checked_batches(inputs, self.inputs)
        if not single or self._image.input_as == "arena":
            raise UsageError("a raw run takes one image from the caller's memory")
        instance = self._library.new_instance(self._new_arena(), self._weights, hook)
        images = [np.require(batch[0], requirements=["C", "A"]) for batch in batches]
        results = tuple(result[0, ...] for result in self.new_results(1))
        return RawRun(
            *instance.addresses(),
            tuple(array.ctypes.data for array in (*images, *results)),
            results,
            (instance, images),
        )

    def profile(self, *inputs: object, rounds: int = 20) -> StepTimes:
        """Time each step on one image, by default zeros, and keep the least time of the rounds.

        Raises InputError; UsageError where the model cannot be run so.
        """
        images = inputs or [np.zeros(port.shape, port.dtype) for port in self.inputs]
        return step_times(self.runs_with_hook, images, self._image.steps, rounds)

    def stream(self) -> Stream:
        """Runs that follow each other, or images whose rows are pushed as they arrive; see Stream.

        Raises UsageError where the model has no state, and was not compiled for rows.
        """
        rows = self._image.input_as == "rows"
        if not rows and not self.stateful:
            raise UsageError(
                "this model takes whole images, and has no state",
                where=repr(self),
                hint='compile it with input="rows" to push rows',
            )
        return Stream(self, rows=rows)

    def preprocess(self, images: object) -> Array:
        """8-bit images of the first input's shape, or a batch, as the weights expect them, float32.

        Computes (x / 255 - mean) / std per channel in float64 and rounds once. Raises InputError
        for other dtypes and shapes, UsageError if the model does not say what it expects.
        """
        if self.inputs[0].dtype != "float32":
            raise UsageError(
                "only float32 inputs are normalised",
                where=f"input '{self.inputs[0].name}'",
                found=self.inputs[0].dtype,
                hint=f"give images of {self.inputs[0].dtype} to the model itself",
            )
        if self._image.normalisation is None:
            raise UsageError(
                "this model does not declare a normalisation",
                hint="normalise the images yourself and pass them as float32",
            )
        pixels = checked_array(images, self.inputs[0], "uint8")
        return normalise(pixels, self._image.normalisation)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model into one file, for `netgen.load_compiled`: sooner there than a pickle.

        Raises UsageError where it cannot be written.
        """
        save_images([self.images()], Path(path))

    def __reduce__(self) -> tuple[Callable[..., CompiledModel], tuple[ModelImage, ...]]:
        # The images share their weights, of which a pickle holds one object once.
        return _from_images, tuple(share_weights(self.images()))

    def __copy__(self) -> CompiledModel:
        return CompiledModel(self._image, self._undivided)

    def __deepcopy__(self, _memo: object) -> CompiledModel:
        return self.__copy__()  # an image never changes, so copies may share it

    def __repr__(self) -> str:
        ports = ", ".join(f"{port.name} {port.shape}" for port in (*self.inputs, *self.outputs))
        return f"<CompiledModel {self._image.prefix} for {self._image.target}: {ports}>"

    def _repr_html_(self) -> str:
        return model_html(self._image)

    def images(self) -> list[ModelImage]:
        """The model itself, and the one for batches if there is one, with their weights inside."""
        parts = [self] if self._undivided is None else [self, self._undivided]
        return [part.with_weights() for part in parts]

    def with_weights(self) -> ModelImage:
        """The image with its weights inside."""
        return dataclasses.replace(self._image, weights=self._weights.tobytes())

    def changed_weights(self, blob: bytes) -> bytes | ChangedWeights:
        """A blob as what it changes of this model's own, of one thread; itself where it is much."""
        base = self._image.weights
        assert isinstance(base, WeightsFile)
        stretches = differing(blob, self._weights)
        return blob if stretches is None else ChangedWeights(base, stretches)

    def run_share(self, batches: Sequence[Array], results: Sequence[Array], share: range) -> None:
        """Run images of a batch one after the other."""
        instance = self.borrow()
        for index in share:
            self._run_one(instance, batches, results, index)
        # After an exception the instance is dropped instead, whatever state it is in.
        self.give_back(instance)

    def run_on(self, instance: ModelInstance, *inputs: object) -> tuple[Array, ...]:
        """Run images one after the other on a borrowed instance, as `run` does."""
        batches, single = checked_batches(inputs, self.inputs)
        results = self.new_results(len(batches[0]))
        for index in range(len(batches[0])):
            self._run_one(instance, batches, results, index)
        return tuple(result[0] if single else result for result in results)

    def _run_one(
        self,
        instance: ModelInstance,
        batches: Sequence[Array],
        results: Sequence[Array],
        index: int,
    ) -> bool:
        outputs = [result[index, ...] for result in results]
        if self._image.input_as == "arena":
            for place, port, batch in zip(
                instance.input_places(), self.inputs, batches, strict=True
            ):
                written = instance.arena[place : place + port.bytes].view(port.dtype)
                written.reshape(port.shape)[...] = batch[index]
            return instance.run([output.ctypes.data for output in outputs])
        # Only an image that is not contiguous, or not aligned for the C, is copied.
        images = [np.require(batch[index], requirements=["C", "A"]) for batch in batches]
        return instance.run([array.ctypes.data for array in (*images, *outputs)])

    def new_results(self, count: int) -> list[Array]:
        """Memory for the outputs of so many images, one array per output."""
        return [np.empty((count, *port.shape), port.dtype) for port in self.outputs]

    def borrow(self) -> ModelInstance:
        """An instance that nobody else uses, at the beginning of a stream."""
        try:
            instance = self._idle.pop()
        except IndexError:
            return self._library.new_instance(self._new_arena(), self._weights)
        instance.reset()
        return instance

    def give_back(self, instance: ModelInstance) -> None:
        """Let others use a borrowed instance."""
        self._idle.append(instance)

    def _new_arena(self) -> NDArray[np.uint8]:
        """Exactly `arena_bytes`, aligned, so that a model that needs more fails at once."""
        alignment = self._image.arena_alignment
        memory = np.empty(self._image.arena_bytes + alignment, np.uint8)
        start = -memory.ctypes.data % alignment
        return memory[start : start + self._image.arena_bytes]


def load_compiled(path: str | PathLike[str]) -> CompiledModel:
    """The model that `CompiledModel.save` wrote: no compiler, no planning, its weights mapped.

    Of a file for several processors it is the best that this one runs.
    The file holds machine code: load only what you trust. Its weights are read when they are
    needed, so it must stay as it is while the model lives. Raises BuildError as the class does, and
    where the file cannot be read, is something else, or is damaged.
    """
    return _from_images(*load_images(Path(path)))


def _from_images(image: ModelImage, undivided: ModelImage | None = None) -> CompiledModel:
    return CompiledModel(image, None if undivided is None else CompiledModel(undivided))
