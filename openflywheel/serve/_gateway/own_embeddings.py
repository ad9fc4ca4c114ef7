"""The sentence encoder as an OpenAI embeddings model."""

from base64 import b64encode
from collections.abc import Sequence
from struct import pack
from typing import Any

import msgspec

from openflywheel.serve._gateway.answered import Answered, tokens
from openflywheel.serve._gateway.asked import Asked
from openflywheel.serve._gateway.intake import Request
from openflywheel.serve._gateway.surfaces import Refusal

_inputs = msgspec.json.Decoder(str | list[str])


def texts(asked: Asked) -> list[str]:
    """What is to be embedded. Raises Refusal for token numbers, and for nothing at all."""
    try:
        given = _inputs.decode(asked.input)
    except msgspec.DecodeError as error:
        raise Refusal(400, f"input must be a text or a list of texts: {error}", "invalid_input") from None
    found = [given] if isinstance(given, str) else given
    if not found:
        raise Refusal(400, "input is empty", "invalid_input")
    return found


def answered(texts: Sequence[str]) -> Answered:
    """Tokens, by a rough count."""
    return Answered(input_tokens=sum(map(tokens, texts)), estimated=True)


def rendered(request: Request, vectors: Sequence[Sequence[float]], answer: Answered) -> bytes:
    """The reply's body; vectors as numbers, or as base64 of little-endian float32."""
    data = [
        {"object": "embedding", "index": i, "embedding": _vector(request.asked, vector)}
        for i, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": answer.input_tokens, "total_tokens": answer.input_tokens}
    said = {"object": "list", "data": data, "model": request.asked.model, "usage": usage}
    return msgspec.json.encode(said)


def _vector(asked: Asked, vector: Sequence[float]) -> Any:
    if asked.encoding_format == "base64":
        return b64encode(pack(f"<{len(vector)}f", *vector)).decode()
    return vector
