"""When to ask again: exponential backoff with jitter, or when the server says (Retry-After)."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from random import uniform

MOST = 3
FIRST, LONGEST = 0.5, 60.0  # seconds
STATUSES = frozenset({429, 500, 502, 503, 504})
UNTOUCHED = frozenset({429, 503})  # a server that says so has done nothing yet: even a POST may be repeated
REASONS = frozenset({"no connection", "broken off"})


def waits() -> Iterator[float]:
    """Seconds before each further try; the jitter keeps many clients from coming back together."""
    for again in range(MOST):
        yield FIRST * 2**again * uniform(0.5, 1.0)


def again(status: int, *, repeatable: bool) -> bool:
    """Is a request that was answered by this status worth another try?"""
    return status in (STATUSES if repeatable else UNTOUCHED)


def retry_after(said: str, now: float) -> float:
    """Seconds that a Retry-After asks to wait (RFC 9110, section 10.2.3); 0 when it says nothing readable.

    Either a number of seconds or an HTTP date; `now` is Unix time.
    """
    said = said.strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        return max(parsedate_to_datetime(said).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return 0.0
