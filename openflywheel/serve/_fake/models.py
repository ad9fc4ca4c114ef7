"""GET /v1/models and /v1/models/{id}, of both APIs: the models that the script has prices for."""

from collections.abc import Collection
from typing import Any

from openflywheel.serve._fake.dialect import ANTHROPIC, Dialect
from openflywheel.serve._fake.problem import Problem

CREATED, DAY = 1767225600, "2026-01-01T00:00:00Z"  # the same moment twice


def models(known: Collection[str], dialect: Dialect) -> dict[str, Any]:
    """The list of models."""
    data = [_model(name, dialect) for name in known]
    if dialect is not ANTHROPIC:
        return {"object": "list", "data": data}
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
    return {"data": data, "has_more": False, "first_id": None, "last_id": None, **ends}


def model(name: str, known: Collection[str], dialect: Dialect) -> dict[str, Any]:
    """One model. Raises Problem when it is not known."""
    if name in known:
        return _model(name, dialect)
    if dialect is ANTHROPIC:
        raise Problem(404, f"model: {name}")
    raise Problem(404, f"The model '{name}' does not exist", param="model", code="model_not_found")


def _model(name: str, dialect: Dialect) -> dict[str, Any]:
    if dialect is ANTHROPIC:
        return {"type": "model", "id": name, "display_name": name, "created_at": DAY}
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "openflywheel"}
