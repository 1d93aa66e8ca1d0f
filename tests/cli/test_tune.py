"""`tune`, and `--tuning` where a model is compiled, planned or shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netgen.runtime.cpu import native_target
from tests.cli.commands import Cli, entries

# A dense layer that has two ways even without vectors.
KEY = "pointwise_f32 pointwise_1x8x10"


CHOICE = {"rows": 2, "vectors": 1, "block": 1, "prefetch": 0}
OTHER = "pointwise_f32 pointwise_49x64x64"


def tuning_of(*layers: str) -> str:
    """The text of a tuning for the generic target."""
    document = {"version": 1, "netgen": "0", "target": "generic", "compiler": "gcc"}
    return json.dumps({**document, "layers": dict.fromkeys(layers, CHOICE)})


@pytest.fixture
def tuning(folder: Path) -> Path:
    """A tuning for the generic target: another choice than the kernel's own."""
    file = folder / "mine.json"
    file.write_text(tuning_of(KEY))
    return file


def test_a_tuning_is_written_and_used(cli: Cli, tiny: str, folder: Path) -> None:
    outcome = cli("tune", tiny, "-o", "t.json", "--most", "2")
    assert outcome.code == 0
    assert "untuned" in outcome.stdout
    document = json.loads((folder / "t.json").read_text())
    assert document.keys() == {"version", "netgen", "target", "compiler", "layers"}
    assert document["target"] == native_target().name
    assert cli("verify", tiny, "--tuning", "t.json").code == 0


@pytest.mark.usefixtures("folder")
def test_a_note_of_the_search_names_the_file_given(
    cli: Cli, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netgen.tune.search.fastest", lambda *_: (0, 1e-6, 1.0))
    outcome = cli("tune", tiny, "-o", "t.json", "--most", "2")
    assert outcome.code == 0
    assert "netgen: note: t.json: no layer was faster" in outcome.stderr
    assert "tuning.json" not in outcome.stderr


@pytest.mark.usefixtures("folder")
def test_json_says_what_was_measured(cli: Cli, tiny: str) -> None:
    found = cli("tune", tiny, "-o", "t.json", "--most", "2", "--json").json()
    assert found.keys() == {"tuning", "layers", "own_seconds", "tuned_seconds", "rejected"}
    assert found["layers"][0]["key"].startswith("conv2d_f32 ")


def test_tuned_c_differs_and_says_by_which_file(
    cli: Cli, tiny: str, folder: Path, tuning: Path
) -> None:
    assert cli("compile", tiny, "-o", "own.c", "--prefix", "p").code == 0
    assert cli("compile", tiny, "-o", "tuned.c", "--prefix", "p", "--tuning", "mine.json").code == 0
    assert " --tuning mine.json " in (folder / "tuned.c").read_text()
    # The same prefix, so that functions have the same names.
    kernels = [
        (folder / f"{stem}.c").read_text().split("_pointwise_1x8x10(\n")[1].split("\n}\n")[0]
        for stem in ("own", "tuned")
    ]
    assert "inputs = 8" in kernels[0]
    assert kernels[0] != kernels[1]
    assert "tuned: rows 2 vectors 1" in cli("plan", tiny, "--tuning", tuning).stdout
    shown = cli("show", tiny, "--stage", "plan", "--tuning", tuning).stdout
    assert "tuned: rows 2 vectors 1" in shown


@pytest.mark.parametrize(
    "command",
    [
        ("show", "MODEL", "--tuning", "mine.json"),
        ("plan", "MODEL", "--pareto", "--tuning", "mine.json"),
        ("plan", "--check", "plan.json", "--tuning", "mine.json"),
        ("tune", "MODEL", "-o", "t.json", "--tuning", "mine.json"),
    ],
)
def test_a_tuning_that_would_be_ignored_is_refused(
    command: tuple[str, ...], cli: Cli, tiny: str, tuning: Path, folder: Path
) -> None:
    outcome = cli(*(tiny if word == "MODEL" else word for word in command))
    assert outcome.code == 2
    assert "--tuning" in outcome.error()
    assert tuning.name in entries(folder)


USES = [
    ("compile", "MODEL", "-o", "m.c", "--tuning", "of/mine.json"),
    ("compile", "MODEL", "-o", "m.c", "--verify", "--tuning", "of/mine.json"),
    ("plan", "MODEL", "--tuning", "of/mine.json"),
    ("verify", "MODEL", "--target", "generic", "--tuning", "of/mine.json"),
]


@pytest.fixture
def elsewhere(folder: Path) -> Path:
    (folder / "of").mkdir()
    return folder / "of" / "mine.json"


@pytest.mark.parametrize("command", USES, ids=" ".join)
def test_a_tuning_of_other_models_is_refused(
    command: tuple[str, ...], cli: Cli, tiny: str, elsewhere: Path
) -> None:
    elsewhere.write_text(tuning_of(OTHER, f"{OTHER}_relu"))
    outcome = cli(*(tiny if word == "MODEL" else word for word in command))
    assert outcome.code == 2
    assert outcome.error() == (
        "of/mine.json: none of the 2 tuned layers is one of this plan, expected layers of tiny for "
        f"these options, found {OTHER}, for instance; tune this model, with the same --ram, "
        "--input and --[no-]winograd: netgen tune MODEL -o FILE"
    )
    assert entries(elsewhere.parents[1]) == ["of"]


@pytest.mark.parametrize("command", USES, ids=" ".join)
def test_how_many_layers_are_tuned_is_said_once(
    command: tuple[str, ...], cli: Cli, tiny: str, elsewhere: Path
) -> None:
    note = "netgen: note: of/mine.json: "
    for layers, said in (
        ((KEY,), []),
        ((KEY, OTHER), ["tiny has 1 of the 2 tuned layers, 1 belong to other models or "]),
        ((), ["no layer was faster otherwise: every kernel keeps its own choice"]),
    ):
        elsewhere.write_text(tuning_of(*layers))
        outcome = cli(*(tiny if word == "MODEL" else word for word in command))
        assert outcome.code == 0
        found = [line for line in outcome.stderr.splitlines() if "of/mine.json" in line]
        assert len(found) == len(said)
        assert all(map(str.startswith, found, [note + text for text in said]))


@pytest.mark.parametrize("output", ["none/t.json", "of"])
def test_where_a_tuning_goes_is_tried_first(
    output: str, cli: Cli, tiny: str, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(*_: object, **__: object) -> None:
        pytest.fail("it measures before it knows where to write")

    monkeypatch.setattr("netgen.tune.search.tune", search)
    (elsewhere.parent / "of.json").mkdir()
    place = "of/of.json" if output == "of" else output
    outcome = cli("tune", tiny, "-o", place)
    assert outcome.code == 2
    assert "cannot write to " in outcome.error()
    assert entries(elsewhere.parent) == ["of.json"]


def test_faults_name_the_file(cli: Cli, tiny: str, tuning: Path) -> None:
    outcome = cli("plan", tiny, "--target", "aarch64", "--tuning", tuning)
    assert outcome.code == 2
    assert outcome.error().startswith(f"{tuning}: this tuning is for another target")
    tuning.write_text(tuning.read_text().replace('"rows": 2', '"rows": 77'))
    outcome = cli("plan", tiny, "--tuning", tuning)
    assert outcome.code == 5
    assert outcome.error().startswith(f"{tuning}: {KEY}: ")
    assert cli("plan", tiny, "--tuning", "none.json").code == 5
    assert cli("tune", tiny, "-o", "t.txt").code == 2
