"""Content codings undone piece by piece, under caps: a bomb is refused before it is unpacked.

gzip (RFC 1952) and deflate, which servers send as zlib (RFC 1950, as HTTP says) or raw (RFC 1951).
"""

import zlib
from collections.abc import Iterator, Sequence

from openflywheel.collect._web.errors import FetchFailed

ACCEPTED = "gzip, deflate"
KNOWN = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
SLICE = 16_384  # bytes unpacked at once: deflate makes at most 1,032 times as many of them
MOST_LAYERS = 2
MOST_MEMBERS = 1_000  # gzip files in a row; empty ones cost CPU and no bytes
RATIO, FREE = 100, 1_000_000  # pages pack 3 to 20 times, sitemaps 50; the first MB may be anything


class Body:
    """Collects a reply's body. `most`: bytes that it may have, as sent and as unpacked."""

    def __init__(self, encoding: str, most: int, url: str) -> None:
        self._layers = [Layer(name, most, url) for name in _names(encoding, url)]
        self._most, self._url = most, url
        self._pieces: list[bytes] = []
        self._made = self.sent = 0

    def feed(self, data: bytes) -> None:
        """Take what came. Raises FetchFailed: "too large", "bad encoding"."""
        step = SLICE if self._layers else max(len(data), 1)
        for start in range(0, len(data), step):
            part = data[start : start + step]
            self.sent += len(part)
            if self.sent > self._most:
                raise FetchFailed("too large", self._url, f"more than {self._most} bytes")
            for piece in _through(self._layers, part):
                self._made += len(piece)
                _weigh(self.sent, self._made, self._most, self._url)
                self._pieces.append(piece)

    def whole(self) -> bytes:
        """The body. Raises FetchFailed when its packing breaks off."""
        if self.sent and not all(layer.complete for layer in self._layers):
            raise FetchFailed("bad encoding", self._url, "the packed data break off")
        return b"".join(self._pieces)


class Layer:
    """One coding, undone."""

    def __init__(self, name: str, most: int, url: str) -> None:
        self._name, self._most, self._url = name, most, url
        self._taken = self._made = self._members = 0
        self._waits = b""
        self._stream: zlib._Decompress | None = None

    @property
    def complete(self) -> bool:
        """Has the packed data's end come?"""
        return self._stream is not None and self._stream.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What comes out, at most SLICE bytes at a time. Raises FetchFailed."""
        self._taken += len(data)
        data, self._waits = self._waits + data, b""
        if self._stream is None and len(data) < 2:  # raw or zlib: the first two bytes tell
            self._waits = data
            return
        try:
            yield from self._unpacked(data)
        except zlib.error as error:
            raise FetchFailed("bad encoding", self._url, str(error)) from None

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        stream = self._stream or self._open(data)
        more = True
        while data or more:
            if stream.eof:
                if not data or self._name != "gzip" or data[0] != 0x1F:  # bytes after the end say nothing
                    return
                stream = self._open(data)
            piece = stream.decompress(data, SLICE)
            more = len(piece) == SLICE  # zlib may hold back what it has unpacked already
            data = stream.unused_data if stream.eof else stream.unconsumed_tail
            if piece:
                self._made += len(piece)
                _weigh(self._taken, self._made, self._most, self._url)
                yield piece

    def _open(self, data: bytes) -> "zlib._Decompress":
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise FetchFailed("bad encoding", self._url, f"more than {MOST_MEMBERS} gzip files in a row")
        self._stream = zlib.decompressobj(31 if self._name == "gzip" else _window(data))
        return self._stream


def _window(data: bytes) -> int:
    """zlib's header if there is one (RFC 1950, section 2.2), else raw deflate."""
    zlib_header = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS


def _through(layers: Sequence[Layer], data: bytes) -> Iterator[bytes]:
    if not layers:
        yield data
        return
    for piece in layers[0].feed(data):
        yield from _through(layers[1:], piece)


def _weigh(taken: int, made: int, most: int, url: str) -> None:
    if made > most:
        raise FetchFailed("too large", url, f"more than {most} bytes when unpacked")
    if made > max(FREE, RATIO * taken):
        raise FetchFailed("too large", url, f"unpacks to more than {RATIO} times what was sent")


def _names(encoding: str, url: str) -> list[str]:
    """The codings in the order of undoing. Raises FetchFailed for one that was not asked for."""
    said = [name.strip().lower() for name in encoding.split(",")]
    names = [name for name in reversed(said) if name not in ("", "identity")]
    if unknown := [name for name in names if name not in KNOWN]:
        raise FetchFailed("bad encoding", url, f"{unknown[0][:40]!r} was not asked for; choices: {ACCEPTED}")
    if len(names) > MOST_LAYERS:
        raise FetchFailed("bad encoding", url, f"packed {len(names)} times over")
    return [KNOWN[name] for name in names]
