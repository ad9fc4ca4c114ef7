"""Far sides that behave badly: a real TCP server whose every answer a test writes byte by byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest

from openflywheel.collect._web import retry

Answer = Callable[[socket.socket, bytes], object]


def head_of(connection: socket.socket) -> bytes:
    """A request with its body; nothing when the client has gone."""
    got = b""
    while b"\r\n\r\n" not in got:
        if not (piece := connection.recv(65_536)):
            return b""
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def reply(body: bytes = b"", status: str = "200 OK", **headers: object) -> bytes:
    """A whole reply; underscores in names of headers are dashes."""
    said = {"content_length": len(body), **headers}
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in said.items())
    return f"HTTP/1.1 {status}\r\n{fields}\r\n".encode() + body


class Evil:
    """Answers each request by `answer(connection, request)`, or with the bytes given, in turn."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0, family: int = socket.AF_INET) -> None:
        self.listening = socket.create_server((address, port), family=family)
        self.port = self.listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.requests: list[bytes] = []
        self.connections = 0
        self.open: list[socket.socket] = []
        self.threads = [threading.Thread(target=self.accepts)]
        self.answer: Answer = lambda connection, request: connection.sendall(reply(b"hello"))
        self.threads[0].start()

    def says(self, *answers: bytes | Answer) -> str:
        """Answer with these in turn, with the last one from then on; returns the URL."""
        turn = count()

        def answer(connection: socket.socket, request: bytes) -> None:
            now = answers[min(next(turn), len(answers) - 1)]
            connection.sendall(now) if isinstance(now, bytes) else now(connection, request)

        self.answer = answer
        return self.url

    def accepts(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                self.connections += 1
                self.open.append(connection)
                self.threads.append(threading.Thread(target=self.serve, args=(connection,)))
                self.threads[-1].start()

    def serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while request := head_of(connection):
                self.requests.append(request)
                self.answer(connection, request)

    def close(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.threads[0].join()
        for connection in self.open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        for connection in self.open:
            connection.close()


@pytest.fixture
def evil() -> Iterator[Evil]:
    """A server that does what the test says, however bad."""
    server = Evil()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff in hundredths of a second."""
    monkeypatch.setattr(retry, "FIRST", 0.01)
