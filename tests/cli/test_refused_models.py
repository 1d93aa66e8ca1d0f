"""Models, parameters, targets and options that cannot be: one line, a way out, no file."""

from __future__ import annotations

from pathlib import Path

import pytest

from netgen.runtime import cpu
from tests.cli.commands import Cli, entries
from tests.tools import run_python

CASES = [
    (("nosuch",), 2, ["unknown model 'nosuch'", "mobilenet_v1, mobilenet_v2", "netgen list"]),
    (("a\nb\x1b[31m",), 2, ["unknown model 'a\\nb\\x1b[31m'"]),
    (("",), 2, ["unknown model ''"]),
    (("missing.py:net",), 2, ["missing.py: there is no such file"]),
    (("trained.pth",), 2, ["'trained.pth' has weights, and no network", "--weights FILE", ".onnx"]),
    (("trained.h5",), 2, ["'trained.h5' has weights, and no network", "--weights FILE", ".tflite"]),
    (("missing.ir",), 2, ["missing.ir: cannot be read"]),
    (("mobilenet_v2", "-p", "beta=1"), 2, ["no parameter 'beta'", "alpha, input_size, classes"]),
    (("mobilenet_v2", "-p", "alpha=big"), 2, ["'alpha' is ill-typed", "float", "-p alpha=1.0"]),
    (("mobilenet_v2", "-p", "input_size=2.5"), 2, ["ill-typed", "expected int", "'2.5'"]),
    (("mobilenet_v2", "-p", "batch_norm=maybe"), 2, ["ill-typed", "expected bool"]),
    (("mobilenet_v2", "-p", "padding=none"), 2, ["no such choice", "torch, tensorflow"]),
    (("mobilenet_v2", "-p", "alpha=0"), 2, ["'alpha' is out of range"]),
    (("mobilenet_v2", "-p", "alpha=-1"), 2, ["'alpha' is out of range"]),
    (("mobilenet_v2", "-p", "alpha=nan"), 2, ["'alpha' is out of range"]),
    (("mobilenet_v2", "-p", "input_size=0"), 3, ["mobilenet_v2.py:", "height 0", "input size"]),
    (("mobilenet_v1", "-p", "input_size=-32"), 3, ["mobilenet_v1.py:", "height -32"]),
    (("mobilenet_v2", "-p", "input_size=16"), 3, ["cannot be halved", "larger input size"]),
    (("mobilenet_v1", "-p", "input_size=1"), 3, ["cannot be halved", "larger input size"]),
    (("mobilenet_v2", "-p", "classes=0"), 3, ["at least 1"]),
    (("mobilenet_v2", "-p", "input_channels=0"), 3, ["channels 0"]),
    (("mobilenet_v2", "--target", "z80"), 2, ["unknown target 'z80'", "generic", "native"]),
]


@pytest.mark.parametrize(("arguments", "code", "says"), CASES)
def test_refused(
    arguments: tuple[str, ...], code: int, says: list[str], cli: Cli, folder: Path
) -> None:
    outcome = cli("compile", *arguments, "-o", "model.c")
    assert outcome.code == code
    for text in says:
        assert text in outcome.error()
    assert entries(folder) == []


HUGE = ["alpha=1e9", "alpha=1e308", "alpha=inf", "input_size=1000000000", "classes=1000000000"]
# An address space in which no value of a gigabyte fits.
LIMITED = """
import resource, sys
from netgen.cli.main import main
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 700_000_000,) * 2)
main(sys.argv[1:], prog_name="netgen")
"""


# One parameter of each kind; the others in CI, as every case is a new Python.
@pytest.mark.parametrize(
    ("model", "parameter"),
    [
        pytest.param(model, parameter, marks=[pytest.mark.heavy] * (n == 1 or m % 3 != 0))
        for n, model in enumerate(("mobilenet_v1", "mobilenet_v2"))
        for m, parameter in enumerate((*HUGE, "input_channels=100000000", "alpha=16"))
    ],
)
def test_huge_parameters_eat_no_memory(model: str, parameter: str, folder: Path) -> None:
    command = ("-c", LIMITED, "compile", model, "-p", parameter, "-o", "model.c")
    done = run_python(*command, check=False, OPENBLAS_NUM_THREADS="1")
    assert done.returncode in {2, 3}, done.stderr
    line = done.stderr.strip()
    assert line.startswith("netgen: error: ")
    assert "\n" not in line
    assert "expected" in line
    assert entries(folder) == []


def test_too_little_memory(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("netgen.compiler.seeded_graph", exhausted)
    outcome = cli("compile", "mobilenet_v2", "-o", "model.c")
    assert outcome.code == 1
    assert "not enough memory" in outcome.error()
    assert entries(folder) == []


USAGE = [
    ("compile", "mobilenet_v2"),
    ("compile", "-o", "model.c"),
    ("compile", "mobilenet_v2", "-o", "model.c", "--fast"),
    ("compile", "mobilenet_v2", "-o", "model.c", "-p", "alpha"),
    ("compile", "mobilenet_v2", "-o", "model.c", "-p", "=1"),
    ("compile", "mobilenet_v2", "-o", "model.c", "--weights-as", "zip"),
    ("show", "mobilenet_v2", "--stage", "dream"),
    ("show", "mobilenet_v2", "--format", "pdf"),
    ("run", "mobilenet_v2"),
    ("bench", "mobilenet_v2", "--rounds", "0"),
    ("list", "everything"),
    ("transmogrify",),
    ("--fast", "list"),
    ("compile", "mobilenet_v2", "-o"),
    ("export", "mobilenet_v2", "-o", "model.onnx"),
    ("show", "mobilenet_v2", "--stage", "plan", "--threads", "65"),
]


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_wrong_usage(arguments: tuple[str, ...], cli: Cli, folder: Path) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    place = "netgen" if arguments[0] in {"transmogrify", "--fast"} else f"netgen {arguments[0]}"
    assert outcome.error().endswith((f"; see {place} --help", f"? {place} --help lists all"))
    assert entries(folder) == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("compile", "x", "-o", "x.c", "--ramm", "3"),
            "no such option '--ramm'; did you mean --ram? netgen compile --help lists all",
        ),
        (("export", "x", "-o", "x.onnx"), "missing option '--as', one of onnx, tflite, cmake, "),
        (("run", "x", "y", "--top", "0"), "invalid value for '--top': 0 is not in the range x>=1;"),
        (("compile", "x", "-o"), "option '-o' requires an argument; see netgen compile --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_click_says_in_one_line(arguments: tuple[str, ...], error: str, cli: Cli) -> None:
    assert cli(*arguments).error().startswith(error)


def test_no_command_is_help(cli: Cli) -> None:
    outcome = cli()
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("Usage: netgen [OPTIONS] COMMAND [ARGS]...")
    assert outcome.stderr.rstrip() == cli("--help").stdout.rstrip()


def test_no_command_of_a_group_is_its_help(cli: Cli) -> None:
    outcome = cli("cache")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.rstrip() == cli("cache", "--help").stdout.rstrip()


@pytest.mark.parametrize("command", ["run", "verify", "bench"])
def test_a_target_that_this_processor_lacks(
    command: str, cli: Cli, tiny: str, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_compiler(*_: object) -> None:
        raise AssertionError("it is refused before anything is compiled")

    monkeypatch.setattr(cpu, "cpu_features", lambda: frozenset({"sse4_1"}))
    monkeypatch.setattr("netgen.runtime.build.build_library", no_compiler)
    images = (photo,) if command == "run" else ()
    outcome = cli(command, tiny, *images, "--target", "x86-64-v3")
    assert outcome.code == 6
    assert "this processor lacks" in outcome.error()
    assert "avx2" in outcome.error()
    assert "generic" in outcome.error()


@pytest.mark.parametrize(
    ("ours", "foreign", "theirs"),
    [("x86_64", "aarch64", "aarch64"), ("aarch64", "x86-64-v3", "x86_64")],
)
def test_a_foreign_target_can_be_written_but_not_run(
    ours: str,
    foreign: str,
    theirs: str,
    cli: Cli,
    tiny: str,
    folder: Path,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is refused before anything is planned or compiled, by all that runs C."""

    def nothing(*_: object) -> None:
        raise AssertionError("it is refused before that")

    monkeypatch.setattr(cpu, "machine", lambda: ours)
    assert cli("compile", tiny, "-o", "model.c", "--target", foreign).code == 0
    for place in ("netgen.compiler.build_plan", "netgen.runtime.build.build_library"):
        monkeypatch.setattr(place, nothing)
    before = entries(folder)
    for command, *options in (
        ("compile", "-o", "other.c", "--verify"),
        ("compile", "-o", "other.netgen"),
        ("run", str(photo)),
        ("verify",),
        ("bench",),
        ("bench", "--profile"),
        ("tune", "-o", "tuning.json"),
        ("report", "-o", "page.html", "--measure"),
    ):
        outcome = cli(command, tiny, *options, "--target", foreign)
        assert outcome.code == 6
        error = outcome.error()
        assert error.startswith(f"target {foreign} is for {theirs}, which this machine ({ours}) ")
        assert f"netgen compile MODEL --target {foreign} -o model.c" in error
    assert entries(folder) == before


FILES = [
    ("x = 1", ":net", 2, ["there is no 'net'"]),
    ("def net(", ":net", 2, ["bad.py:1", "syntax error"]),
    ("import nothing_of_this_name", ":net", 2, ["bad.py:1", "the import failed"]),
    ("raise SystemExit(3)", ":net", 2, ["the import failed"]),
    (
        "from netgen.dsl import network, image\n@network\ndef net():\n    image(4, 4, 3) + 1",
        ":net", 3, ["bad.py:4"],
    ),
    (
        "from netgen.dsl import network, image\n@network\ndef net():\n    return 1 / 0",
        ":net", 3, ["bad.py:4", "ZeroDivisionError"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("source", "name", "code", "says"), FILES)
def test_files_of_the_user(
    source: str, name: str, code: int, says: list[str], cli: Cli, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.py").write_text(source)
    outcome = cli("compile", f"{tmp_path / 'bad.py'}{name}", "-o", "model.c")
    assert outcome.code == code
    for text in says:
        assert text in outcome.error()
    assert entries(folder) == []


def test_ir_that_is_damaged(cli: Cli, tiny: str, folder: Path) -> None:
    text = cli("show", tiny, "--format", "text").stdout
    (folder / "half.ir").write_text(text[: len(text) // 2])
    (folder / "wrong.ir").write_text(text.replace("f32[1,6,6,8]", "f32[1,6,6,9]", 1))
    (folder / "binary.ir").write_bytes(bytes(range(256)))
    before = entries(folder)
    for name in ("half.ir", "wrong.ir", "binary.ir"):
        outcome = cli("compile", name, "-o", "model.c")
        assert outcome.code == 3
        assert name in outcome.error()
    assert entries(folder) == before
