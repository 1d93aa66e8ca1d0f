"""A person's view of a bench: tables of 80 columns, notes, the chart."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from netgen.bench.chart import bench_chart
from netgen.bench.machine import Machine, name_in_cpuinfo, processor_name, this_machine
from netgen.bench.result import BenchRow
from netgen.bench.table import bench_notes, bench_tables
from netgen.cli.main import main
from netgen.errors import MissingExtraError
from tests.pictures import parse

MACHINE = Machine("A processor of 3 & a half GHz", "gcc 12", "x86-64-v4")
LABEL = "shufflenet_v1 groups=3 input_size=224"
TIMED = BenchRow(
    LABEL, "netgen", 1234.5678, 0.5, 0.45, 0.61, 12345, "0.1.0", 1.2e-6, self_ratio=1.01
)
ROWS = [
    TIMED,
    replace(TIMED, runtime="onnxruntime", version="1.32.0", median_ms=2469.1),
    replace(TIMED, runtime="ncnn", version="1.0.20261020", ratio=1.25, ratio_high=1.5),
    BenchRow(LABEL, "openvino", error="install it with: pip install openvino " + "x" * 200),
]
OTHER = [replace(row, model="other") for row in ROWS[:2]]


def rendered(rows: list[BenchRow]) -> list[str]:
    console = Console(width=80)
    with console.capture() as capture:
        for table in bench_tables(rows):
            console.print(table)
    return capture.get().splitlines()


def test_tables_fit_80_columns_and_cut_nothing() -> None:
    lines = rendered(ROWS)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= 80
    assert "…" not in text
    for shown in (LABEL, "1.0.20261020", "onnxruntime", "2469.100", "0.45-0.61", "12345"):
        assert shown in text
    for heading in ("runtime", "version", "ms", "ratio", "quartiles", "runs", "error"):
        assert heading in text
    # netgen's own row has no ratio, a peer that failed no number at all.
    assert next(line for line in lines if "netgen" in line).split() == [
        "netgen", "0.1.0", "1234.568", "12345",
    ]  # fmt: skip
    assert next(line for line in lines if "openvino" in line).split() == ["openvino", *"------"]


def test_one_table_per_model() -> None:
    assert [table.title for table in bench_tables([*ROWS, *OTHER])] == [LABEL, "other"]


def test_notes_say_what_failed_where_it_ran_and_that_the_machine_was_noisy() -> None:
    failed, meaning, machine = bench_notes(ROWS, MACHINE)
    assert failed == f"openvino: {ROWS[3].error}"
    assert "below 1 netgen is the faster one" in meaning
    assert machine == f"fp32, one thread, one core: {MACHINE}"
    assert str(MACHINE) == "A processor of 3 & a half GHz; gcc 12; target x86-64-v4"
    noisy = [replace(row, noisy=True, self_ratio=1.2) for row in ROWS]
    assert "too noisy" in bench_notes(noisy, MACHINE)[-1]


def texts(svg: str) -> list[str]:
    return [str(item.text) for item in parse(svg).iter() if item.text]


def bars(svg: str) -> dict[str, list[float]]:
    """The lengths of the bars, by colour."""
    found: dict[str, list[float]] = {}
    pattern = r'd="M([\d.]+) \d+ H([\d.]+) V\d+ H[\d.]+ z" fill="(#\w+)"'
    for left, end, colour in re.findall(pattern, svg):
        found.setdefault(colour, []).append(float(end) - float(left))
    return found


def test_chart_draws_every_ratio_to_scale() -> None:
    svg = bench_chart([*ROWS, *OTHER], MACHINE)
    faster, slower = bars(svg).values()
    assert faster == pytest.approx([faster[0]] * 2)
    assert slower == pytest.approx([faster[0] * 1.25 / 0.5], abs=0.2)
    shown = texts(svg)
    assert "onnxruntime 1.32.0" in shown
    assert any(text.startswith(LABEL) and "1234.568 ms" in text for text in shown)
    assert any(text.startswith("0.50   (0.45 to 0.61)") for text in shown)
    assert "no times: see the table" in shown
    assert any(str(MACHINE) in text for text in shown)
    assert "href" not in svg
    assert not any("too noisy" in text for text in shown)
    assert "too noisy" in bench_chart([replace(TIMED, noisy=True, self_ratio=1.2)], MACHINE)


def test_nothing_leaves_the_picture() -> None:
    for high in (0.2, 1.0, 3.7, 250.0):
        rows = [TIMED, replace(ROWS[1], ratio=high * 0.9, ratio_high=high)]
        root = parse(bench_chart(rows, MACHINE))
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        for item in root.iter("{http://www.w3.org/2000/svg}text"):
            assert 0 <= float(item.attrib["x"]) < width
            assert 0 <= float(item.attrib["y"]) < height
        assert max(max(ends) for ends in bars(bench_chart(rows, MACHINE)).values()) < width
        labels = [
            text for text in texts(bench_chart(rows, MACHINE)) if re.fullmatch(r"[\d.]+", text)
        ]
        assert 2 <= len(labels) <= 12


def test_processor_names() -> None:
    assert name_in_cpuinfo("processor : 0\nmodel : 17\nmodel name\t: A : B\nmodel name : C\n") == (
        "A : B"
    )
    assert name_in_cpuinfo("processor : 0\nHardware : x\nModel : A board\n") == "A board"
    assert name_in_cpuinfo("") == ""
    assert processor_name()
    machine = this_machine("generic")
    assert machine.target == "generic"
    assert machine.compiler


@pytest.mark.heavy
def test_command_writes_the_chart_and_names_a_missing_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    chart = tmp_path / "chart.svg"
    arguments = [
        "bench",
        "mobilenet_v1",
        "-p",
        "alpha=0.25",
        "-p",
        "input_size=32",
        "--rounds",
        "1",
    ]
    result = CliRunner().invoke(
        main, [*arguments, "--target", "generic", "--vs", "tflite", "--chart", str(chart)]
    )
    assert result.exit_code == MissingExtraError.exit_code, result.output
    assert "mobilenet_v1 alpha=0.25 input_size=32" in result.stdout
    assert "tflite: timing tflite needs the package ai_edge_litert" in result.stdout
    assert "pip install onnx onnxruntime openvino ai-edge-litert flatbuffers" in result.stdout
    assert "target generic" in result.stdout
    assert "no times: see the table" in texts(chart.read_text())
