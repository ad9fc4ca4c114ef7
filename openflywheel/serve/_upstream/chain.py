"""Ask one target after another until an answer begins: retries with backoff, then fallbacks."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.instruments.special import Special
from openflywheel.base.instruments.wire import Reply
from openflywheel.base.nouns import Attempt
from openflywheel.serve._dialects import Untranslatable
from openflywheel.serve._upstream.client import RETRYABLE, AttemptFailed, Upstream

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds before a retry: doubled each time, with jitter
ELSEWHERE = frozenset({401, 403, 404})  # our fault at this provider: asking it again won't help, another may


class Target(Struct, frozen=True):
    """A model of a provider; `special` finds what requests to it must not hold."""

    upstream: Upstream
    model: str
    special: Special | None = None


class Prepared(Struct, frozen=True):
    """A request as one provider's dialect wants it."""

    path: str
    body: bytes
    headers: Mapping[str, str]


class Reached(Struct, frozen=True, kw_only=True):
    """An answer that began: its head, and its whole body or, of a stream, its first bytes.

    Its place at the provider is taken until `upstream.release()` when `live`, that is, while it streams.
    """

    target: Target
    response: Reply
    body: bytes
    live: bool
    seconds: float


class NoAnswer(Exception):
    """Nobody answered; `attempts` says why, `last` is the last error that a provider gave, if one did."""

    def __init__(self, attempts: Sequence[Attempt], last: "Reached | None") -> None:
        super().__init__(attempts[-1].error if attempts else "there is nobody to ask")
        self.attempts, self.last = tuple(attempts), last


class Chain:
    """One request's way along its targets; `attempts` tells it."""

    def __init__(self, targets: Sequence[Target], retries: int, retry_share: float, *, stream: bool) -> None:
        self._targets, self._retries, self._share, self._stream = targets, retries, retry_share, stream
        self.attempts: list[Attempt] = []
        self._last: Reached | None = None

    async def reach(self, prepare: Callable[[Target], Prepared]) -> Reached:
        """The first answer that begins. Raises NoAnswer; Untranslatable when nobody could be asked."""
        unsaid: Untranslatable | None = None
        for target in self._targets:
            try:
                prepared = prepare(target)
            except Untranslatable as error:
                unsaid = error
                continue
            if reached := await self._at(target, prepared):
                return reached
        if unsaid and not self.attempts:
            raise unsaid
        raise NoAnswer(self.attempts, self._last)

    async def _at(self, target: Target, prepared: Prepared) -> Reached | None:
        """The answer of one target, as often as it may be asked."""
        target.upstream.budget.deposit(self._share)
        for again in range(self._retries + 1):
            if again and not target.upstream.budget.withdraw():
                return None
            pause = await self._try(target, prepared, again)
            if pause is None or isinstance(pause, Reached):
                return pause
            await asyncio.sleep(pause)
        return None

    async def _try(self, target: Target, prepared: Prepared, again: int) -> "Reached | float | None":
        """An answer, or how long to wait before another try here, or None to go on to the next target."""
        try:
            reached = await self._ask(target, prepared)
        except AttemptFailed as failed:
            self.attempts.append(failed.attempt)
            return _pause(again) if again < self._retries and failed.retryable else None
        self.attempts.append(_attempt(reached))
        status = reached.response.status
        if status not in RETRYABLE and status not in ELSEWHERE:
            return reached
        self._last = reached
        told = _told_pause(reached.response)
        if status in ELSEWHERE or again == self._retries or (told or 0.0) > LONGEST_PAUSE:
            return None
        return told if told is not None else _pause(again)

    async def _ask(self, target: Target, prepared: Prepared) -> Reached:
        start, upstream = time.monotonic(), target.upstream
        await upstream.slot(target.model)
        live = False
        try:
            response = await upstream.post(prepared.path, prepared.body, prepared.headers, target.model)
            try:
                live = self._stream and response.status == 200 and _is_event_stream(response)
                body = await (response.readany() if live else response.read())
            except OSError as error:
                upstream.circuit.failed()
                live = False
                response.close()
                raise upstream.failure(target.model, error, start) from error
        finally:
            if not live:
                upstream.release()
        seconds = time.monotonic() - start
        return Reached(target=target, response=response, body=body, live=live, seconds=seconds)


def _is_event_stream(response: Reply) -> bool:
    return response.headers.get("content-type", "").startswith("text/event-stream")


def _attempt(reached: Reached) -> Attempt:
    return Attempt(
        provider=reached.target.upstream.name,
        model=reached.target.model,
        status=reached.response.status,
        seconds=reached.seconds,
    )


def _pause(again: int) -> float:
    return float(min(FIRST_PAUSE * 2**again, LONGEST_PAUSE) * random.uniform(0.5, 1))


def _told_pause(response: Reply) -> float | None:
    """Seconds that a provider asks to wait (retry-after-ms, then retry-after, as the SDKs read them)."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(float(response.headers[name]) * unit, 0.0)
        except (KeyError, ValueError):  # absent, or a date: our own pause will do
            continue
    return None
