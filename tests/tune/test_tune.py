"""The measured search: what it times, what it keeps, what it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

import netgen.tune.search
from netgen.bench.limits import Probe
from netgen.compiler import compile as compile_graph
from netgen.compiler import lower
from netgen.errors import BuildError
from netgen.ir.tensor_type import ELEMENTS, Quantisation, TensorType
from netgen.ir.text import parse_graph
from netgen.kernels.conversions.quantize import QuantizeKernel
from netgen.kernels.layer import Layer
from netgen.kernels.targets import find_target
from netgen.kernels.tiles import Tile
from netgen.kernels.tiling import TileCycles
from netgen.ops.quantize import Quantize
from netgen.plan.data.options import PlanOptions
from netgen.plan.data.tuning import Tuning
from netgen.runtime import cpu
from netgen.runtime.compilers import find_compiler
from netgen.runtime.cpu import native_target
from netgen.tune.candidates import (
    Case,
    TimedCalls,
    _memory,
    candidates_source,
    load_candidates,
)
from netgen.tune.fit import Sample, fit_cycles, rank
from netgen.tune.search import case_of, distinct_cases, fastest, tune
from tests.plan.small_graphs import built

Clock = Callable[[Sequence[float]], TimedCalls]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Makes calls that take so many seconds each, on a clock that only they advance."""
    now = [0.0]
    monkeypatch.setattr("netgen.tune.timing.perf_counter", lambda: now[0])

    def calls(seconds: Sequence[float]) -> TimedCalls:
        def call(which: int, repeats: int) -> None:
            now[0] += seconds[which] * repeats

        return call

    return calls


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([1e-4, 2e-4, 9e-5], (2, 0.9)),
        ([1e-4, 9.8e-5, 1.5e-4], (0, 1.0)),
        ([1e-4], (0, 1.0)),
        ([3e-2, 3e-2, 2e-2, 1e-2, 1.5e-2], (3, 1 / 3)),
    ],
)
def test_the_fastest_wins_by_more_than_noise(
    seconds: list[float], expected: tuple[int, float], clock: Clock
) -> None:
    best, own, ratio = fastest(clock(seconds), len(seconds))
    assert best == expected[0]
    assert own == pytest.approx(seconds[0], rel=1e-3)
    assert ratio == pytest.approx(expected[1], rel=1e-3)


def test_who_wins_once_by_luck_does_not_win(clock: Clock) -> None:
    calls, spent = clock([1e-4, 1e-4]), [0]

    def lucky(which: int, repeats: int) -> None:
        spent[0] += 1
        calls(which, repeats)
        if which == 0 and spent[0] < 20:
            calls(which, repeats)

    assert fastest(lucky, 2)[0] == 0


@pytest.mark.filterwarnings("ignore::netgen.errors.NetgenNote")  # where no layer was faster
def test_tuning_a_network_keeps_its_results() -> None:
    graph = built("ds_cnn")
    target = native_target()
    told: list[str] = []
    result = tune(graph, target, find_compiler(), most=2, progress=told.append)
    plan = lower(graph, target).plan
    cases = distinct_cases(plan, target)
    assert [layer.key for layer in result.layers] == [*cases]
    assert sum(layer.steps for layer in result.layers) == sum(map(len, cases.values()))
    assert len(told) == len(cases) + 1
    assert result.rejected or result.tuned_seconds <= result.own_seconds
    for layer in result.layers:
        case = case_of(plan, cases[layer.key][0])
        assert layer.best in case.kernel.choices(case.layer, target)[:2]
        assert 0 < layer.best_seconds <= layer.own_seconds < 1
    # What won, and then whatever differs from the kernels' own: the bits stay.
    found = [result.tuning.choices, {layer.key: layer.best for layer in result.layers}]
    image = np.random.default_rng(1).standard_normal(graph.inputs[0].type.shape[1:])
    image = image.astype(np.float32)
    own = compile_graph(graph)(image)
    for choices in found:
        tuned = compile_graph(graph, tuning=Tuning(target.name, choices))(image)
        np.testing.assert_array_equal(tuned, own)


def test_candidates_read_and_write_the_elements_of_their_layer() -> None:
    x, y = TensorType("f32", (1, 3, 5, 7)), TensorType("i8", (1, 3, 5, 7), Quantisation(0.5))
    case = Case(QuantizeKernel(), Layer(Quantize(0.5), {"x": x}, y), ("x",))
    source = candidates_source(case, [{}], native_target())
    assert "tune_0((const float *)x, (int8_t *)y)" in source
    load_candidates(case, [{}], native_target(), find_compiler())(0, 2)


@pytest.mark.parametrize("dtype", ELEMENTS)
def test_memory_of_candidates_is_full_and_aligned(dtype: str) -> None:
    element, array = ELEMENTS[dtype], _memory(dtype, 96)
    assert array.dtype == element.storage
    assert array.nbytes == 96
    assert array.ctypes.data % 64 == 0
    assert len(set(array.tolist())) >= 20
    if element.is_float:
        assert (array != 0).all()


def test_codes_are_given_to_a_network_that_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = parse_graph("""netgen 1
      graph codes {
        %image : i8[1,1,1,64] {scale=0x1p-5, zero=-5} = input
        %w     : f32[64,64] = const {data=@w}
        %real  : f32[1,1,1,64] = dequantize(%image)
        %flat  : f32[1,64] = reshape(%real) {shape=(1,64)}
        %y     : f32[1,64] = linear(%flat, %w)
        return %y
      }""")[0].with_constants({"w": np.eye(64, dtype=np.float32)})
    monkeypatch.setattr(netgen.tune.search, "fastest", lambda _, count: (count - 1, 2e-6, 0.5))
    monkeypatch.setattr(netgen.tune.search, "_ROUNDS_OF_NETWORKS", 1)
    result = tune(graph, find_target("generic"), find_compiler(), most=2, path="of/mine.json")
    assert result.own_seconds > 0
    assert result.rejected or len(result.tuning.choices) == 1
    assert result.tuning.path == "of/mine.json"


@pytest.mark.heavy
def test_a_tuning_that_does_not_help_the_network_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = built("mobilenet_v1", alpha=0.25, input_size=32, classes=10)
    target = find_target("generic")
    monkeypatch.setattr(netgen.tune.search, "fastest", lambda _, count: (count - 1, 2e-6, 0.5))
    monkeypatch.setattr(netgen.tune.search, "_compare", lambda *_: (1e-3, 1.1e-3))
    result = tune(graph, target, find_compiler(), most=2)
    assert result.rejected
    assert result.tuning.choices == {}
    assert (result.own_seconds, result.tuned_seconds) == (1e-3, 1e-3)


@pytest.mark.parametrize("memory", [PlanOptions(), PlanOptions(input="rows", accept_gap=True)])
def test_every_layer_of_a_network_can_be_timed_alone(memory: PlanOptions) -> None:
    """Also bands, whose rows stand in rings, and operands in runs of channels."""
    graph = built("shufflenet_v2", scale=0.5, input_size=32, classes=10)
    target = native_target()
    plan = lower(graph, target, memory).plan
    cases = distinct_cases(plan, target)
    for steps in [*cases.values()][::16]:
        case = case_of(plan, steps[0])
        choices = case.kernel.choices(case.layer, target)[:2]
        call = load_candidates(case, choices, target, find_compiler())
        for which in range(len(choices)):
            call(which, 3)


def test_nothing_is_timed_that_this_processor_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = built("mobilenet_v1", alpha=0.25, input_size=32, classes=10)
    target = find_target("x86-64-v4")
    monkeypatch.setattr(cpu, "cpu_features", frozenset)
    with pytest.raises(BuildError, match=r"lacks .*avx512f.*, which target x86-64-v4 needs"):
        tune(graph, target, find_compiler())
    with pytest.raises(BuildError, match=r"lacks .*avx512f.*, which target x86-64-v4 needs"):
        Probe(target, 2)


def synthetic(truth: TileCycles, seed: int) -> list[Sample]:
    """Samples whose times follow the model, but for a percent."""
    target = find_target("x86-64-v4").with_cycles(truth)
    draw = np.random.default_rng(seed)
    tiles = (Tile(14, 2), Tile(8, 3), Tile(6, 4), Tile(7, 2), Tile(14, 1), Tile(4, 4))
    samples = []
    for _ in range(30):
        pixels, outputs, inputs = (int(n) for n in draw.integers(9, 400, 3))
        blank = Sample("", 1, pixels, outputs, inputs, 1, tiles, np.zeros((4, 6)))
        cycles = np.array([blank.cost(target)(tile) for tile in tiles])
        noise = 1 + 0.01 * draw.standard_normal((4, len(tiles)))
        samples.append(replace(blank, seconds=cycles / 2.5e9 * noise))
    return samples


def test_the_fit_finds_the_constants_of_a_machine_that_follows_the_model() -> None:
    truth = TileCycles(0.8, 3.0, 20.0)
    target = find_target("x86-64-v4")
    found, gigahertz = fit_cycles(synthetic(truth, 0), target)
    assert gigahertz == pytest.approx(2.5, rel=0.02)
    assert found.weights == pytest.approx(truth.weights, abs=0.1)
    assert found.store == pytest.approx(truth.store, abs=0.6)
    assert found.tile == pytest.approx(truth.tile, abs=8)
    unseen = synthetic(truth, 1)
    fitted = rank(unseen, target.with_cycles(found))
    wrong = rank(unseen, target.with_cycles(TileCycles(0.0, 0.0, 500.0)))
    assert fitted.regret < min(0.01, wrong.regret)
    assert wrong.tau < 0.5
    assert fitted.tau > 0.8
