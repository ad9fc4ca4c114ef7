"""The SDKs of both dialects as judges: their types, and their clients at a real server."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Thread

import pytest
from anthropic.types.message_create_params import MessageCreateParams
from openai.types.chat.completion_create_params import CompletionCreateParams
from pydantic import TypeAdapter

JUDGES = {"chat": CompletionCreateParams, "messages": MessageCreateParams}
OLD = {"temperature", "top_p"}  # of version 2023-06-01 of the Messages API: the SDK speaks 2026-10-21


@cache
def judge(dialect):
    return TypeAdapter(JUDGES[dialect])


def whole(value):
    """pydantic checks an Iterable only when somebody walks through it."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return [whole(item) for item in value] if _many(value) else value


def _many(value) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)


@pytest.fixture(scope="session")
def accepted():
    """A request, once the SDK's types have accepted it whole: they drop what they do not know."""

    def check(dialect: str, body: bytes) -> dict:
        request = json.loads(body)
        known = {name: value for name, value in request.items() if dialect == "chat" or name not in OLD}
        assert whole(judge(dialect).validate_python(json.loads(body))) == known
        return request

    return check


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(self.server.status)
        self.send_header("content-type", self.server.kind)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args):
        pass


@pytest.fixture
def serving():
    """A real server that answers every request with the same bytes."""

    @contextmanager
    def serve(body: bytes, status: int = 200, kind: str = "text/event-stream") -> Iterator[str]:
        with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
            server.body, server.status, server.kind = body, status, kind
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()

    return serve


@pytest.fixture(scope="session")
def pieces():
    """A stream's bytes, cut at the given places."""

    def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
        edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
        return [stream[a:b] for a, b in pairwise(edges)]

    return cut
