"""HTTP/1.1 to one host over kept connections: httptools parses, asyncio carries.

The gateway asks its providers through it, and sources the web (collect/_web). A gateway's CPU goes mostly
into its upstream client, and general ones do much that is not wanted here (redirects, cookies, decompression,
forms). See docs/decisions/0008-upstream-client.md for the measurement.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httptools

LONGEST_HEAD = 65_536  # bytes of a reply's head, and of what may come between two pieces of its body
MOST_FIELDS = 256  # headers of a reply; the standard library stops at 100
WAITING = 262_144  # bytes that may wait to be read before the provider is asked to pause
TOO_LONG = f"the head of the reply is longer than {LONGEST_HEAD} bytes or {MOST_FIELDS} headers"
BODILESS = frozenset({"GET", "HEAD"})  # a length of 0 is said for the others alone (RFC 9110, section 8.6)
IDLE = 30.0  # seconds for which an unused connection is kept: shorter than servers keep theirs


class Broken(ConnectionError):
    """The connection ended, or said what is no HTTP, before the reply was whole."""


class Garbled(Broken):
    """What came is no HTTP, or more of it than any honest server sends: asking again will not help."""


Addresses = Callable[[], Awaitable[Sequence[str]]]


class Reply:
    """One reply, as far as it has come: its head at once, its body by `read` or piece by piece."""

    def __init__(self, connection: "Connection") -> None:
        self.status = 0
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.headers: dict[str, str] = {}
        self._connection = connection
        self._body: deque[bytes] = deque()
        self._size = 0
        self._done = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def read(self) -> bytes:
        """The whole body. Raises Broken, TimeoutError."""
        while not self._done:
            self._connection.resume()
            await self._more()
        self._raise()
        body, self._size = b"".join(self._body), 0
        self._body.clear()
        return body

    async def readany(self) -> bytes:
        """What has come since the last time; nothing at the end. Raises Broken, TimeoutError."""
        while not self._body and not self._done:
            await self._more()
        if not self._body:
            self._raise()
            return b""
        chunk, self._size = b"".join(self._body), 0
        self._body.clear()
        self._connection.resume()
        return chunk

    @property
    def ends_with_connection(self) -> bool:
        """Has the body no other end than the connection's (RFC 9112, section 6.3)?"""
        return bool(self.status) and not self.headers.keys() & {"content-length", "transfer-encoding"}

    def close(self) -> None:
        """Give up on the rest."""
        if not self._done:
            self._connection.drop(Broken("given up"))

    async def head(self) -> None:
        """Wait for the head. Raises Broken, TimeoutError."""
        while not self.status and not self._done:
            await self._more()
        if not self.status:
            self._raise()

    def _raise(self) -> None:
        if self._error:
            raise self._error

    async def _more(self) -> None:
        self._waiter = self._connection.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def wake(self) -> None:
        """Something has come."""
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def feed(self, data: bytes) -> None:
        """A piece of the body has come."""
        self._body.append(data)
        self._size += len(data)
        if self._size > WAITING:
            self._connection.pause()
        self.wake()

    def end(self, error: Exception | None = None) -> None:
        """Nothing more will come."""
        if not self._done:
            self._done, self._error = True, error
            self.wake()


class Connection(asyncio.Protocol):
    """One connection to a provider; a reply at a time."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, silence: float, release: "Callable[[Connection], object]"
    ) -> None:
        self.loop, self._release = loop, release
        self.idle_since = 0.0
        self._silence = silence  # seconds without a byte after which a reply is given up
        self._heard = loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._reply: Reply | None = None
        self._answered = False
        self._between = 0  # bytes since the last piece of a body
        self._paused = False

    @property
    def usable(self) -> bool:
        """Can another request be sent?"""
        return self._transport is not None and self._reply is None and not self._transport.is_closing()

    @property
    def answered(self) -> bool:
        """Has any byte of the newest reply come?"""
        return self._answered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if exc is None and self._reply and self._reply.ends_with_connection:
            self._finish(None)
        else:
            self._finish(Broken(f"the connection was lost: {exc}" if exc else "the connection was closed"))

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        try:
            if self._parser is None:
                raise Broken("bytes came that nobody asked for")
            if self._between > LONGEST_HEAD:  # a head, trailers or a chunk's extensions without an end
                raise Garbled(TOO_LONG)
            self._answered = True
            self._between += len(data)
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, Broken) as error:
            self.drop(error if isinstance(error, Broken) else Garbled(f"this is no HTTP: {error}"))

    async def send(self, head: bytes, body: bytes) -> Reply:
        """Send a request and wait for the head of its reply. Raises Broken, TimeoutError."""
        if self._transport is None:
            raise Broken("the connection was closed")
        self._parser, self._answered, self._between = httptools.HttpResponseParser(self), False, 0
        self._reply = reply = Reply(self)
        self._heard = self.loop.time()
        self._transport.writelines((head, body))
        if self._watch is None:
            self._watch = self.loop.call_later(self._silence, self._look)
        try:
            await reply.head()
        except asyncio.CancelledError:
            self.drop(Broken("given up"))
            raise
        return reply

    def _look(self) -> None:
        """Has the provider been silent for too long? One timer a connection, not one a read."""
        self._watch = None
        if self._reply is None:
            return
        left = self._heard + self._silence - self.loop.time()
        if left > 0 or self._paused:
            self._watch = self.loop.call_later(max(left, 0.1), self._look)
        else:
            self.drop(TimeoutError(f"no byte came for {self._silence:g} s"))

    def on_message_begin(self) -> None:
        if self._reply is None:  # else it would be taken for the reply to the next request
            self.drop(Broken("a reply came that nobody asked for"))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reply:
            self._reply.raw_headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._reply is None or status < 200:  # 100 Continue, 103 Early Hints: the reply is still to come
            return
        fields = self._reply.raw_headers
        if len(fields) > MOST_FIELDS or (self._between > LONGEST_HEAD and _size(fields) > LONGEST_HEAD):
            self.drop(
                Garbled(f"the head of the reply is longer than {LONGEST_HEAD} bytes or {MOST_FIELDS} headers")
            )
            return
        self._reply.headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in fields}
        self._reply.status = status
        self._reply.wake()

    def on_body(self, data: bytes) -> None:
        if self._reply:
            self._between = 0
            self._reply.feed(data)

    def on_message_complete(self) -> None:
        if self._reply and not self._reply.status:  # that was an interim reply
            self._reply.raw_headers.clear()
            return
        keep = self._parser.should_keep_alive()
        self._finish(None)
        if not keep and self._transport:
            self._transport.close()

    def _finish(self, error: Exception | None) -> None:
        reply, self._reply = self._reply, None
        if reply:
            self.resume()
            reply.end(error)
            self._release(self)

    def drop(self, error: Exception) -> None:
        """Close at once; whoever waits is told why."""
        if self._transport:
            self._transport.abort()
            self._transport = None
        self._finish(error)

    def pause(self) -> None:
        if self._transport and not self._paused:
            self._transport.pause_reading()
            self._paused = True

    def resume(self) -> None:
        if self._transport and self._paused:
            self._transport.resume_reading()
            self._paused, self._heard = False, self.loop.time()


def _size(fields: Sequence[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in fields)


class Pool:
    """The connections to one host. `connect` and `silence` are in seconds.

    `addresses` gives the IP addresses to connect to, in the order of trying, each time that a connection is
    opened; the certificate must still be the host's. Without it the host's name is looked up as usual.
    `tls` is shared by many pools: a context of its own costs each some 20 ms and 1 MB.
    """

    def __init__(
        self,
        url: str,
        connect: float,
        silence: float,
        *,
        tls: ssl.SSLContext | None = None,
        addresses: Addresses | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._host, self._path = parts.hostname or "", parts.path.rstrip("/")
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._addresses = addresses
        self._port = parts.port or (443 if self._tls else 80)
        self._named = parts.netloc.rpartition("@")[2]
        self._connect, self._silence = connect, silence
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, repeat: bool = True
    ) -> Reply:
        """Send a request; returns with the head of its reply. Raises OSError: Broken, TimeoutError.

        A kept connection that the host closed in the meantime costs one more try on a fresh one; not without
        `repeat`, for nobody knows whether the host has done what it was asked.
        """
        head = self._head(method, path, headers, len(body))
        if connection := self._kept():
            try:
                return await connection.send(head, body)
            except Broken:
                if connection.answered or not repeat:
                    raise
        return await (await self._fresh()).send(head, body)

    def _head(self, method: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if fields.count("\n") != len(headers) or fields.count("\r") != len(headers):
            raise Broken("a header holds a line break")
        first = f"{method} {self._path}{path} HTTP/1.1\r\nhost: {self._named}\r\n"
        if length or method not in BODILESS:
            first = f"{first}content-length: {length}\r\n"
        return f"{first}{fields}\r\n".encode("latin-1")

    def _kept(self) -> Connection | None:
        """A kept connection that can be used, the warmest first."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and connection.loop.time() - connection.idle_since < IDLE:
                return connection
            connection.drop(Broken("idle for too long"))
            self._all.discard(connection)
        return None

    async def _fresh(self) -> Connection:
        if self._addresses is None:
            return await self._open(self._host)
        *others, last = await self._addresses()
        for address in others:
            with suppress(OSError):  # the last one says what is wrong
                return await self._open(address)
        return await self._open(last)

    async def _open(self, address: str) -> Connection:
        loop = asyncio.get_running_loop()
        opening = loop.create_connection(
            lambda: Connection(loop, self._silence, self._back),
            address,
            self._port,
            ssl=self._tls,
            server_hostname=self._host if self._tls else None,
        )
        try:
            _, connection = await asyncio.wait_for(opening, self._connect)
        except TimeoutError:
            raise TimeoutError(f"no connection within {self._connect:g} s") from None
        self._all.add(connection)
        return connection

    def _back(self, connection: Connection) -> None:
        """A reply is over."""
        if connection.usable:
            connection.idle_since = connection.loop.time()
            self._idle.append(connection)
        else:
            self._all.discard(connection)

    def close(self) -> None:
        """Drop every connection."""
        for connection in list(self._all):
            connection.drop(Broken("this side is closing"))
        self._idle.clear()
        self._all.clear()
