"""The HTTP client against real servers that behave well, slowly, oddly or not at all."""

import asyncio
import gzip
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from openflywheel.base.instruments import wire
from openflywheel.base.instruments.wire import Broken, Garbled, Pool

WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-Request-Id: r\r\n\r\nhello"
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers every request on a connection with the bytes that `script` gives it in turn."""

    def __init__(self, *script: bytes | None) -> None:
        self.script, self.requests, self.connections = list(script), [], 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.script:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
                self.requests.append(head + await reader.readexactly(length))
                answer = self.script.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(handle: Handle, **pool: Any):
    handling: set[asyncio.Task[None]] = set()

    async def closed_in_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handling.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.CancelledError):
            await handle(reader, writer)
        writer.transport.abort() if asyncio.current_task().cancelling() else writer.close()

    server = await asyncio.start_server(closed_in_the_end, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    host, addresses = pool.get("host", "127.0.0.1"), pool.get("addresses")
    url = f"http://{host}:{port}/v1/"
    opened = Pool(url, pool.get("connect", 5), pool.get("silence", 5), addresses=addresses)
    try:
        yield opened
    finally:
        opened.close()
        server.close()
        for task in handling:
            task.cancel()
        await asyncio.gather(*handling, return_exceptions=True)
        await asyncio.sleep(0)


async def post(pool: Pool, body: bytes = b"{}") -> bytes:
    return await (await pool.request("POST", "/chat", {"x-a": "1"}, body)).read()


def test_a_request_is_sent_whole_and_its_reply_is_read():
    async def scene() -> None:
        server = Server(WHOLE)
        async with listening(server) as pool:
            reply = await pool.request("POST", "/chat", {"x-a": "1"}, b"\x00body")
            assert (reply.status, reply.headers["x-request-id"]) == (200, "r")
            assert (b"x-request-id", b"r") in reply.raw_headers
            assert await reply.read() == b"hello"
        [request] = server.requests
        assert request.startswith(b"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1:")
        assert b"\r\nx-a: 1\r\n" in request
        assert b"content-length: 5\r\n" in request
        assert request.endswith(b"\r\n\r\n\x00body")

    asyncio.run(scene())


def test_a_connection_is_kept_for_the_next_request():
    async def scene() -> None:
        server = Server(*[WHOLE] * 5)
        async with listening(server) as pool:
            for _ in range(5):
                assert await post(pool) == b"hello"
        assert server.connections == 1

    asyncio.run(scene())


def test_requests_at_once_have_a_connection_each():
    async def scene() -> None:
        server = Server(*[WHOLE] * 8)
        async with listening(server) as pool:
            assert await asyncio.gather(*(post(pool) for _ in range(8))) == [b"hello"] * 8
        assert server.connections == 8

    asyncio.run(scene())


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE,
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + WHOLE,
    ],
    ids=["chunks", "100", "103"],
)
def test_every_way_of_framing_a_body_is_read(reply):
    async def scene() -> None:
        async with listening(Server(reply, WHOLE)) as pool:
            assert await post(pool) == b"hello"
            assert await post(pool) == b"hello"

    asyncio.run(scene())


def test_a_body_may_end_with_its_connection():
    async def scene() -> None:
        async with listening(Server(b"HTTP/1.1 200 OK\r\n\r\nhello", None)) as pool:
            reply = await pool.request("POST", "/chat", {})
            asyncio.get_running_loop().call_later(0.05, pool.close)
            with pytest.raises(Broken):
                await reply.read()

        async def once(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello")
            writer.close()

        async with listening(once) as pool:
            assert await post(pool, b"") == b"hello"

    asyncio.run(scene())


def test_a_connection_that_says_close_is_not_used_again():
    async def scene() -> None:
        closing = WHOLE.replace(b"X-Request-Id: r", b"connection: close")
        server = Server(closing, WHOLE)
        async with listening(server) as pool:
            assert await post(pool) == b"hello"
            assert await post(pool) == b"hello"
        assert server.connections == 2

    asyncio.run(scene())


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_without_a_failure():
    async def scene() -> None:
        server = Server(WHOLE, None, WHOLE)
        async with listening(server) as pool:
            assert await post(pool) == b"hello"
            assert await post(pool) == b"hello"
        assert (server.connections, len(server.requests)) == (2, 3)

    asyncio.run(scene())


def test_a_reply_that_has_begun_is_not_asked_for_again():
    async def scene() -> None:
        server = Server(WHOLE, b"HTTP/1.1 200 OK\r\nx-a:", None, WHOLE)
        async with listening(server) as pool:
            assert await post(pool) == b"hello"
            asyncio.get_running_loop().call_later(0.1, lambda: [c.drop(Broken("cut")) for c in [*pool._all]])
            with pytest.raises(Broken, match="cut"):
                await post(pool)
        assert len(server.requests) == 2

    asyncio.run(scene())


def test_a_fresh_connection_that_is_closed_without_an_answer_is_a_failure():
    async def scene() -> None:
        async with listening(Server(None)) as pool:
            with pytest.raises(Broken, match="closed"):
                await post(pool)

    asyncio.run(scene())


def test_idle_connections_are_given_up(monkeypatch):
    async def scene() -> None:
        server = Server(WHOLE, WHOLE)
        async with listening(server) as pool:
            assert await post(pool) == b"hello"
            monkeypatch.setattr(wire, "IDLE", -1.0)
            assert await post(pool) == b"hello"
        assert server.connections == 2

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (b"hello, this is no HTTP\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000 + b"\r\n\r\n", "longer than"),
    ],
    ids=["words", "two lengths", "a long head"],
)
def test_what_is_no_http_is_refused(reply, said):
    async def scene() -> None:
        async with listening(Server(reply)) as pool:
            with pytest.raises(Broken, match=said):
                await post(pool)

    asyncio.run(scene())


def test_a_body_that_breaks_off_is_never_taken_for_whole():
    async def scene() -> None:
        for cut in (WHOLE[:-2], b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel"):
            async with listening(Server(cut, None)) as pool:
                reply = await pool.request("POST", "/chat", {})
                asyncio.get_running_loop().call_later(0.05, pool.close)
                with pytest.raises(Broken):
                    await reply.read()

    asyncio.run(scene())


def test_silence_is_bounded_before_the_head_and_within_the_body():
    async def scene() -> None:
        async def silent(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(2)
            writer.close()

        async with listening(silent, silence=0.1) as pool:
            with pytest.raises(TimeoutError, match=r"no byte came for 0\.1 s"):
                await post(pool, b"")

        async def stalls(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(WHOLE[:-2])
            await asyncio.sleep(2)
            writer.close()

        async with listening(stalls, silence=0.1) as pool:
            reply = await pool.request("POST", "/chat", {})
            with pytest.raises(TimeoutError):
                await reply.read()

    asyncio.run(scene())


def test_an_answer_may_take_longer_than_the_silence_as_long_as_it_comes():
    async def scene() -> None:
        async def slow(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n")
            for _ in range(8):
                writer.write(b"a")
                await asyncio.sleep(0.1)

        async with listening(slow, silence=0.4) as pool:
            assert await post(pool, b"") == b"a" * 8

    asyncio.run(scene())


def test_a_connection_that_cannot_be_made_is_an_oserror():
    async def scene() -> None:
        async with listening(Server()) as pool:
            address = pool
        with pytest.raises(OSError, match="Connect call failed"):
            await post(address)

    asyncio.run(scene())


def test_pieces_come_as_they_are_sent_and_a_reader_that_lags_holds_up_the_provider():
    async def scene() -> None:
        sent = 0

        async def pours(reader, writer):
            nonlocal sent
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 40000000\r\n\r\n")
            for _ in range(400):
                writer.write(b"x" * 100_000)
                await writer.drain()
                sent += 100_000

        async with listening(pours) as pool:
            reply = await pool.request("POST", "/chat", {})
            first = await reply.readany()
            await asyncio.sleep(0.3)
            assert sent < 20_000_000  # the sockets' buffers hold some megabytes
            size = len(first)
            while piece := await reply.readany():
                size += len(piece)
            assert size == 40_000_000

    asyncio.run(scene())


def test_giving_up_closes_the_connection():
    async def scene() -> None:
        gone = asyncio.Event()

        async def endless(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
            await reader.read()
            gone.set()
            writer.close()

        async with listening(endless) as pool:
            reply = await pool.request("POST", "/chat", {})
            assert await reply.readany() == b"a"
            reply.close()
            await asyncio.wait_for(gone.wait(), 5)
            with pytest.raises(Broken, match="given up"):
                await reply.readany()

    asyncio.run(scene())


def test_whoever_stops_waiting_gives_up_the_connection():
    async def scene() -> None:
        async def silent(reader, writer):
            await reader.read()
            writer.close()

        async with listening(silent) as pool:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pool.request("POST", "/chat", {}), 0.1)
            assert not pool._idle

    asyncio.run(scene())


def test_bytes_pass_as_they_are():
    async def scene() -> None:
        packed = gzip.compress(b"hello")
        head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
        async with listening(Server(head + packed)) as pool:
            assert await post(pool) == packed

    asyncio.run(scene())


@pytest.mark.parametrize("value", ["a\r\nx-b: 2", "a\nx-b: 2", "a\rb"])
def test_a_header_cannot_smuggle_another_one(value):
    async def scene() -> None:
        server = Server(WHOLE)
        async with listening(server) as pool:
            with pytest.raises(Broken, match="line break"):
                await pool.request("POST", "/chat", {"x-a": value})
        assert server.requests == []

    asyncio.run(scene())


def test_a_redirect_is_not_followed():
    async def scene() -> None:
        moved = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
        server = Server(moved)
        async with listening(server) as pool:
            assert (await pool.request("POST", "/chat", {})).status == 302
        assert len(server.requests) == 1

    asyncio.run(scene())


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is missing: no certificate can be made")
def test_a_provider_must_prove_who_it_is(tmp_path):
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-days", "1"]
    made += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "certificate.pem")]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")

    async def scene() -> None:
        server = Server(WHOLE, WHOLE)
        async with await asyncio.start_server(server, "127.0.0.1", 0, ssl=context) as listens:
            pool = Pool(f"https://localhost:{listens.sockets[0].getsockname()[1]}/v1", 5, 5)
            with pytest.raises(ssl.SSLCertVerificationError):
                await post(pool)
            assert server.requests == []
            pool._tls.load_verify_locations(tmp_path / "certificate.pem")
            assert await post(pool) == b"hello"
            pool.close()
            await asyncio.sleep(0.05)

    asyncio.run(scene())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_without_a_body_says_no_length(method):
    async def scene() -> None:
        server = Server(b"HTTP/1.1 204 No Content\r\n\r\n")
        async with listening(server) as pool:
            await pool.request(method, "/models", {})
        assert server.requests[0].startswith(f"{method} /v1/models ".encode())
        assert b"content-length" not in server.requests[0]

    asyncio.run(scene())


def test_an_empty_post_and_a_get_with_a_body_say_theirs():
    async def scene() -> None:
        server = Server(WHOLE, WHOLE)
        async with listening(server) as pool:
            await post(pool, b"")
            await (await pool.request("GET", "/search", {}, b"{}")).read()
        assert [b"content-length: %d\r\n" % n in r for n, r in zip((0, 2), server.requests, strict=True)] == [
            True,
            True,
        ]

    asyncio.run(scene())


def test_what_must_not_be_sent_twice_is_not():
    async def scene() -> None:
        server = Server(WHOLE, None, WHOLE)
        async with listening(server) as pool:
            assert await post(pool) == b"hello"
            with pytest.raises(Broken, match="closed"):
                await pool.request("POST", "/pay", {}, b"{}", repeat=False)
        assert len(server.requests) == 2

    asyncio.run(scene())


def counted(*addresses: str):
    async def look_up() -> tuple[str, ...]:
        look_up.times += 1
        return addresses

    look_up.times = 0
    return look_up


def test_it_connects_to_the_addresses_it_is_given_and_says_the_hosts_name():
    async def scene() -> None:
        server, addresses = Server(*[WHOLE] * 3), counted("127.0.0.1")
        async with listening(server, host="api.example.com", addresses=addresses) as pool:
            for _ in range(3):
                assert await post(pool) == b"hello"
        assert (addresses.times, server.connections) == (1, 1)
        assert b"\r\nhost: api.example.com:" in server.requests[0]

    asyncio.run(scene())


def test_addresses_are_tried_in_turn_and_the_last_one_says_what_is_wrong():
    async def scene() -> None:
        server = Server(WHOLE)
        async with listening(server, addresses=counted("127.0.0.2", "127.0.0.3", "127.0.0.1")) as pool:
            assert await post(pool) == b"hello"
        async with listening(server, addresses=counted("127.0.0.2", "127.0.0.3")) as pool:
            with pytest.raises(OSError, match=r"127\.0\.0\.3"):
                await post(pool)
        assert server.connections == 1

    asyncio.run(scene())


def test_what_the_look_up_raises_is_passed_on():
    async def refused() -> tuple[str, ...]:
        raise PermissionError("not this one")

    async def scene() -> None:
        async with listening(Server(), addresses=refused) as pool:
            with pytest.raises(PermissionError, match="not this one"):
                await post(pool)

    asyncio.run(scene())


LONG = b"a" * 40_000


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nx: " + LONG + b"\r\ny: " + LONG + b"\r\ncontent-length: 0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 257 + b"content-length: 0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nx: ", *[LONG] * 20],
        [b"HTTP/1.1 100 Continue\r\nx: " + LONG + b"\r\n\r\n"] * 20,
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ", *[LONG] * 20],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=", *[LONG] * 20],
    ],
    ids=["long", "many", "endless", "interim", "trailers", "extension"],
)
def test_a_head_and_what_stands_between_pieces_of_a_body_have_a_bound(pieces):
    async def scene() -> None:
        async def pours(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)
            await reader.read()

        async with listening(pours) as pool:
            with pytest.raises(Garbled, match="longer than 65536 bytes or 256 headers"):
                await post(pool, b"")

    asyncio.run(scene())


def test_a_long_body_in_small_chunks_is_none_of_that():
    async def scene() -> None:
        chunks = b"1\r\na\r\n" * 50_000
        whole = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
        async with listening(Server(whole, WHOLE)) as pool:
            assert await post(pool) == b"a" * 50_000
            assert await post(pool) == b"hello"

    asyncio.run(scene())
