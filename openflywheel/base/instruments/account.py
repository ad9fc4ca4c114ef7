"""A model provider's API under our key, asked from this process: what trainers and their models need of it.

The key never leaves the request's headers: no error holds it.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, Protocol
from urllib.parse import urlencode
from uuid import uuid4

from msgspec import Struct

from openflywheel.base.errors import FlywheelError, SettingsError, suggest
from openflywheel.base.instruments.wire import Pool

PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before another try, unless the provider says when
LONGEST = 30.0  # seconds that a provider may ask us to wait
GONE, BUSY, BROKEN = 404, 429, 500
UNSURE = frozenset({408, 409})  # and all from 500 on: it may have been done
PARALLEL = 32  # requests that are out at once: as many as the gateway answers in one batch
SAID = 300  # characters of a provider's own words in an error


class Provider(Protocol):
    """An endpoint of the table serve.providers; seconds until connected, and between two bytes."""

    @property
    def url(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def dialect(self) -> Literal["openai", "anthropic"]: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def connect(self) -> float: ...
    @property
    def timeout(self) -> float: ...


class ProviderFailed(FlywheelError):
    """No answer came, or the provider broke down: nobody knows whether it did what it was asked."""


class ProviderRefused(FlywheelError):
    """The provider said no, and why; `status` is its status."""

    def __init__(self, said: str, status: int) -> None:
        super().__init__(said)
        self.status = status


class Request(Struct, frozen=True):
    """`again`: it may be sent twice, for it changes nothing."""

    method: str
    path: str
    body: bytes = b""
    kind: str = "application/json"
    again: bool = False


class Account:
    """One provider. Whatever it cannot answer raises ProviderFailed, ProviderRefused."""

    def __init__(self, name: str, provider: Provider) -> None:
        self.name, self._provider = name, provider

    def __repr__(self) -> str:
        return f"Account({self.name!r})"

    def get(self, path: str, **query: str | int) -> Any:
        """Look at something."""
        url = f"{path}?{urlencode(query)}" if query else path
        return self._one(Request("GET", url, again=True))

    def post(self, path: str, body: Any) -> Any:
        """Ask for something that is to be done once: sent again only when it was surely not done."""
        return self._one(Request("POST", path, json.dumps(body).encode()))

    def delete(self, path: str) -> None:
        """Let something be gone; it may be so already."""
        try:
            self._one(Request("DELETE", path, again=True))
        except ProviderRefused as error:
            if error.status != GONE:
                raise

    def upload(self, filename: str, content: bytes, purpose: str) -> Any:
        """A file, as a form (RFC 7578)."""
        mark = uuid4().hex
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
            "Content-Type: application/jsonl\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{mark}--\r\n".encode()
        return self._one(Request("POST", "/files", body, f"multipart/form-data; boundary={mark}"))

    def chats(self, bodies: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Answers of /chat/completions, at most `PARALLEL` at once."""
        requests = [
            Request("POST", "/chat/completions", json.dumps(body).encode(), again=True) for body in bodies
        ]
        return asyncio.run(self._all(requests)) if requests else []

    def _one(self, request: Request) -> Any:
        return asyncio.run(self._all([request]))[0]

    async def _all(self, requests: Sequence[Request]) -> list[Any]:
        far = self._provider
        pool = Pool(far.url, far.connect, far.timeout, tls=_tls() if far.url.startswith("https") else None)
        free = asyncio.Semaphore(PARALLEL)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._until(pool, free, request)) for request in requests]
            return [task.result() for task in tasks]
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        finally:
            pool.close()

    async def _until(self, pool: Pool, free: asyncio.Semaphore, request: Request) -> Any:
        """Try until it is answered, or trying again would not help."""
        async with free:
            for pause in PAUSES:
                status, headers, body = await self._try(pool, request)
                if not (status == BUSY or (request.again and _unsure(status))):
                    break
                await asyncio.sleep(_told(headers, pause))
            else:
                status, _, body = await self._try(pool, request)
            return self._read(request, status, body)

    async def _try(self, pool: Pool, request: Request) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body; where nobody answers the status is 0 and the body says why."""
        headers = {"content-type": request.kind, "accept-encoding": "identity", **self._provider.headers}
        if self._provider.key:
            headers["authorization"] = f"Bearer {self._provider.key}"
        try:
            reply = await pool.request(
                request.method, request.path, headers, request.body, repeat=request.again
            )
            return reply.status, reply.headers, await reply.read()
        except OSError as error:
            return 0, {}, f"{type(error).__name__}: {error}".encode()

    def _read(self, request: Request, status: int, body: bytes) -> Any:
        if 0 < status < 400:
            try:
                return json.loads(body)
            except ValueError:
                raise ProviderFailed(self._say(request, f"it answered no JSON: {_words(body)}")) from None
        if _unsure(status):
            raise ProviderFailed(self._say(request, f"status {status}: {_words(body)}"))
        raise ProviderRefused(self._say(request, f"status {status}: {_words(body)}"), status)

    def _say(self, request: Request, said: str) -> str:
        key = self._provider.key
        words = said.replace(key, "***") if key else said
        what = f"{request.method} {request.path.partition('?')[0]}"
        return f"the provider {self.name} did not do {what}: {words} (see: flywheel providers)"


def account(name: str, providers: Mapping[str, Provider]) -> Account:
    """The account of a provider by its name in serve.providers. Raises SettingsError."""
    if name not in providers:
        raise SettingsError(
            f"there is no provider {name!r} in serve.providers; {suggest(name, providers)} "
            "(see: flywheel providers)"
        )
    if providers[name].dialect != "openai":
        raise SettingsError(
            f"the provider {name} speaks {providers[name].dialect}; fine-tuning needs one that speaks openai"
        )
    return Account(name, providers[name])


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _unsure(status: int) -> bool:
    """Does nobody know whether it was done? 0: no answer came."""
    return status in UNSURE or not 0 < status < BROKEN


def _told(headers: Mapping[str, str], usual: float) -> float:
    """Seconds to wait: what the provider says, at most `LONGEST`."""
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        if headers.get(name, "").replace(".", "", 1).isdecimal():
            return min(float(headers[name]) * unit, LONGEST)
    return usual


def _words(body: bytes) -> str:
    """What a provider said, in a few words."""
    text = body.decode(errors="replace")
    try:
        text = json.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return text[:SAID]
    return str(text)[:SAID]
