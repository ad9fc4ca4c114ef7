"""A provider's delivery as rows: one JSON object, an array, NDJSON or CSV, each perhaps gzipped.

The form is told by the content first: providers send an array where NDJSON was asked for, and webhooks come
gzipped without saying so. A broken row becomes a Drop and the next one is read.
"""

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Any

import msgspec

from openflywheel.base.nouns import Drop
from openflywheel.collect._rows.table import table

MOST = 1 << 30  # bytes of an unpacked delivery: Bright Data's webhooks carry up to 1 GB
WHOLE = 32 << 20  # bytes of an array, which is read at once (NDJSON and CSV row by row)
ROW = 16 << 20  # bytes of one row: Web's cap of one page
BOM = b"\xef\xbb\xbf"
ABOUT = frozenset(
    {"error", "error_code", "status_code", "input", "timestamp", "url", "warning", "warning_code"}
)

Row = dict[str, Any]


def rows(body: bytes, mime: str) -> Iterator[Row | Drop]:
    """Rows of a delivery, in order; its error rows as Drop("provider error: <code>").

    `mime` decides only where the content does not: "text/csv" makes a table of what begins with neither an
    object nor an array. Values are JSON's, or text in a table (columns that a row lacks are left out). Never
    raises: what cannot be read is a Drop.
    """
    packed = io.BytesIO(body)
    opened = gzip.GzipFile(fileobj=packed) if body[:2] == b"\x1f\x8b" else packed
    try:
        with io.BufferedReader(_Capped(opened)) as stream:
            yield from map(_judged, _read(stream, mime))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield Drop("broken gzip")
    except _TooLarge:
        yield Drop("delivery too large")


class _TooLarge(Exception):
    """More came out of a delivery than anybody ordered."""


class _Capped(io.RawIOBase):
    """A stream that ends with _TooLarge after MOST bytes: a gzip bomb grows a thousandfold."""

    def __init__(self, stream: io.BytesIO | gzip.GzipFile) -> None:
        self._stream, self._left = stream, MOST

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; 0 at the end."""
        found = self._stream.read(len(buffer))
        self._left -= len(found)
        if self._left < 0:
            raise _TooLarge
        buffer[: len(found)] = found
        return len(found)


def _read(stream: IO[bytes], mime: str) -> Iterator[Any]:
    first = _first(stream)
    begins = first[:1]
    if begins == b"[" or (begins == b"{" and isinstance(_json(first), Drop) and first.rstrip()[-1:] != b"}"):
        yield from _whole(first + stream.read(WHOLE), stream)  # an array, or an object over several lines
    elif begins == b"{":
        yield from (_json(line) for line in _lines(first, stream) if line.strip())
    elif "csv" in mime:
        yield from _table(_lines(first, stream))
    elif first:
        yield Drop("delivery in an unknown form")


def _first(stream: IO[bytes]) -> bytes:
    """The first line that says something, without byte order mark and what stands before it."""
    line = stream.readline(ROW)
    while line and not line.removeprefix(BOM).strip():
        line = stream.readline(ROW)
    return line.removeprefix(BOM).lstrip()


def _lines(first: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    line = first
    while line:
        if len(line) >= ROW:
            raise _TooLarge
        yield line
        line = stream.readline(ROW)


def _whole(body: bytes, rest: IO[bytes]) -> Iterable[Any]:
    if rest.read(1):
        raise _TooLarge
    found = _json(body)
    return found if isinstance(found, list) else [found]


def _json(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Drop("broken row")


def _table(lines: Iterable[bytes]) -> Iterator[Any]:
    columns: list[str] = []
    for row in table((line.decode("utf-8", "replace") for line in lines), longest=ROW):
        if isinstance(row, Drop):
            yield row
        elif not columns:
            columns = row
        elif row:
            yield _told(columns, row)


def _told(columns: list[str], row: list[str]) -> dict[str, str] | Drop:
    if len(row) > len(columns):
        return Drop("more values than columns")
    return {column: value for column, value in zip(columns, row, strict=False) if column}


def _judged(row: Any) -> Row | Drop:
    if isinstance(row, Drop):
        return row
    if not isinstance(row, dict):
        return Drop("row is not an object")
    return Drop(reason) if (reason := failure(row)) else row


def failure(row: Row) -> str:
    """Why a row says that its input failed, as a Drop's reason: "provider error: <code>"; "" if it does not.

    The code alone: messages hold addresses and ids, and reasons are counted. A row with data of its own
    beside an "error" column has not failed.
    """
    code = row.get("error_code")
    if not code and not (row.get("error") and ABOUT.issuperset(row)):
        return ""
    said = re.sub(r"[^a-z0-9]+", "_", str(code or "").lower()).strip("_")
    return f"provider error: {said[:40] or 'no code'}"
