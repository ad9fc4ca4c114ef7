"""A far side that does its worst: bombs, endless bodies and heads, redirects to anywhere."""

import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from urllib.parse import unquote

SPAWN = get_context("spawn")
REBINDS = "rebinds.example.com"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@cache
def bomb() -> bytes:
    """600 MB of zeros, packed."""
    packing, zeros = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(1_000_000)
    return b"".join(packing.compress(zeros) for _ in range(600)) + packing.flush()


class Hostile(BaseHTTPRequestHandler):
    """A far side that answers each path with another attack."""

    protocol_version = "HTTP/1.1"
    rebound = 0  # requests that came for a name which had been rebound

    def do_GET(self) -> None:
        """Attack."""
        Hostile.rebound += REBINDS in self.headers["host"]
        name, _, rest = self.path[1:].partition("/")
        getattr(self, f"{name}_")(rest)

    def say(self, status: int, body: bytes = b"", **headers: object) -> None:
        """Answer; underscores in names of headers are dashes."""
        self.send_response(status)
        for key, value in {"content_length": len(body), **headers}.items():
            self.send_header(key.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def pour(self, head: bytes, piece: bytes) -> None:
        """A head, then 1 GB of the same piece, until the client has gone."""
        self.wfile.write(head)
        for _ in range(1_000_000_000 // len(piece)):
            self.wfile.write(piece)

    def hello_(self, _: str) -> None:
        """What is harmless."""
        self.say(200, b"hello")

    def rebound_(self, _: str) -> None:
        """How often a rebound name has led here."""
        self.say(200, str(Hostile.rebound).encode())

    def to_(self, url: str) -> None:
        """A redirect to any URL."""
        self.say(302, location=unquote(url).encode().decode("latin-1"))

    def redirect_(self, number: str) -> None:
        """One of 10^6 redirects."""
        going_on = int(number) < 1_000_000
        self.say(302, location=f"/redirect/{int(number) + 1}") if going_on else self.say(200)

    def bomb_(self, _: str) -> None:
        """A gzip bomb."""
        self.say(200, bomb(), content_encoding="gzip")

    def body_(self, _: str) -> None:
        """1 GB that says so."""
        self.pour(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n", bytes(100_000))

    def chunks_(self, _: str) -> None:
        """1 GB that does not."""
        self.pour(CHUNKED, b"186a0\r\n" + bytes(100_000) + b"\r\n")

    def head_(self, _: str) -> None:
        """A header without an end."""
        self.pour(b"HTTP/1.1 200 OK\r\nx: ", b"a" * 100_000)

    def trailers_(self, _: str) -> None:
        """A trailer without an end."""
        self.pour(CHUNKED + b"0\r\nx: ", b"a" * 100_000)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Clients go away in the middle here: that is the point."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Go on."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _serve(port: Connection) -> None:
    bomb()
    server = Server(("127.0.0.1", 0), Hostile)
    port.send(server.server_port)
    server.serve_forever()


@contextmanager
def hostile() -> Iterator[str]:
    """The far side, in a process of its own; gives its URL."""
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()
