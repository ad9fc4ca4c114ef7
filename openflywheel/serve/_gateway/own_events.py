"""What our own answers share in every API."""

from typing import Any

import msgspec

from openflywheel.base.nouns import Exchange
from openflywheel.serve._dialects import frame

HANDED_OVER = "handed to a person"


def about(exchange: Exchange) -> dict[str, Any]:
    """What we say beyond the API: how sure the model is, and what else might be meant."""
    return {"confidence": exchange.confidence, "choices": exchange.choices, "variant": exchange.variant}


def event(type: str, **fields: Any) -> bytes:
    """One named event of a stream; its data repeat its name."""
    return frame(msgspec.json.encode({"type": type, **fields}), type)
