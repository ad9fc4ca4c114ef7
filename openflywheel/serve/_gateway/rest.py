"""Everything at the gateway that is not a model's answer: its health, its models."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from starlette.responses import Response

from openflywheel.serve._gateway.surfaces import Refusal


class Readiness(Protocol):
    def __call__(self) -> str:
        """Why no request can be answered now; empty when one can."""
        ...


def answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON document."""
    return Response(msgspec.json.encode(data), status, headers, media_type="application/json")


def refused(refusal: Refusal) -> Response:
    """An error as OpenAI's SDK reads it."""
    return Response(
        refusal.body("openai"), refusal.status, dict(refusal.headers), media_type="application/json"
    )
