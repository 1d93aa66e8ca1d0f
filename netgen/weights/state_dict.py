"""The state dict of a torch checkpoint.

Either the whole checkpoint is one, or it is a dict that holds one beside plain metadata (epoch,
accuracy, the optimizer's state).
"""

from __future__ import annotations

from collections.abc import Mapping

from netgen.errors import WeightsError
from netgen.weights.naming import shown
from netgen.weights.torch_objects import Tensor

_WELL_KNOWN = ("state_dict", "model_state_dict", "model")
_PARALLEL_PREFIX = "module."
_TOP = "(the top level)"


def find_state_dict(root: object, where: str) -> dict[str, Tensor]:
    """Find the one state dict in `root` and return its tensors in order, by name.

    A dict under `state_dict`, `model_state_dict` or `model` is taken first; without one, the only
    dict that holds tensors, the top level included. What is not a tensor is left out. The prefix
    `module.`, which torch's DataParallel puts before every name, is removed where all names have
    it.

    Raises WeightsError where there is no such dict, or more than one; `where` names the file.
    """
    if not isinstance(root, dict):
        raise WeightsError(
            "the checkpoint is no state dict",
            where=where,
            expected="a dict of tensors",
            found=f"a {type(root).__name__}",
            hint="save model.state_dict() with torch.save",
        )
    candidates = {
        key: value
        for key, value in root.items()
        if isinstance(value, dict) and _holds_tensors(value)
    }
    if _holds_tensors(root):
        candidates[_TOP] = root
    known = {key: value for key, value in candidates.items() if key in _WELL_KNOWN}
    found = known or candidates
    if len(found) != 1:
        raise _not_one(list(found), where)
    return _named_tensors(next(iter(found.values())), where)


def _holds_tensors(values: Mapping[object, object]) -> bool:
    return any(isinstance(value, Tensor) for value in values.values())


def _not_one(keys: list[object], where: str) -> WeightsError:
    if not keys:
        return WeightsError(
            "the checkpoint holds no dict of tensors",
            where=where,
            expected=f"one at the top level or under {', '.join(_WELL_KNOWN)}",
            hint="save model.state_dict() with torch.save",
        )
    return WeightsError(
        "the checkpoint holds several dicts of tensors and nothing says which one is meant",
        where=where,
        expected="one",
        found=", ".join(shown(str(key)) for key in keys),
        hint="save the one to be used alone with torch.save",
    )


def _named_tensors(state: Mapping[object, object], where: str) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for key, value in state.items():
        if not isinstance(value, Tensor):
            continue
        if not isinstance(key, str):
            raise WeightsError(
                "a tensor of the state dict has no name",
                where=where,
                expected="text as the key",
                found=f"a {type(key).__name__}",
                hint="save model.state_dict() with torch.save",
            )
        tensors[key] = value
    if all(name.startswith(_PARALLEL_PREFIX) for name in tensors):
        return {name.removeprefix(_PARALLEL_PREFIX): value for name, value in tensors.items()}
    return tensors
