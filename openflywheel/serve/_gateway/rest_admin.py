"""Pages for those who run the gateway: providers as this worker sees them, API keys, and its state."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from openflywheel.base.keys import Key, ShownKey
from openflywheel.serve._gateway.intake import read_body
from openflywheel.serve._gateway.kept import Finished
from openflywheel.serve._gateway.rest import Page, answer, headers
from openflywheel.serve._upstream.client import Upstream

LARGEST = 65_536  # bytes of a body here


class ProviderState(Struct, frozen=True, kw_only=True):
    """A provider since this worker process began. `url` comes without its user, password and query."""

    name: str
    url: str
    dialect: str
    circuit: Literal["open", "closed"]
    running: int
    concurrency: int
    attempts: int
    errors: int
    last_error: str


class NewKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to be made; limits as in `flywheel keys create`, `expires` in Unix seconds."""

    name: str
    scopes: tuple[str, ...]
    expires: float | None = None
    rate: str = ""
    subject_rate: str = ""
    budget: str = ""
    subject_budget: str = ""
    tenant: str = ""


class Status(Struct, frozen=True, kw_only=True):
    """The wheel behind the gateway: rows of each kind, and why nothing can be kept, if so."""

    name: str
    version: str
    settings: str
    process: int
    seconds: float
    trouble: str
    tasks: tuple[str, ...]
    rows: Mapping[str, int]


class Manager(Protocol):
    """What the pages ask of the store, in a thread."""

    def keys(self) -> Sequence[ShownKey]: ...

    def create(self, new: NewKey) -> ShownKey:
        """Raises SettingsError, StoreError."""
        ...

    def revoke(self, id: str) -> ShownKey:
        """Raises UnknownKey, StoreError."""
        ...

    def status(self) -> Status: ...


class Tally:
    """Attempts and errors of each provider, counted request by request."""

    def __init__(self) -> None:
        self.attempts: dict[str, int] = {}
        self.errors: dict[str, int] = {}
        self.last: dict[str, str] = {}

    def __call__(self, finished: Finished) -> None:
        for attempt in finished.call.attempts:
            name = attempt.provider
            self.attempts[name] = self.attempts.get(name, 0) + 1
            if attempt.error or attempt.status >= 400:
                self.errors[name] = self.errors.get(name, 0) + 1
                self.last[name] = attempt.error or f"status {attempt.status}"


class AdminPages:
    """Nobody sees the keys without a key of the scope admin."""

    def __init__(self, manager: Manager, upstreams: Mapping[str, Upstream], tally: Tally) -> None:
        self._manager, self._upstreams, self._tally = manager, upstreams, tally

    def pages(self) -> Iterator[Page]:
        yield Page(
            method="GET", path="/admin/providers", endpoint=self.providers, scope="operate",
            gives=(list[ProviderState],), summary="The providers as this worker process sees them",
        )  # fmt: skip
        yield Page(
            method="GET", path="/admin/status", endpoint=self.status, scope="operate", gives=(Status,),
            summary="The wheel behind the gateway",
        )  # fmt: skip
        yield Page(
            method="GET", path="/admin/keys", endpoint=self.keys, scope="admin", gives=(list[ShownKey],),
            summary="Every API key, revoked ones too",
        )  # fmt: skip
        yield Page(
            method="POST", path="/admin/keys", endpoint=self.create, scope="admin", takes=(NewKey,),
            gives=(ShownKey,), status=201, errors=(400, 413),
            summary="Make an API key; its secret is shown this once",
        )  # fmt: skip
        yield Page(
            method="DELETE", path="/admin/keys/{id}", endpoint=self.revoke, scope="admin", gives=(ShownKey,),
            errors=(404,), summary="Take an API key back, for good; refused within a second",
        )  # fmt: skip

    async def providers(self, request: Request, key: Key | None) -> Response:
        del request, key
        return answer([self._state(upstream) for upstream in self._upstreams.values()])

    def _state(self, upstream: Upstream) -> ProviderState:
        name, provider = upstream.name, upstream.provider
        return ProviderState(
            name=name,
            url=_without_secrets(provider.url),
            dialect=provider.dialect,
            circuit="open" if upstream.circuit.open else "closed",
            running=upstream.running,
            concurrency=provider.concurrency,
            attempts=self._tally.attempts.get(name, 0),
            errors=self._tally.errors.get(name, 0),
            last_error=self._tally.last.get(name, ""),
        )

    async def status(self, request: Request, key: Key | None) -> Response:
        del request, key
        return answer(await asyncio.to_thread(self._manager.status))

    async def keys(self, request: Request, key: Key | None) -> Response:
        del request, key
        return answer(await asyncio.to_thread(self._manager.keys))

    async def create(self, request: Request, key: Key | None) -> Response:
        del key
        body = await read_body(request.receive, headers(request), LARGEST)
        new = msgspec.json.decode(body, type=NewKey)
        return answer(await asyncio.to_thread(self._manager.create, new), 201)

    async def revoke(self, request: Request, key: Key | None) -> Response:
        del key
        return answer(await asyncio.to_thread(self._manager.revoke, request.path_params["id"]))


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
