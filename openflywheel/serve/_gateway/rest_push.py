"""Others push data in here, signed; the next turn collects it."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Protocol

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from openflywheel.base.keys import Key, Unauthorised
from openflywheel.serve._gateway.intake import read_body
from openflywheel.serve._gateway.rest import Page, Readiness, answer, headers
from openflywheel.serve._gateway.surfaces import Refusal


class KeptPush(Struct, frozen=True):
    """What was pushed is on disk; sending it again under the same id is harmless."""

    id: str


class Mailroom(Protocol):
    """Knows who may push what (wheel/gateway/mailroom.py)."""

    def takes(self, source: str) -> bool:
        """Is there a source of that name?"""
        ...

    def signed(self, headers: Mapping[str, str]) -> bool:
        """Could a push with these headers be let in?"""
        ...

    def keep(self, source: str, headers: Mapping[str, str], body: bytes) -> str:
        """Keep a body; returns its id. Raises Unauthorised, StoreError."""
        ...


class PushPages:
    """The page that `collect: webhook:` opens."""

    def __init__(self, mailroom: Mailroom, ready: Readiness, largest: int) -> None:
        self._mailroom, self._ready, self._largest = mailroom, ready, largest

    def pages(self) -> Iterator[Page]:
        yield Page(
            method="POST", path="/v1/collect/{source}", endpoint=self.push, gives=(KeptPush,), status=202,
            errors=(400, 401, 404, 413, 503),
            summary="Push rows to a webhook source, signed (Standard Webhooks) or with its token",
        )  # fmt: skip

    async def push(self, request: Request, key: Key | None) -> Response:
        del key  # a push is signed; it needs no API key
        source = request.path_params["source"]
        if not self._mailroom.takes(source):
            raise Refusal(
                404, f"there is no webhook {source!r}; name it in collect: webhook:", "unknown_source"
            )
        if not self._mailroom.signed(dict(request.headers)):
            raise Unauthorised("the push is not signed: no header webhook-signature or Authorization")
        if reason := self._ready():
            raise Refusal(503, reason, "store_unavailable", headers={"retry-after": "1"})
        body = await read_body(request.receive, headers(request), self._largest)
        if not body:
            raise Refusal(400, "the body is empty", "invalid_body")
        id = await asyncio.to_thread(self._mailroom.keep, source, dict(request.headers), body)
        return answer(KeptPush(id), 202)
