from __future__ import annotations

import pytest

from netgen.errors import WeightsError
from netgen.weights.state_dict import find_state_dict
from netgen.weights.torch_objects import Storage, Tensor


def tensor(key: str) -> Tensor:
    return Tensor(Storage(key, "F32", 1), 0, (1,), (1,))


A, B = tensor("a"), tensor("b")
SLOT = {"state": {0: {"momentum": A}}, "param_groups": [{"lr": 0.1}]}


@pytest.mark.parametrize(
    "root",
    [
        {"x": A, "y": B},
        {"x": A, "y": B, "version": 3, "note": "text", "sizes": [1]},
        {"state_dict": {"x": A, "y": B}, "epoch": 1, "optimizer": SLOT},
        {"model": {"x": A, "y": B}, "ema": {"x": B, "y": A}},
        {"model_state_dict": {"x": A, "y": B}, "loss": B},
        {"net": {"x": A, "y": B}, "optimizer": SLOT, "args": {"lr": 1}},
        {"net": {"module.x": A, "module.y": B}},
        {7: {"x": A, "y": B}},
    ],
)
def test_finds_the_one(root: object) -> None:
    found = find_state_dict(root, "f.pth")
    assert list(found.items()) == [("x", A), ("y", B)]


def test_a_prefix_of_some_names_stays() -> None:
    assert list(find_state_dict({"module.x": A, "y": B}, "f")) == ["module.x", "y"]


@pytest.mark.parametrize(
    ("root", "expected", "found"),
    [
        ({"ema": {"x": A}, "net": {"x": A}}, "expected one", "found ema, net"),
        ({"x": A, "net": {"x": A}}, "expected one", "found net, (the top level)"),
        ({"state_dict": {"x": A}, "model": {"x": A}}, "expected one", "found state_dict, model"),
        ({"epoch": 1}, "holds no dict of tensors", "under state_dict, model_state_dict, model"),
        ({}, "holds no dict of tensors", "state_dict"),
        ({"model": {"encoder": {"x": A}}}, "holds no dict of tensors", "state_dict"),
        ([A], "expected a dict of tensors", "found a list"),
        (A, "expected a dict of tensors", "found a Tensor"),
        ({1: A}, "has no name", "found a int"),
    ],
)
def test_refuses_what_is_not_one(root: object, expected: str, found: str) -> None:
    with pytest.raises(WeightsError) as caught:
        find_state_dict(root, "f.pth")
    message = str(caught.value)
    assert message.startswith("f.pth: ")
    assert expected in message
    assert found in message
    assert "torch.save" in message
