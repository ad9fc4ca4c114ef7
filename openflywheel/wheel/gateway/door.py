"""Who may come in, with which scope, and how often."""

import asyncio
import logging
import time

from openflywheel.base.errors import StoreError
from openflywheel.base.keys import Key, Scope, TooManyRequests, rate_of
from openflywheel.serve._gateway.intake import Headers
from openflywheel.serve._keys import KeyRing, require
from openflywheel.serve._limits import Budgets, Limiter, admit

REFRESH = 1.0  # seconds after which a revoked key is refused everywhere

log = logging.getLogger("openflywheel")


class Doorkeeper:
    """Keys, rates and budgets. Without any key, whoever reaches the gateway may ask, signal and look."""

    def __init__(self, ring: KeyRing, limiter: Limiter, budgets: Budgets, subject_rate: str) -> None:
        self._ring, self._limiter, self._budgets = ring, limiter, budgets
        self._subject_rate = rate_of(subject_rate) if subject_rate else None

    def key(self, headers: Headers, scope: Scope = "infer") -> Key | None:
        """The key of a request; None where none was ever made. Raises Unauthorised, Forbidden."""
        if self._ring.open and scope != "admin":
            return None
        key = self._ring.find(headers.get(b"authorization"), headers.get(b"x-api-key"), time.time())
        require(key, scope)
        return key

    def admit(self, key: Key | None, subject: str) -> None:
        """Count a request. Raises TooManyRequests, OverBudget."""
        if self._subject_rate and subject:
            wait = self._limiter.take(f"subject/{subject}", self._subject_rate)
            if wait:
                raise TooManyRequests(f"too many requests of this subject; try again in {wait:.3g} s", wait)
        if key:
            admit(key, subject, self._limiter, self._budgets, time.time())

    async def watch(self) -> None:
        """Read the keys again and again."""
        while True:
            await asyncio.sleep(REFRESH)
            try:
                await asyncio.to_thread(self._ring.refresh)
            except StoreError as error:
                log.warning("the API keys could not be read again, the old ones hold: %s", error)
