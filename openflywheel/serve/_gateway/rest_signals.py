"""What people say about answers comes in here; and what was kept of an answer can be looked at."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from openflywheel.base.keys import Key
from openflywheel.base.nouns import Call, Exchange, Signal
from openflywheel.serve._gateway.intake import read_body
from openflywheel.serve._gateway.rest import Page, Readiness, answer, headers
from openflywheel.serve._gateway.surfaces import Refusal


class Kept(Struct, frozen=True):
    """A signal that is kept: one for each thing that was said."""

    id: str
    kind: str
    exchange: str
    episode: str
    value: float


class KeptSignals(Struct, frozen=True):
    """What is kept of a request, in the order in which it was said."""

    ids: list[str]
    signals: list[Kept]


class Shown(Struct, frozen=True):
    """An exchange with all that belongs to it; the call's bytes are left out unless they are asked for."""

    exchange: Exchange
    call: Call | None
    signals: Sequence[Signal]


class Hearing(Protocol):
    """What the pages ask of the store, in a thread."""

    def hear(self, body: bytes, key: Key | None, name: str) -> Sequence[Signal]:
        """Keep what is said; `name` is the client's own id for it, if it gives one.

        Raises msgspec.DecodeError, SettingsError, UnknownExchange, Forbidden, StoreError.
        """
        ...

    def show(self, name: str, *, whole: bool) -> Shown:
        """An exchange by its id; `whole`: with the bytes. Raises UnknownExchange."""
        ...


class SignalPages:
    """`takes` are the types of what is said; `observe` is called with what was kept, in a thread."""

    def __init__(
        self,
        hearing: Hearing,
        ready: Readiness,
        observe: Callable[[Sequence[Signal]], object],
        takes: tuple[Any, ...],
        largest: int,
    ) -> None:
        self._hearing, self._ready, self._observe = hearing, ready, observe
        self._takes, self._largest = takes, largest

    def pages(self) -> Iterator[Page]:
        yield Page(
            method="POST", path="/v1/signals", endpoint=self.hear, scope="signal", takes=self._takes,
            gives=(KeptSignals,), errors=(400, 404, 413, 503),
            summary="Say how an exchange, or a whole episode, went; all of it is kept, or nothing",
        )  # fmt: skip
        yield Page(
            method="GET", path="/v1/exchanges/{id}", endpoint=self.show, scope="operate", gives=(Shown,),
            query={"bytes": "1: with the request's and the answer's bytes, in base64"}, errors=(404,),
            summary="What was kept of an exchange, and what was said about it",
        )  # fmt: skip

    async def hear(self, request: Request, key: Key | None) -> Response:
        if reason := self._ready():
            raise Refusal(503, reason, "store_unavailable", headers={"retry-after": "1"})
        body = await read_body(request.receive, headers(request), self._largest)
        name = request.headers.get("idempotency-key", "")
        kept = await asyncio.to_thread(self._kept, body, key, name)
        signals = [Kept(s.id, s.kind, s.exchange, s.episode, s.value) for s in kept]
        return answer(KeptSignals([s.id for s in signals], signals))

    def _kept(self, body: bytes, key: Key | None, name: str) -> Sequence[Signal]:
        kept = self._hearing.hear(body, key, name)
        self._observe(kept)
        return kept

    async def show(self, request: Request, key: Key | None) -> Response:
        del key
        whole = request.query_params.get("bytes") == "1"
        return answer(await asyncio.to_thread(self._hearing.show, request.path_params["id"], whole=whole))
