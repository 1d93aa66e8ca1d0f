"""Every installed peer that runs codes agrees with the reference but for single codes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from netgen.bench.peers import PEERS, Entry, entries, installed
from netgen.bench.process import WorkerProcess
from netgen.bench.subject import Subject
from netgen.bench.worker import Array, Job
from netgen.compiler import load
from netgen.errors import GraphError, UsageError
from netgen.export.onnx_file import graph_to_onnx
from netgen.ir.graph import Graph
from netgen.ir.interpret import interpret
from netgen.ir.text import parse_graph
from tests.cases import heavy
from tests.frontends.tflite.weighted_models import OPERATORS, weighted_models

OF_CODES = [name for name in installed() if PEERS[name].of_file or PEERS[name].of_codes]


def expected(subject: Subject) -> list[Array]:
    graph = subject.graph
    names = (node.name for node in graph.inputs)
    values = interpret(graph, dict(zip(names, subject.inputs(subject.precision), strict=True)))
    return [values[name] for name in graph.outputs]


def outputs_of(entry: Entry, subject: Subject) -> tuple[Array, ...]:
    payload = entry.form.prepare(subject)
    job = Job(entry.form.load, payload, subject.inputs(entry.precision))
    with closing(WorkerProcess(entry.runtime, job, None)) as process:
        return process.ready.outputs


def coded(name: str, subject: Subject) -> Entry:
    (entry,) = (each for each in entries(name, subject) if each.precision == "int8")
    assert entry.runtime == f"{name} int8"
    return entry


def assert_agrees(name: str, subject: Subject, most: int = 1) -> None:
    for found, codes in zip(
        outputs_of(coded(name, subject), subject), expected(subject), strict=True
    ):
        assert found.dtype.itemsize == 1
        assert len(np.unique(codes)) > 1
        assert np.abs(found.astype(int) - codes).max() <= most


@pytest.mark.parametrize("operator", [OPERATORS[0], *map(heavy, OPERATORS[1:])])
@pytest.mark.parametrize("peer", [name for name in OF_CODES if name != "tflm"])
def test_files_of_one_layer(peer: str, operator: str, tmp_path: Path) -> None:
    file = tmp_path / "layer.tflite"
    judged = 0
    for drawn in weighted_models(operator, seed=3, count=12):
        file.write_bytes(drawn.model.content())
        subject = Subject(load(str(file)), file)
        if len(np.unique(expected(subject)[0])) > 9 and judged < 2:  # most saturate
            assert_agrees(peer, subject)
            judged += 1
    assert judged == 2


MANY = """netgen 1
  graph many {
    %x : i8[1,6,6,4] {scale=0x1p-5, zero=3}      = input
    %z : u8[1,6,6,4] {scale=0x1p-6, zero=119}    = input
    %q : i8[1,6,6,4] {scale=0x1p-6, zero=-9}     = quantize(%z) {scale=0x1p-6, zero=-9}
    %k : i8[1,1,1,4] {scale=0x1p-6, zero=5}      = const {data=@k}
    %w : i8[8,3,3,4] {scale=@s, axis=0}          = const {data=@w}
    %b : i32[8]                                  = const {data=@b}
    %p : i8[1,8,8,4] {scale=0x1p-5, zero=3}      = pad(%x) {pad=1}
    %c : i8[1,6,6,8] {scale=0x1p-3, zero=-128}   =
      conv2d(%p, %w, %b) {scale=0x1p-3, zero=-128, act=relu}
    %m : i8[1,3,3,8] {scale=0x1p-3, zero=-128}   = max_pool2d(%c) {kernel=2, stride=2}
    %a : i8[1,6,6,4] {scale=0x1p-4, zero=10}     = add(%x, %q) {scale=0x1p-4, zero=10}
    %t : i8[1,6,6,4] {scale=0x1p-5, zero=-2}     = mul(%q, %k) {scale=0x1p-5, zero=-2}
    %s : i8[1,6,6,4] {scale=0x1p-8, zero=-128}   = sigmoid(%t) {scale=0x1p-8, zero=-128}
    %g : i8[1,1,1,4] {scale=0x1p-8, zero=-128}   = global_avg_pool(%s)
    return %m, %a, %g
  }"""


def many() -> Graph:
    draw = np.random.default_rng(1)
    return parse_graph(MANY)[0].with_constants({
        "k": np.array([60, -60, 5, 127], np.int8).reshape(1, 1, 1, 4),
        "w": draw.integers(-127, 128, (8, 3, 3, 4)).astype(np.int8),
        "s": (2.0 ** draw.integers(-9, -5, 8)).astype(np.float32),
        "b": draw.integers(-3000, 3000, 8).astype(np.int32),
    })  # fmt: skip


if "onnxruntime" in OF_CODES:

    def test_onnxruntime_on_many_operators() -> None:
        assert_agrees("onnxruntime", Subject(many()))

    def test_onnxruntime_makes_operators_of_integers(tmp_path: Path) -> None:
        import onnx
        import onnxruntime

        subject = Subject(many())
        payload = coded("onnxruntime", subject).form.prepare(subject)
        assert isinstance(payload, tuple)
        content, signed = payload
        assert signed == (True, True, True)
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        kinds = {node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node}
        assert {"QLinearConv", "QLinearAdd", "QLinearMul", "QLinearSigmoid"} <= kinds
        assert kinds.isdisjoint({"Conv", "Add", "Mul", "Sigmoid"})

    def test_codes_that_onnxruntime_has_no_operators_for() -> None:
        graph = parse_graph("""netgen 1
          graph wide {
            %x : i16[1,4,4,2] {scale=0x1p-9} = input
            %y : i16[1,2,2,2] {scale=0x1p-9} = max_pool2d(%x) {kernel=2, stride=2}
            return %y
          }""")[0]
        with pytest.raises(GraphError, match=r"%x: ONNX Runtime is timed on codes of 8 bits"):
            coded("onnxruntime", Subject(graph)).form.prepare(Subject(graph))


@pytest.mark.parametrize("peer", [name for name in OF_CODES if PEERS[name].prepare])
def test_the_float_twin_is_what_peers_of_floats_run(peer: str) -> None:
    subject = Subject(many())
    entry = entries(peer, subject)[0]
    assert (entry.runtime, entry.precision) == (f"{peer} fp32", "fp32")
    names = (node.name for node in subject.graph.inputs)
    values = interpret(subject.floats, dict(zip(names, subject.inputs("fp32"), strict=True)))
    for found, name in zip(outputs_of(entry, subject), subject.graph.outputs, strict=True):
        assert np.abs(found - values[name]).max() <= 2e-5 * np.abs(values[name]).max()


def test_codes_have_no_form_in_onnx_of_floats() -> None:
    with pytest.raises(GraphError, match="codes cannot be exported to ONNX"):
        graph_to_onnx(many())


if {"tflm", "tflite"} <= set(OF_CODES):

    def test_files_that_litert_refuses_go_to_tflm(shared_data: Path) -> None:
        file = shared_data / "person_detect" / "person_detect.tflite"
        subject = Subject(load(str(file)), file)
        with pytest.raises(GraphError, match=r"LiteRT does not run this file: quantized_dim"):
            coded("tflite", subject).form.prepare(subject)
        assert_agrees("tflm", subject, most=0)

    def test_files_that_litert_runs_do_not(tmp_path: Path) -> None:
        file = tmp_path / "layer.tflite"
        (drawn,) = weighted_models("CONV_2D", seed=3, count=1)
        file.write_bytes(drawn.model.content())
        subject = Subject(load(str(file)), file)
        with pytest.raises(UsageError, match="tflm is timed only on files that LiteRT refuses"):
            coded("tflm", subject).form.prepare(subject)
