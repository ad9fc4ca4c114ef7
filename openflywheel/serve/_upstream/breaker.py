"""Two brakes on hope: a circuit breaker a provider, and a budget for retries.

Circuit breaker: Nygard, "Release It!" (2007). Retry budget: a token bucket that requests fill and retries
empty, as in gRPC (proposal A6) and Finagle.
"""

import time
from collections.abc import Callable

from openflywheel.serve.providers import Breaker


class Circuit:
    """Open after `failures` failures in a row; after `pause` seconds one request may try again."""

    def __init__(self, settings: Breaker, now: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._now = settings, now
        self._failed = 0
        self._until = 0.0

    @property
    def open(self) -> bool:
        """Is the provider left alone just now?"""
        return self._failed >= self._settings.failures and self._now() < self._until

    def admit(self) -> bool:
        """May a request go out? After a pause one goes alone: the next waits another pause."""
        if self._failed < self._settings.failures:
            return True
        if self._now() < self._until:
            return False
        self._until = self._now() + self._settings.pause
        return True

    def succeeded(self) -> None:
        self._failed = 0

    def failed(self) -> None:
        self._failed += 1
        self._until = self._now() + self._settings.pause


class RetryBudget:
    """Retries stay under a share of the requests, plus a reserve so that quiet providers may retry too."""

    RESERVE = 10.0

    def __init__(self) -> None:
        self._tokens = self.RESERVE

    def deposit(self, share: float) -> None:
        """A first try went out, which allows `share` of a retry."""
        self._tokens = min(self._tokens + share, self.RESERVE * 10)

    def withdraw(self) -> bool:
        """May one more retry go out?"""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
