"""A load generator in one thread: about 20 us of its own CPU a request, and none of it in the measured tree.

It counts exactly: a run ends when the last request that was sent is answered, or its connection broke.
"""

import re
import selectors
import socket
import time
from collections.abc import Iterator
from itertools import islice
from math import inf
from typing import NamedTuple

from benchmarks.gateway.asking import Request

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
EXCHANGE = re.compile(rb"\r\nx-flywheel-exchange: *([^\r]+)", re.IGNORECASE)
CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
DONE = b"data: [DONE]"
PATIENCE = 120.0  # seconds without any byte after which a run fails


class Answer(NamedTuple):
    """What was acknowledged: `exchange` is the id that the gateway gave, "" where it gives none."""

    marker: str
    status: int
    exchange: str
    seconds: float
    streamed: bool


class Connection:
    """A keep-alive connection with at most one request in flight."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.busy = False
        self._heard = b""

    def ask(self, request: Request) -> None:
        """Send a request; its 2 KB always fit into the empty buffer of a connection."""
        self.busy, self._heard, self._marker, self._sent = True, b"", request.marker, time.perf_counter()
        self.socket.sendall(request.wire)

    def hear(self) -> Answer | None:
        """Read once; the answer when it is complete. Raises ConnectionError when there is no more to come."""
        part = self.socket.recv(65_536)
        if not part:
            raise ConnectionResetError("closed by the gateway")
        self._heard += part
        return self.answer() if complete(self._heard) else None

    def answer(self) -> Answer:
        """The answer as it stands."""
        exchange = EXCHANGE.search(self._heard)
        took = time.perf_counter() - self._sent
        id, status = exchange[1].decode() if exchange else "", int(self._heard[9:12])
        return Answer(self._marker, status, id, took, DONE in self._heard)

    @property
    def acknowledged(self) -> bool:
        """Whether a stream said [DONE], though the connection may have broken right after it."""
        return self.busy and DONE in self._heard

    @property
    def ending(self) -> bool:
        """Whether the gateway said that this answer is the connection's last."""
        return CLOSING.search(self._heard.partition(b"\r\n\r\n")[0]) is not None


def complete(answer: bytes) -> bool:
    """Whether an HTTP/1.1 answer, with a length or in chunks, is there to its end."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = LENGTH.search(answer, 0, end)
    return len(answer) >= end + 4 + int(length[1]) if length else answer.endswith(b"\r\n0\r\n\r\n")


class Load:
    """One run against a port; `answers` and `broken`, the requests whose connection broke, are its result."""

    def __init__(self, port: int, requests: Iterator[Request]) -> None:
        self.answers: list[Answer] = []
        self.broken = 0
        self._port, self._requests = port, requests
        self._selector = selectors.DefaultSelector()
        self._idle: list[Connection] = []
        self._busy = 0

    def closed(self, connections: int, *, seconds: float = inf, count: int | None = None) -> list[Answer]:
        """Closed loop: every connection asks again as soon as it is answered."""
        until = time.perf_counter() + seconds
        requests = islice(self._requests, count)
        self._idle = [self._connect() for _ in range(connections)]
        while True:
            while self._idle and time.perf_counter() < until and (request := next(requests, None)):
                self._ask(request)
            if not self._busy:
                return self._end()
            self._hear(PATIENCE)

    def open(self, rate: float, *, seconds: float) -> list[Answer]:
        """Open loop: `rate` requests a second, however slowly they are answered."""
        begin = time.perf_counter()
        for number in range(round(rate * seconds)):
            while (left := begin + number / rate - time.perf_counter()) > 0:
                self._hear(left)
            if not self._idle:
                self._idle.append(self._connect())
            self._ask(next(self._requests))
        while self._busy:
            self._hear(PATIENCE)
        return self._end()

    def _connect(self) -> Connection:
        connection = Connection(self._port)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        return connection

    def _ask(self, request: Request) -> None:
        connection = self._idle.pop()
        self._busy += 1
        try:
            connection.ask(request)
        except ConnectionError:
            self._drop(connection)

    def _hear(self, seconds: float) -> None:
        ready = self._selector.select(seconds)
        if not ready and seconds == PATIENCE:
            raise TimeoutError(f"{self._busy} requests were not answered within {PATIENCE:.0f} s")
        for key, _ in ready:
            connection: Connection = key.data
            try:
                answer = connection.hear()
            except ConnectionError:
                self._drop(connection)
            else:
                if answer is not None:
                    self._take(connection, answer)

    def _take(self, connection: Connection, answer: Answer) -> None:
        self.answers.append(answer)
        self._busy -= 1
        connection.busy = False
        if connection.ending:
            self._replace(connection)
        else:
            self._idle.append(connection)

    def _replace(self, connection: Connection) -> None:
        self._close(connection)
        try:
            self._idle.append(self._connect())
        except (
            ConnectionRefusedError
        ):  # the gateway goes away: a run with one connection less is a broken one
            self.broken += 1

    def _drop(self, connection: Connection) -> None:
        self._close(connection)
        if not connection.busy:  # an idle connection that the gateway no longer wants
            self._idle.remove(connection)
            return
        self._busy -= 1
        if connection.acknowledged:
            self.answers.append(connection.answer())
        else:
            self.broken += 1

    def _close(self, connection: Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def _end(self) -> list[Answer]:
        for connection in self._idle:
            self._close(connection)
        self._selector.close()
        return self.answers
