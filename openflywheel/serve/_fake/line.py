"""The client's end of a request. An ASGI application cannot break a connection: this one is handed it.

uvicorn makes the scope in its protocol's `on_message_begin`; `Protocol` puts the transport in there
(checked with uvicorn 0.54). Closing it mid-body leaves the chunked coding without its last chunk, which every
client takes for a broken connection.
"""

import asyncio
from collections.abc import Iterable
from typing import NoReturn

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CONNECTION = "openflywheel.connection"
Headers = Iterable[tuple[str, str]]


class Protocol(HttpToolsProtocol):
    """Hands the connection to the application, and drops what hangs when the server stops."""

    def on_message_begin(self) -> None:
        """A request begins: its scope is made."""
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}

    def shutdown(self) -> None:
        """The server stops: nobody waits for an answer that may never come."""
        self.transport.abort()


class Gone(Exception):
    """The connection is closed, by the client or by the script; there is nobody to answer."""


class Line:
    """One request's connection."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send

    async def body(self) -> bytes:
        """The whole body of the request. Raises Gone."""
        body = bytearray()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            body += message["body"]
            if not message["more_body"]:
                return bytes(body)

    async def wait(self, seconds: float) -> None:
        """Let time pass. Raises Gone as soon as the client has left."""
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self.gone(), seconds)
        except TimeoutError:
            return

    async def gone(self) -> NoReturn:
        """Do nothing until the client leaves; then raises Gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        raise Gone

    async def begin(self, status: int, headers: Headers) -> None:
        """Send the head of an answer."""
        raw = [(name.encode(), value.encode()) for name, value in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def more(self, body: bytes) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, body: bytes = b"") -> None:
        """Send the last part of the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def cut(self) -> NoReturn:
        """Send what was written, and close in the middle. Raises Gone."""
        self._scope["extensions"][CONNECTION]["transport"].close()
        await self.gone()

    async def refuse(self) -> NoReturn:
        """Drop the connection without a byte. Raises Gone."""
        self._scope["extensions"][CONNECTION]["transport"].abort()
        await self.gone()
