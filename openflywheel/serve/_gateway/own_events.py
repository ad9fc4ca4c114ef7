"""What our own answers share in every API."""

from typing import Any

import msgspec

from openflywheel.base.nouns import Exchange
from openflywheel.serve._dialects import frame
from openflywheel.serve.extractive import SOURCE

HANDED_OVER = "handed to a person"


def about(exchange: Exchange) -> dict[str, Any]:
    """What we say beyond the API: how sure the model is, what else might be meant, and what was quoted."""
    sources = [{"row": v.about, "uri": v.reason} for v in exchange.verdicts if v.check == SOURCE]
    said = {"confidence": exchange.confidence, "choices": exchange.choices, "variant": exchange.variant}
    return {**said, "sources": sources} if sources else said


def event(type: str, **fields: Any) -> bytes:
    """One named event of a stream; its data repeat its name."""
    return frame(msgspec.json.encode({"type": type, **fields}), type)
