"""Times of alternatives in interleaved rounds: what slows one down for a while slows down all."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np

from netgen.ir.tensor_type import Array
from netgen.tune.candidates import TimedCalls

# Seconds of one measurement: long enough for the clock, short enough for many rounds.
_SLICE = 4e-4


def round_times(call: TimedCalls, which: Sequence[int], rounds: int) -> Array:
    """[rounds, alternatives]: seconds of one call of each of `which`, in rounds.

    Each is called once before, so that code and activations are near; rounds go forwards and
    backwards, so that none always follows the same neighbour.
    """
    repeats = {number: _repeats(call, number) for number in which}
    seconds = np.empty((rounds, len(which)))
    for done in range(rounds):
        order = range(len(which)) if done % 2 else range(len(which) - 1, -1, -1)
        for place in order:
            number = which[place]
            start = perf_counter()
            call(number, repeats[number])
            seconds[done, place] = (perf_counter() - start) / repeats[number]
    return seconds


def _repeats(call: TimedCalls, number: int) -> int:
    call(number, 1)
    start = perf_counter()
    call(number, 1)
    return max(1, int(_SLICE / max(perf_counter() - start, 1e-7)))


def ratios(seconds: Array) -> Array:
    """The time of each alternative as a part of the first one's: medians over the rounds."""
    medians: Array = np.median(seconds / seconds[:, :1], axis=0)
    return medians
