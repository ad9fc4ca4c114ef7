"""Web archives, read (extra `warc`): the answers that a .warc or .warc.gz holds, whoever wrote it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from openflywheel.base.nouns import Drop

MOST_BYTES = 16_000_000  # of one answer, unpacked
MOST_HEAD = 65_536  # bytes of a record's header
RATIO, FREE = 200, 100_000_000  # what an archive may unpack to: pages pack 3 to 20 times


class Archived(NamedTuple):
    """An answer of an archive: `headers` have lower-case names, `body` is unpacked, `date` is ISO 8601."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    date: str


def read(path: Path) -> Iterator[Archived | Drop]:
    """The HTTP answers of an archive in their order, with a Drop for each that is broken or too large.

    An archive that would unpack to more than 200 times its size is given up. Raises OSError when the file
    cannot be opened.
    """
    allowed = path.stat().st_size * RATIO + FREE
    with path.open("rb") as file:
        records = ArchiveIterator(
            file, parse_http=False, max_header_len=MOST_HEAD, quirks_mode=True, fsspec_args=False
        )
        try:
            for record in records:
                allowed -= record.content_length
                if allowed < 0:
                    yield Drop("archive: a bomb")
                    return
                if record.record_type == WarcRecordType.response and record.is_http:
                    yield _answer(record)
        except (OSError, ValueError):
            yield Drop("archive: broken off")


def _answer(record: WarcRecord) -> Archived | Drop:
    length = record.content_length
    if length > MOST_BYTES:
        return Drop("archive: answer too large")
    try:
        block = record.reader.read(length + 1)
        record.set_bytes_content(block)
        record.parse_http(auto_decode="all")
        body = record.reader.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        return Drop("archive: answer broken")
    http = record.http_headers
    if len(block) != length or http is None or http.status_code is None:
        return Drop("archive: answer broken")
    if len(body) > MOST_BYTES:
        return Drop("archive: answer too large")
    headers = {name.lower(): value for name, value in http.astuples()}
    url, date = record.headers.get("WARC-Target-URI") or "", record.record_date
    return Archived(url.strip("<>"), http.status_code, headers, body, date.isoformat() if date else "")
