"""The objects of a JSON Lines file or of a JSON array, one at a time: files may be larger than the memory."""

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from openflywheel.base.nouns import Drop

LONGEST = 16_000_000  # bytes of a line or an object; a conversation of 1,000 turns has about 500,000
CHUNK = 1_048_576
BETWEEN = re.compile(r"[\s,]*")
INSIDE = b' \t"}]'  # how lines inside an object begin
BROKEN = (ValueError, RecursionError)


def objects(file: BinaryIO) -> Iterator[Any]:
    """What a file holds, or a Drop for what cannot be read.

    An array gives its items, an object that is written over several lines itself, and else every line is
    one. A last line without an end that is broken is left out: somebody is still writing it.
    """
    start = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    file.seek(0)
    if start == b"[":
        yield from _array(file)
        return
    first, second = file.readline(LONGEST), file.readline(LONGEST)
    file.seek(0)
    if start == b"{" and isinstance(_decoded(first), Drop) and second[:1] in INSIDE and second:
        yield _whole(file)
        return
    yield from _lines(file)


def _lines(file: BinaryIO) -> Iterator[Any]:
    while line := file.readline(LONGEST):
        ended = line.endswith(b"\n")
        if not ended and len(line) == LONGEST:
            while (rest := file.readline(CHUNK)) and not rest.endswith(b"\n"):
                pass
            yield Drop("line too long")
        elif line.strip():
            found = _decoded(line)
            if ended or not isinstance(found, Drop):
                yield found


def _decoded(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"))
    except BROKEN:
        return Drop("line is no JSON")


def _whole(file: BinaryIO) -> Any:
    said = file.read(LONGEST * 4 + 1)
    if len(said) > LONGEST * 4:
        return Drop("object too large")
    try:
        return msgspec.json.decode(said.removeprefix(b"\xef\xbb\xbf"))
    except BROKEN:
        return Drop("file is no JSON")


def _array(file: BinaryIO) -> Iterator[Any]:
    """Items are cut out of a text that grows to twice its size until one is whole: linear time."""
    decode, decoder = getincrementaldecoder("utf-8-sig")("replace").decode, json.JSONDecoder()
    text = decode(file.read(CHUNK))
    place = text.index("[") + 1
    while True:
        place = BETWEEN.match(text, place).end()  # type: ignore[union-attr]
        if text.startswith("]", place):
            return
        try:
            item, place = decoder.raw_decode(text, place)
        except BROKEN:
            left = len(text) - place
            more = file.read(max(CHUNK, left)) if left < LONGEST else b""
            if not more:
                yield Drop("file broken off")
                return
            text, place = text[place:] + decode(more), 0
            continue
        yield item
