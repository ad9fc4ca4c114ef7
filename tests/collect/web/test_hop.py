"""One request to far sides that send too much, too slowly, too little or nonsense."""

import gzip
import socket
import struct
import time
import zlib

import pytest

from openflywheel.collect._web import hop
from openflywheel.collect._web.errors import FetchFailed

from .conftest import Answer, reply

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def sends(head: bytes, piece: bytes, pause: float = 0.0, most: int = 2_000) -> Answer:
    """A head, then the same piece again and again until the client has gone."""

    def answer(connection: socket.socket, request: bytes) -> None:
        connection.sendall(head)
        for _ in range(most):
            connection.sendall(piece)
            time.sleep(pause)

    return answer


def closes(sent: bytes) -> Answer:
    def answer(connection: socket.socket, request: bytes) -> None:
        connection.sendall(sent)
        connection.close()

    return answer


def failure(web, url: str, **more) -> FetchFailed:
    with pytest.raises(FetchFailed) as failed:
        web.get(url, **more)
    return failed.value


@pytest.fixture
def hasty(monkeypatch):
    for name, seconds in {"CONNECT": 0.3, "HEAD": 0.3, "GRACE": 0.3, "WHOLE": 1.0}.items():
        monkeypatch.setattr(hop, name, seconds)


def test_a_head_that_comes_drop_by_drop_is_given_up(web, evil, hasty):
    drops = sends(b"HTTP/1.1 200 OK\r\nx: ", b"a", pause=0.02)
    assert failure(web, evil.says(drops)).reason == "too slow"


def test_a_body_that_comes_drop_by_drop_is_given_up(web, evil, hasty):
    drops = sends(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b"a", pause=0.02)
    assert failure(web, evil.says(drops)).reason == "too slow"


def test_a_body_that_never_begins_is_given_up(web, evil, hasty):
    def begins(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
        time.sleep(0.8)
        connection.close()

    assert failure(web, evil.says(begins)).reason == "too slow"  # it would be "broken off" after the 0.8 s


def test_a_body_that_comes_slowly_but_surely_may_take_its_time(web, evil, hasty):
    slowly = sends(b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n", b"a" * 200, pause=0.06, most=10)
    assert web.get(evil.says(slowly)).body == b"a" * 2_000


def test_a_body_that_keeps_its_pace_for_too_long_is_given_up(web, evil, hasty):
    steadily = sends(CHUNKED, b"64\r\n" + b"a" * 100 + b"\r\n", pause=0.02)
    start = time.monotonic()
    assert failure(web, evil.says(steadily), most=1_000).reason in ("too slow", "too large")
    assert failure(web, evil.says(steadily), most=1_000_000).reason == "too slow"
    assert time.monotonic() - start < 30


def test_whoever_allows_a_large_body_allows_it_time(web, evil, hasty):
    hours = sends(CHUNKED, b"64\r\n" + b"a" * 100 + b"\r\n", pause=0.02, most=75)

    def whole(connection: socket.socket, request: bytes) -> None:
        hours(connection, request)
        connection.sendall(b"0\r\n\r\n")

    assert len(web.get(evil.says(whole), most=10_000_000).body) == 7_500


def test_a_peer_that_says_nothing_is_given_up(web, evil, hasty):
    assert failure(web, evil.says(lambda connection, request: time.sleep(0.6))).reason == "too slow"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: a\r\n" * 300 + b"content-length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"fffffffffffffffff\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        bytes(10_000),
    ],
    ids=[
        "long head",
        "many headers",
        "100s",
        "ssh",
        "length",
        "two lengths",
        "chunk",
        "huge chunk",
        "tls",
        "zeros",
    ],
)
def test_what_is_no_http_is_refused_and_not_asked_for_again(web, evil, answer):
    assert failure(web, evil.says(answer)).reason == "bad reply"
    assert len(evil.requests) == 1


@pytest.mark.parametrize(
    "piece", [b"a" * 10_000, b"\r\nx-trailer: " + b"a" * 5_000], ids=["a trailer", "many trailers"]
)
def test_trailers_without_end_are_refused(web, evil, piece):
    assert failure(web, evil.says(sends(CHUNKED + b"0\r\nx: ", piece))).reason == "bad reply"


def test_a_chunk_whose_extension_has_no_end_is_refused(web, evil):
    assert failure(web, evil.says(sends(CHUNKED + b"5;x=", b"a" * 10_000))).reason == "bad reply"


def test_a_body_that_says_it_is_too_large_is_not_read(web, evil):
    sent = []

    def large(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        sent.extend(connection.send(bytes(1_000_000)) for _ in range(1_000))

    failed = failure(web, evil.says(large))
    assert (failed.reason, "content-length" in str(failed)) == ("too large", True)
    evil.threads[1].join(10)
    assert sum(sent) < 30_000_000  # what the buffers of two sockets hold


@pytest.mark.parametrize("head", [CHUNKED, b"HTTP/1.1 200 OK\r\n\r\n"], ids=["chunks", "until it closes"])
def test_a_body_without_an_end_is_refused_where_the_cap_is(web, evil, head):
    piece = b"3e8\r\n" + b"a" * 1_000 + b"\r\n" if head is CHUNKED else b"a" * 1_000
    assert failure(web, evil.says(sends(head, piece)), most=100_000).reason == "too large"


def test_a_bomb_is_refused(web, evil):
    packing, zeros = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(1_000_000)
    bomb = b"".join(packing.compress(zeros) for _ in range(40)) + packing.flush()
    assert failure(web, evil.says(reply(bomb, content_encoding="gzip"))).reason == "too large"


def test_a_packing_that_was_not_asked_for_is_refused(web, evil):
    assert failure(web, evil.says(reply(b"x", content_encoding="br"))).reason == "bad encoding"
    assert b"accept-encoding: gzip, deflate\r\n" in evil.requests[0]


def test_packed_bodies_are_unpacked(web, evil):
    packed = web.get(evil.says(reply(gzip.compress(b"hello"), content_encoding="gzip")))
    assert packed.body == b"hello"


def test_a_body_shorter_than_it_says_is_broken_off_and_asked_for_again(web, evil):
    short = closes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello")
    assert failure(web, evil.says(short)).reason == "broken off"
    assert len(evil.requests) == 4
    assert web.get(evil.says(short, reply(b"whole"))).body == b"whole"


def test_a_body_longer_than_it_says_is_cut_where_it_says(web, evil):
    assert web.get(evil.says(reply(b"hello", content_length=2))).body == b"he"
    assert web.get(evil.says(reply(b"fresh"))).body == b"fresh"
    assert evil.connections == 2  # the bytes too many made the first one useless


def test_a_peer_that_closes_its_half_in_the_head_or_a_chunk_is_broken_off(web, evil):
    for sent in (b"", b"HTTP/1.1 200 OK\r\nx:", CHUNKED + b"5\r\nhe"):

        def half(connection: socket.socket, request: bytes, sent: bytes = sent) -> None:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)

        assert failure(web, evil.says(half)).reason == "broken off"


def test_a_peer_that_resets_the_connection_is_broken_off(web, evil):
    def resets(connection: socket.socket, request: bytes) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    assert failure(web, evil.says(resets)).reason in ("broken off", "no connection")


def test_nobody_listening_is_no_connection(web):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert failure(web, f"http://127.0.0.1:{free.getsockname()[1]}/").reason == "no connection"


def test_headers_that_come_twice_are_joined_but_the_first_location_and_type_count(web, evil):
    twice = reply(b"x").replace(
        b"\r\n\r\n",
        b"\r\nX-Robots-Tag: noai\r\nx-robots-tag: noindex\r\ncontent-type: a/b\r\nContent-Type: c/d\r\n\r\n",
    )
    headers = web.get(evil.says(twice)).headers
    assert headers["x-robots-tag"] == "noai, noindex"
    assert headers["content-type"] == "a/b"
    assert headers["content-length"] == "1"


def test_a_head_has_no_body_whatever_length_it_says(web, evil):
    evil.says(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\ncontent-encoding: br\r\n\r\n")
    response = web.run(web.fetch(evil.url, method="HEAD"))
    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_replies_without_a_body_have_none(web, evil, status):
    evil.says(f"HTTP/1.1 {status}\r\netag: x\r\n\r\n".encode())
    assert web.get(evil.url).body == b""
    assert web.get(evil.url).body == b""
    assert evil.connections == 1


def test_a_long_body_that_nobody_wants_is_not_read(web, evil):
    asked, head = [], CHUNKED.replace(b"200 OK", b"302 Found\r\nlocation: /end")

    def moved(connection: socket.socket, request: bytes) -> None:
        asked.append(request.split()[1])
        if asked[-1] == b"/end":
            return connection.sendall(reply(b"there"))
        sends(head, b"3e8\r\n" + b"a" * 1_000 + b"\r\n")(connection, request)
        return None

    assert web.get(evil.says(moved)).body == b"there"
    assert asked == [b"/", b"/end"]
    assert evil.connections == 2
