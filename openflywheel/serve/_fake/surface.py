"""One endpoint: how it reads a request and writes an answer."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from openflywheel.serve._fake.dialect import Dialect
from openflywheel.serve._fake.problem import mistake
from openflywheel.serve._fake.talk import Ask, Reply

encode = msgspec.json.Encoder().encode


def sse(data: Any, event: str = "") -> bytes:
    """A server-sent event."""
    name = b"event: " + event.encode() + b"\n" if event else b""
    return name + b"data: " + encode(data) + b"\n\n"


class Surface(Struct, frozen=True, kw_only=True):
    """`whole` and `frames` write the same answer at once and as a stream; `failed` the frame of an error."""

    dialect: Dialect
    request: "msgspec.json.Decoder[Any]"
    read: Callable[[Any], Ask]
    whole: Callable[[Any, Reply], Any]
    frames: Callable[[Any, Reply], Iterator[bytes]] = lambda *_: iter(())
    failed: Callable[[dict[str, Any], int], bytes] = lambda error, _: sse(error)
    free: bool = False  # never billed

    def decode(self, body: bytes) -> Any:
        """The request. Raises Problem with the API's own words for what is wrong."""
        try:
            return self.request.decode(body)
        except msgspec.ValidationError as error:
            raise self.dialect.mistaken(mistake(error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self.dialect.malformed(str(error)) from error
