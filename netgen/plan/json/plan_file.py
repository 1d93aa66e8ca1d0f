"""A plan's JSON file -> a plan."""

from __future__ import annotations

import json
from pathlib import Path

from netgen.errors import PlanError
from netgen.plan.data.plan import Plan
from netgen.plan.json.plan_from_json import plan_from_json


def read_plan(path: Path) -> Plan:
    """Read a plan that `netgen plan -o` wrote. Raises PlanError for anything else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"the plan cannot be read: {error.strerror}", where=str(path)) from error
    except ValueError as error:
        raise PlanError(f"the plan is no JSON: {error}", where=str(path)) from error
    except RecursionError as error:
        raise PlanError(
            "nested too deeply", where=str(path), hint="give a plan that netgen plan -o wrote"
        ) from error
    return plan_from_json(document)
