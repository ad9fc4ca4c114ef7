"""JSON Lines: byte ranges of a plain file as shards, a compressed file as one."""

import io
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import msgspec
import pyarrow as pa
from msgspec import Struct

from openflywheel.base.ids import content_id
from openflywheel.base.instruments.columns import schema_of
from openflywheel.base.nouns import Record
from openflywheel.curate._engine.record import (
    ALIAS,
    BYTES,
    LONGEST,
    LONGEST_FACT,
    NAMES,
    ROWS,
    Terms,
    broken,
    records,
)

LONGEST_LINE = 2 * LONGEST  # bytes: escapes make a text longer than it is
PACKED = {".gz": "gzip", ".zst": "zstd"}
SUFFIXES = (".jsonl", ".ndjson")
DAMAGED = "read: file cut off or damaged"

BUFFER = 1 << 20
AT_RISK = 1 << 16  # bytes unpacked at once: of a damaged file, the most that is lost of what came before
BOM = b"\xef\xbb\xbf"

Line = tuple[int, bytes, str]  # where it begins, its bytes, and why it is none
Fields = msgspec.defstruct("Fields", [(f.name, f.type | None, None) for f in msgspec.structs.fields(Record)])
decode = msgspec.json.Decoder(dict[str, Any]).decode


class Lines(Struct, frozen=True, kw_only=True):
    """The lines of a file that begin in the bytes [start, end); all of it where it is `packed`."""

    name: str
    path: str
    uri: str
    at: float
    start: int
    end: int
    packed: str
    terms: Terms
    rows: int | None = None  # nobody knows before it is read

    def read(self) -> Iterator[pa.Table]:
        """See `reading.read`. A line that is no row becomes a dropped row that holds its beginning."""
        for batch in _batches(self._lines()):
            told = [(place, raw, reason or _row(raw)) for place, raw, reason in batch]
            good = [row for _, _, row in told if not isinstance(row, str)]
            bad = [(place, raw, reason) for place, raw, reason in told if isinstance(reason, str)]
            if good:
                yield from records(_table(good), self.terms, self.at, self.path)
            if bad:
                yield from self._broken(bad)

    def _broken(self, lines: Sequence[Line]) -> Iterator[pa.Table]:
        texts = [raw[:LONGEST_FACT].decode("utf-8", "replace") for _, raw, _ in lines]
        uris = [f"{self.uri}#byte={place}" for place, _, _ in lines]
        yield from broken([reason for _, _, reason in lines], texts, uris, self.terms, self.at)

    def _lines(self) -> Iterator[Line]:
        with self._opened() as stream:
            place = self.start
            if self.start and not self.packed:  # the line that begins before belongs to the shard before
                stream.seek(self.start - 1)
                place += sum(map(len, _rest_of_line(stream))) - 1
            try:
                yield from _lines_from(stream, place, self.end)
            except (EOFError, zlib.error, OSError) as error:
                if isinstance(error, OSError) and error.errno:  # the disk's fault, not the file's
                    raise
                yield -1, str(error).encode(), DAMAGED

    def _opened(self) -> IO[bytes]:
        if self.packed:
            return io.BufferedReader(pa.input_stream(self.path, compression=self.packed), AT_RISK)
        return Path(self.path).open("rb", BUFFER)


def _lines_from(stream: IO[bytes], place: int, end: int) -> Iterator[Line]:
    """The lines that begin before `end`; blank ones are none."""
    while place < end and (raw := stream.readline(LONGEST_LINE)):
        begun, whole = place, raw.endswith(b"\n") or len(raw) < LONGEST_LINE
        place += len(raw) + (0 if whole else sum(map(len, _rest_of_line(stream))))
        raw = raw.removeprefix(BOM) if begun == 0 else raw
        if raw.strip():
            yield begun, raw, "" if whole else "read: line too long"


def _rest_of_line(stream: IO[bytes]) -> Iterator[bytes]:
    """Go to the beginning of the next line."""
    while rest := stream.readline(BUFFER):
        yield rest
        if rest.endswith(b"\n"):
            return


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line[1])
        if len(batch) >= ROWS or size >= BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _row(raw: bytes) -> Any:
    """A line's fields, or why it is none."""
    try:
        row = decode(raw)
        named = {ALIAS.get(name, name) if ALIAS.get(name) not in row else name: row[name] for name in row}
        fields: Any = msgspec.convert({n: v for n, v in named.items() if n in NAMES}, Fields)
    except msgspec.ValidationError:
        return "read: field of a wrong type" if raw.lstrip().startswith(b"{") else "read: line is no object"
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return "read: broken line"
    facts = {n: f for n, v in named.items() if n not in NAMES and (f := _fact(v))}
    fields.meta = (fields.meta or {}) | facts
    return fields


def _fact(value: Any) -> str:
    """A plain value in a few words; "" for others."""
    if value is None or isinstance(value, list | dict):
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_FACT else ""


def _table(rows: Sequence[Any]) -> pa.Table:
    columns = {
        f.name: pa.array([_arrow(getattr(row, f.name)) for row in rows], f.type) for f in schema_of(Record)
    }
    return pa.table(columns)


def _arrow(value: Any) -> Any:
    """Maps as pairs, media as mappings: what Arrow takes."""
    if isinstance(value, dict):
        return list(value.items())
    return msgspec.to_builtins(value) if isinstance(value, tuple) else value


def lines(path: Path, uri: str, terms: Terms) -> list[Lines]:
    """Shards of a file."""
    seen, packed = path.stat(), PACKED.get(path.suffix.lower(), "")
    size = sys.maxsize if packed else seen.st_size
    edges = [0, size] if packed else [*range(0, size, BYTES), size]
    spans = [(a, b) for a, b in pairwise(edges) if a < b]
    said = (str(path), str(seen.st_size), str(seen.st_mtime_ns), repr(terms))
    return [
        Lines(
            name=content_id(*said, repr(span)),
            path=str(path),
            uri=uri,
            at=seen.st_mtime,
            start=span[0],
            end=span[1],
            packed=packed,
            terms=terms,
        )
        for span in spans
    ]
