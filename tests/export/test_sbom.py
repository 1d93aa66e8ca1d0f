"""Bills of materials: parts with licences and hashes, equal for equal exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from netgen.export.sbom import sbom
from netgen.ir.origin import Origin
from tests.cli.commands import Cli, caller, entries

TRAINED = Origin(
    "mobilenet_v2",
    {"alpha": 0.35},
    weights_file="m.pth",
    weights_sha256="ab" * 32,
    weights_licence="Apache-2.0",
)


def parts(bill: bytes) -> dict[str, dict[str, Any]]:
    document = json.loads(bill)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    found = {part["bom-ref"]: part for part in document["components"]}
    (root,) = document["dependencies"]
    assert root == {"ref": document["metadata"]["component"]["bom-ref"], "dependsOn": [*found]}
    return found


def test_trained_weights_have_a_hash_and_a_licence() -> None:
    found = parts(sbom("net", "1.2", TRAINED, ["numpy"]))
    assert found["net-weights"]["name"] == "m.pth"
    assert found["net-weights"]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert found["net-weights"]["licenses"] == [{"license": {"name": "Apache-2.0"}}]
    assert found["net-code"]["licenses"] == [{"license": {"id": "0BSD"}}]
    assert found["numpy"]["purl"] == "pkg:pypi/numpy"
    component = json.loads(sbom("net", "1.2", TRAINED))["metadata"]["component"]
    assert component["description"] == "mobilenet_v2(alpha=0.35)"


def test_a_licence_that_nobody_states_is_not_made_up() -> None:
    origin = Origin("net", weights_file="w.npz", weights_sha256="00" * 32)
    assert "licenses" not in parts(sbom("net", "1", origin))["net-weights"]
    seeded = parts(sbom("net", "1", Origin("net")))["net-weights"]
    assert seeded["description"].startswith("seeded numbers")
    assert "hashes" not in seeded


@pytest.mark.parametrize("name", ["weights", "code", "net"])
def test_references_are_unique_whatever_the_name(name: str) -> None:
    bill = json.loads(sbom(name, "1", TRAINED, ["numpy"]))
    references = [part["bom-ref"] for part in (bill["metadata"]["component"], *bill["components"])]
    assert len({*references}) == len(references) == 4


def test_nothing_in_it_depends_on_the_day() -> None:
    text = sbom("net", "1", TRAINED).decode()
    assert "timestamp" not in text
    assert "serialNumber" not in text


def test_bundles_have_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli: Cli = caller(capsys)
    monkeypatch.chdir(tmp_path)
    assert cli("export", "ds_cnn", "-o", "bundle", "--as", "make", "--name", "word").code == 0
    bill = json.loads((tmp_path / "bundle" / "sbom.cdx.json").read_text())
    assert bill["metadata"]["component"]["name"] == "word"
    assert {"LICENSE", "README.md"} <= set(entries(tmp_path / "bundle"))
