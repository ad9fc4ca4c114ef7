"""OpenAI's POST /v1/embeddings: a unit vector out of a hash of the model and the text."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import shake_128
from math import fsum, sqrt
from struct import pack, unpack
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from openflywheel.serve._fake.dialect import OPENAI
from openflywheel.serve._fake.problem import Problem
from openflywheel.serve._fake.surface import Surface
from openflywheel.serve._fake.talk import TOKEN, Ask, Reply, tokens

WIDTH = 1536  # numbers in a vector, unless the request says `dimensions`

Text = str | Sequence[int]


class Embeddings(Struct):
    """The parameters that matter to a fake; all others are let through."""

    model: str
    input: str | Annotated[list[str | int | list[int]], Meta(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Meta(ge=1, le=4096)] | None = None


def vector(model: str, text: Text, width: int = WIDTH) -> list[float]:
    """A unit vector, shape (width,): the same for the same model and text."""
    raw = shake_128(f"{model}\0{text}".encode()).digest(2 * width)
    numbers = [2 * number + 1 for number in unpack(f"<{width}h", raw)]  # odd: never all zero
    length = sqrt(fsum(number * number for number in numbers))
    return [number / length for number in numbers]


def _texts(request: Embeddings) -> Sequence[Text]:
    """Every input: one text, several, one list of token ids, or several."""
    if isinstance(request.input, str):
        return [request.input]
    ids = [given for given in request.input if isinstance(given, int)]
    texts = [given for given in request.input if not isinstance(given, int)]
    if ids and texts:
        raise Problem(400, "Invalid value for 'input': token ids and texts are mixed.", param="input")
    return [ids] if ids else texts


def _read(request: Embeddings) -> Ask:
    texts = _texts(request)
    said = sum(tokens(len(text)) if isinstance(text, str) else len(text) for text in texts)
    last = texts[-1]
    return Ask(
        model=request.model, text=last if isinstance(last, str) else "", characters=said * TOKEN, limit=0
    )


def _whole(request: Embeddings, reply: Reply) -> dict[str, Any]:
    width = request.dimensions or WIDTH
    vectors = [vector(request.model, text, width) for text in _texts(request)]
    coded = [_coded(numbers) for numbers in vectors] if request.encoding_format == "base64" else vectors
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(coded)],
        "model": request.model,
        "usage": {"prompt_tokens": reply.input_tokens, "total_tokens": reply.input_tokens},
    }


def _coded(numbers: Sequence[float]) -> str:
    """Little-endian float32 in base64."""
    return b64encode(pack(f"<{len(numbers)}f", *numbers)).decode()


EMBEDDINGS = Surface(dialect=OPENAI, request=msgspec.json.Decoder(Embeddings), read=_read, whole=_whole)
