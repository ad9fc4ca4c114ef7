"""Web archives (WARC 1.1, ISO 28500:2017), written: what a crawl fetched, one gzip member a record.

Our own: FastWARC's writer wants the HTTP head as bytes as well, and no crawl should need an extra to keep
what it has fetched. Reading is in warc_reader.py.
"""

import gzip
import uuid
from base64 import b32encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha1
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

# The body is kept as it was unpacked, so that these would be wrong; they stay under another name.
_OUTDATED = ("content-encoding", "transfer-encoding", "content-length")
NONE: Mapping[str, str] = {}


class Writer:
    """Appends fetched pages to a .warc.gz file; a file that was cut off at any member stays readable.

    Each page is a response record and the request record that belongs to it.
    """

    def __init__(self, path: Path, software: str) -> None:
        new = not path.exists() or not path.stat().st_size
        self._file = path.open("ab")
        if new:
            info = f"software: {software}\r\nformat: WARC File Format 1.1\r\n".encode()
            self._record("warcinfo", info, {"Content-Type": "application/warc-fields"})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(
        self,
        url: str,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        *,
        asked: Mapping[str, str] = NONE,
        date: datetime | None = None,
    ) -> None:
        """Append one page. `headers` are the answer's, `asked` those of the request, `body` is unpacked.

        `date` is when it came (with a time zone), now unless it is said.
        """
        common = {"WARC-Target-URI": url, "WARC-Date": _stamp(date or datetime.now(UTC))}
        answer = _head(f"HTTP/1.1 {status} {_phrase(status)}", _answered(headers, len(body))) + body
        http = "application/http;msgtype="
        ours = {"WARC-Payload-Digest": _digest(body), "Content-Type": f"{http}response"}
        id = self._record("response", answer, {**common, **ours})
        together = {"WARC-Concurrent-To": id, "Content-Type": f"{http}request"}
        self._record("request", _head(f"GET {_target(url)} HTTP/1.1", asked), {**common, **together})
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _record(self, kind: str, block: bytes, fields: Mapping[str, str]) -> str:
        id = f"<urn:uuid:{uuid.uuid4()}>"
        said = {
            "WARC-Type": kind,
            "WARC-Record-ID": id,
            "WARC-Date": _stamp(datetime.now(UTC)),
            "WARC-Block-Digest": _digest(block),
            **fields,
            "Content-Length": str(len(block)),
        }
        self._file.write(gzip.compress(_head("WARC/1.1", said) + block + b"\r\n\r\n", compresslevel=6))
        return id


def _head(first: str, fields: Mapping[str, str]) -> bytes:
    """A first line and fields; a line end within them would be a field that nobody sent."""
    lines = [first, *(f"{name}: {value}" for name, value in fields.items())]
    plain = (line.replace("\r", " ").replace("\n", " ") for line in lines)
    return "\r\n".join([*plain, "", ""]).encode(errors="replace")


def _answered(headers: Mapping[str, str], length: int) -> dict[str, str]:
    kept = {f"x-archive-{n}" if n.lower() in _OUTDATED else n: v for n, v in headers.items()}
    return {**kept, "content-length": str(length)}


def _phrase(status: int) -> str:
    known: Iterable[HTTPStatus] = HTTPStatus
    return next((s.phrase for s in known if s == status), "")


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _stamp(date: datetime) -> str:
    return date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _digest(data: bytes) -> str:
    """As in section 5.8's example, and as other tools write it; it names content and proves nothing."""
    return "sha1:" + b32encode(sha1(data, usedforsecurity=False).digest()).decode()
