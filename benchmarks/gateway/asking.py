"""The requests of the benchmark, as bytes on the wire: 1.7 KB, each with a marker of its own."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

SIZE = 1_700  # bytes of a body
BLANK = "m000000000q"
MARKER = re.compile(r"m\d{9}q")
TEXT = "The parcel was promised for Monday and has not arrived; what can be done about it? "
_numbers = itertools.count()


class Request(NamedTuple):
    """A whole HTTP/1.1 request."""

    marker: str
    wire: bytes


def chats(path: str, model: str, headers: Mapping[str, str], *, stream: bool = False) -> Iterator[Request]:
    """Endless chat requests of SIZE bytes. They differ in their marker, so that no cache can answer."""
    body = _chat(model, BLANK, stream)
    body = _chat(model, (BLANK + " " + TEXT * SIZE)[: len(BLANK) + SIZE - len(body)], stream)
    first, last = wire(path, body, headers).split(BLANK.encode())
    for number in _numbers:
        marker = f"m{number:09d}q"
        yield Request(marker, first + marker.encode() + last)


def questions(path: str, model: str, texts: Iterator[str]) -> Iterator[Request]:
    """One short chat request a text."""
    for text in texts:
        yield Request("", wire(path, _chat(model, text), {}))


def marked(log: Path) -> set[str]:
    """The markers that a log holds; none where there is no log yet."""
    return set(MARKER.findall(log.read_text(encoding="utf-8", errors="replace"))) if log.exists() else set()


def wire(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A POST request of JSON on a connection that stays open."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        "Authorization: Bearer sk-benchmark",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _chat(model: str, text: str, stream: bool = False) -> bytes:
    system = {"role": "system", "content": "You answer the customers of a shop, politely and in short."}
    messages = [system, {"role": "user", "content": text}]
    return json.dumps({"model": model, "messages": messages} | ({"stream": True} if stream else {})).encode()
