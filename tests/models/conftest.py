"""torch is no dependency of the tests: where it is not installed, nothing is compared with it."""

from __future__ import annotations

import importlib.util

_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "torchvision"))
collect_ignore = [] if _TORCH else ["test_torchvision_modules.py"]
