"""What tests of sources share: a safe client that may reach this machine, and a real site on it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from openflywheel.base.settings import WebSettings
from openflywheel.collect._web.web import Web

Answer = tuple[int, dict[str, str], bytes]


class Site:
    """A real HTTP server.

    `pages` maps a path (with its query) to (status, headers, body), or to a function of the request's
    headers; `asked` lists the requests as (path, headers).
    """

    def __init__(self) -> None:
        self.pages: dict[str, object] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = {k.lower(): v for k, v in self.headers.items()}
                length = int(headers.get("content-length", 0))
                headers[":body"] = self.rfile.read(length).decode() if length else ""
                site.asked.append((self.path, headers))
                answer = site.pages.get(self.path, (404, {}, b"not here"))
                status, said, body = answer(headers) if callable(answer) else answer
                self.send_response(status)
                for name, value in {"content-type": "text/html; charset=utf-8", **said}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def page(self, path: str, body: str | bytes, status: int = 200, **headers: str) -> str:
        """Put a page there; underscores in names of headers are dashes. Returns its URL."""
        raw = body.encode() if isinstance(body, str) else body
        self.pages[path] = (status, {k.replace("_", "-"): v for k, v in headers.items()}, raw)
        return self.url + path

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [path for path, _ in self.asked]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    """An empty site on this machine."""
    running = Site()
    yield running
    running.close()


@pytest.fixture
def web() -> Iterator[Web]:
    """A safe client that may reach this machine, without delay."""
    client = Web(WebSettings(allow=("127.0.0.1",), contact="test@example.com", delay=0))
    yield client
    client.close()
