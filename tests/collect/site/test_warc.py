import gzip
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from openflywheel.base.nouns import Drop
from openflywheel.collect._site.warc import Writer
from openflywheel.collect._site.warc_reader import MOST_BYTES, Archived, read

URL = "http://h/docs/a?b=1"
DATE = datetime(2024, 3, 5, 11, 0, tzinfo=timezone(timedelta(hours=1)))
HEADERS = {"content-type": "text/html; charset=utf-8", "content-encoding": "gzip", "content-length": "7"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.warc.gz"


def written(path: Path, *bodies: bytes) -> Path:
    with Writer(path, "openflywheel/0.1") as archive:
        for body in bodies:
            archive.write(URL, 200, HEADERS, body, asked={"user-agent": "us"}, date=DATE)
    return path


def test_what_is_written_is_read_again(path: Path) -> None:
    headers = {
        "content-type": "text/html; charset=utf-8",
        "x-archive-content-encoding": "gzip",
        "x-archive-content-length": "7",
        "content-length": "13",
    }
    [found] = read(written(path, "<p>Grüße".encode() + b"\r\n\0"))
    assert found == Archived(URL, 200, headers, "<p>Grüße".encode() + b"\r\n\0", "2024-03-05T10:00:00+00:00")


def test_fastwarc_finds_every_record_and_digest_good(path: Path) -> None:
    written(path, b"one", b"")
    kinds = []
    with path.open("rb") as file:
        for record in ArchiveIterator(file, parse_http=False):
            assert record.verify_block_digest()
            kinds.append(record.record_type)
        file.seek(0)
        answers = [r for r in ArchiveIterator(file) if r.record_type == WarcRecordType.response]
        assert len(answers) == 2
    one = [WarcRecordType.response, WarcRecordType.request]
    assert kinds == [WarcRecordType.warcinfo, *one, *one]


def test_records_are_members_of_their_own_with_the_fields_of_the_standard(path: Path) -> None:
    text = gzip.decompress(written(path, b"hello").read_bytes()).decode()
    info, answer, request = [part for part in text.split("WARC/1.1\r\n") if part]
    assert "software: openflywheel/0.1\r\n" in info
    assert f"WARC-Target-URI: {URL}\r\n" in answer
    assert "WARC-Payload-Digest: sha1:VL2MMHO4YXUKFWV63YHTWSBM3GXKSQ2N\r\n" in answer  # SHA-1 of "hello"
    id = next(line for line in answer.splitlines() if line.startswith("WARC-Record-ID")).partition(": ")[2]
    assert f"WARC-Concurrent-To: {id}\r\n" in request
    assert "GET /docs/a?b=1 HTTP/1.1\r\nuser-agent: us\r\n" in request
    assert path.read_bytes().count(b"\x1f\x8b\x08") >= 3


def test_an_archive_grows_and_has_one_head(path: Path) -> None:
    written(path, b"one")
    written(path, b"two")
    assert [a.body for a in read(path) if isinstance(a, Archived)] == [b"one", b"two"]
    assert gzip.decompress(path.read_bytes()).count(b"WARC-Type: warcinfo") == 1


def test_a_line_end_in_a_header_is_none(path: Path) -> None:
    with Writer(path, "x") as archive:
        archive.write("http://h/", 404, {"x-a": "1\r\nx-b: 2"}, b"")
    [found] = read(path)
    assert isinstance(found, Archived)
    assert found.status == 404
    assert found.headers == {"x-a": "1  x-b: 2", "content-length": "0"}


def test_a_date_is_now_unless_it_is_said(path: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    with Writer(path, "x") as archive:
        archive.write("http://h/", 200, {}, b"")
    [found] = read(path)
    assert isinstance(found, Archived)
    assert before <= datetime.fromisoformat(found.date) <= datetime.now(UTC)


@pytest.mark.fault
def test_an_archive_that_was_cut_off_gives_what_is_whole(path: Path) -> None:
    whole = written(path, b"one", b"two").read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        bodies = [a.body for a in read(path) if isinstance(a, Archived)]
        assert bodies in ([], [b"one"], [b"one", b"two"])


def record(block: bytes, length: int | None = None, kind: str = "response") -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <http://h/b>\r\n"
        "WARC-Date: 2024-01-01T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: application/http;msgtype={kind}\r\n"
        f"Content-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def packed(head: bytes, megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return (
        packer.compress(head)
        + b"".join(packer.compress(bytes(1_000_000)) for _ in range(megabytes))
        + packer.flush()
    )


def test_archives_of_others_are_unpacked(path: Path) -> None:
    body = gzip.compress(b"hello")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    path.write_bytes(record(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)))
    [found] = read(path)
    assert isinstance(found, Archived)
    assert (found.url, found.body, found.date) == ("http://h/b", b"hello", "2024-01-01T00:00:00+00:00")


def test_a_packed_body_that_grows_is_refused(path: Path) -> None:
    body = packed(b"", 100)
    path.write_bytes(
        record(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + body)
        + record(b"HTTP/1.1 200 OK\r\n\r\nx")
    )
    first, second = read(path)
    assert first == Drop("archive: answer too large")
    assert isinstance(second, Archived)
    assert second.body == b"x"


def test_a_large_answer_is_left_out_and_the_next_one_read(path: Path) -> None:
    large = b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MOST_BYTES)
    path.write_bytes(record(large) + record(b"HTTP/1.1 200 OK\r\n\r\nx"))
    first, second = read(path)
    assert first == Drop("archive: answer too large")
    assert isinstance(second, Archived)


def test_an_archive_that_is_a_bomb_is_given_up(path: Path) -> None:
    path.write_bytes(packed(record(b"", length=600_000_000)[:-4] + b"HTTP/1.1 200 OK\r\n\r\n", 1))
    assert list(read(path)) == [Drop("archive: a bomb")]


def test_what_is_no_answer_is_passed_over(path: Path) -> None:
    path.write_bytes(record(b"x", kind="metadata") + record(b"GET / HTTP/1.1\r\n\r\n", kind="request"))
    assert list(read(path)) == []


@pytest.mark.parametrize(
    "body", [b"", b"junk" * 1_000, b"\x1f\x8bjunk", b"WARC/1.0\r\n", record(b"no http at all")]
)
def test_what_is_no_archive_harms_nothing(path: Path, body: bytes) -> None:
    path.write_bytes(body)
    assert all(isinstance(found, Archived | Drop) for found in read(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        next(read(tmp_path / "no.warc"))
