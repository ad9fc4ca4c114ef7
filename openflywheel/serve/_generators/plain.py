"""A request without special tokens: servers read those in a message as if the chat template had written them.

transformers in our own process clean chats themselves (base/instruments/template.py).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from openflywheel.base.errors import FlywheelError
from openflywheel.base.instruments.checkpoint import downloaded
from openflywheel.base.instruments.special import Special, special, without

SAID = ("messages", "input", "instructions")  # where texts stand in chat completions and responses

_fields = msgspec.json.Decoder(dict[str, Raw])


def plain(body: bytes, special: Special) -> bytes:
    """The body of a request with its texts cleaned, everything else byte for byte."""
    fields: dict[str, Any] = _fields.decode(body)
    for name in SAID:
        if name in fields:
            fields[name] = _cleaned(msgspec.json.decode(fields[name]), special)
    return msgspec.json.encode(fields)


def _cleaned(said: Any, special: Special) -> Any:
    if isinstance(said, str):
        return without(said, special)
    if isinstance(said, list):
        return [_cleaned(each, special) for each in said]
    if isinstance(said, dict):
        return {name: _cleaned(value, special) for name, value in said.items()}
    return said


def special_of(base: Mapping[str, str], folder: Path) -> Special | None:
    """The special tokens of a manifest's `base`; None where its tokenizer is not on this machine."""
    try:
        if "hub" in base:
            place = downloaded(base["hub"], base.get("revision", ""), cached=True)
        else:
            place = folder / Path(base.get("path", "")).expanduser()
        told = json.loads((place / "tokenizer.json").read_bytes())
    except (FlywheelError, OSError):
        return None
    return special(token["content"] for token in told["added_tokens"] if token["special"])
