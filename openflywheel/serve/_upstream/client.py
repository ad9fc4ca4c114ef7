"""One provider over HTTP: a bounded number of requests at once, every failure named."""

import asyncio
import time
from collections.abc import Mapping

from openflywheel.base.instruments.wire import Pool, Reply
from openflywheel.base.nouns import Attempt
from openflywheel.serve._upstream.breaker import Circuit, RetryBudget
from openflywheel.serve.providers import Provider

RETRYABLE = frozenset({408, 409, 429, *range(500, 600)})
BREAKING = frozenset({408, *range(500, 600)})  # a full queue (429) is no breakdown


class AttemptFailed(Exception):
    """No usable answer came; `attempt` says what happened. `retryable`: another try may fare better."""

    def __init__(self, attempt: Attempt, *, retryable: bool) -> None:
        super().__init__(attempt.error)
        self.attempt, self.retryable = attempt, retryable


class Upstream:
    """A provider with its queue, its circuit and its budget of retries, as one worker process sees it."""

    def __init__(self, name: str, provider: Provider) -> None:
        self.name, self.provider = name, provider
        self.circuit, self.budget = Circuit(provider.breaker), RetryBudget()
        self.running = 0
        self._slots = asyncio.Semaphore(provider.concurrency)
        self._pool = Pool(provider.url, provider.connect, provider.timeout)
        self._headers = _own_headers(provider)

    async def slot(self, model: str) -> None:
        """Wait for a free place. Raises AttemptFailed when the circuit is open or the queue too long."""
        if not self.circuit.admit():
            raise self._refused(model, "left alone after failures in a row")
        if self.running >= self.provider.concurrency:
            try:
                await asyncio.wait_for(self._slots.acquire(), self.provider.queue)
            except TimeoutError:
                raise self._refused(model, f"{self.provider.concurrency} requests are running") from None
        else:
            await self._slots.acquire()
        self.running += 1

    def release(self) -> None:
        """Give the place back."""
        self.running -= 1
        self._slots.release()

    async def post(self, path: str, body: bytes, headers: Mapping[str, str], model: str) -> Reply:
        """Send a request and wait for the head of its reply. Raises AttemptFailed when none comes."""
        start = time.monotonic()
        try:
            reply = await self._pool.request("POST", path, {**self._headers, **headers}, body)
        except OSError as error:
            self.circuit.failed()
            raise self.failure(model, error, start) from error
        if reply.status in BREAKING:
            self.circuit.failed()
        else:
            self.circuit.succeeded()
        return reply

    async def get(self, path: str) -> Reply:
        """Fetch something small, such as the list of models. Raises OSError."""
        return await self._pool.request("GET", path, self._headers)

    def close(self) -> None:
        """Drop the connections."""
        self._pool.close()

    def failure(self, model: str, error: BaseException, start: float) -> AttemptFailed:
        """What an attempt that began at `start` came to."""
        seconds = time.monotonic() - start
        return AttemptFailed(
            Attempt(provider=self.name, model=model, seconds=seconds, error=_said(error)), retryable=True
        )

    def _refused(self, model: str, why: str) -> AttemptFailed:
        return AttemptFailed(Attempt(provider=self.name, model=model, error=why), retryable=False)


def _own_headers(provider: Provider) -> dict[str, str]:
    """What every request to a provider carries."""
    headers = {"content-type": "application/json", "accept-encoding": "identity"}
    if provider.dialect == "anthropic":
        headers |= {"anthropic-version": "2023-06-01"} | ({"x-api-key": provider.key} if provider.key else {})
    elif provider.key:
        headers["authorization"] = f"Bearer {provider.key}"
    return headers | provider.headers


def _said(error: BaseException) -> str:
    """What went wrong, in a few words; never the request."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
