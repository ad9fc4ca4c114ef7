"""An API key: who may do what at the gateway, how often, and for how much money.

A key's secret is `fw-<id>-<43 base62 characters>`; only its SHA-256 is kept. Those are 256 random bits, so
that nobody can guess them from a plain hash; slow hashes (bcrypt, Argon2) protect what people choose.
"""

import re
import time
from calendar import timegm
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, get_args

from msgspec import Struct

from openflywheel.base.errors import FlywheelError, SettingsError, suggest

Scope = Literal["infer", "signal", "operate", "admin"]
Per = Literal["d", "m"]
State = Literal["valid", "expired", "revoked"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
CLIENT: frozenset[Scope] = frozenset({"infer", "signal"})  # what an application in the field may hold
DAY = 86400
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": DAY}
RATE = re.compile(r"(\d{1,9})/([smhd])(?: burst (\d{1,9}))?")
BUDGET = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)/([dm])")


class Unauthorised(FlywheelError):
    """No key, or one that is unknown, expired or revoked."""


class Forbidden(FlywheelError):
    """The key's scopes do not cover what was asked."""


class TooManyRequests(FlywheelError):
    """A rate limit is reached; `retry_after` seconds from now a request is allowed again."""

    def __init__(self, said: str, retry_after: float) -> None:
        super().__init__(said)
        self.retry_after = retry_after


class OverBudget(FlywheelError):
    """The money for this day or month is spent; `ends` is when the next one begins (Unix seconds)."""

    def __init__(self, said: str, ends: float) -> None:
        super().__init__(said)
        self.ends = ends


class UnknownKey(FlywheelError):
    """There is no API key with that id."""


class Rate(Struct, frozen=True):
    """So many requests in so many seconds, of which `burst` may come at once (1 to count)."""

    count: int
    seconds: int
    burst: int

    @property
    def interval(self) -> int:
        """Nanoseconds from one request to the next at the full rate; one a day is 8.64e13."""
        return self.seconds * 1_000_000_000 // self.count


class Budget(Struct, frozen=True):
    """So much money, in the currency of the settings, for a UTC day ("d") or month ("m")."""

    amount: float
    per: Per


class Key(Struct, frozen=True, kw_only=True):
    """An API key; moments are Unix seconds (UTC), a limit that is empty does not limit.

    `hash` is the secret's SHA-256 in hex. `subject_rate` and `subject_budget` hold for each person who is
    served under the key; requests that name no subject count as one nameless person. `tenant` is stamped
    on the key's exchanges.
    """

    id: str
    name: str
    hash: str
    scopes: tuple[Scope, ...]
    created: float
    expires: float | None = None
    revoked: float | None = None
    rate: str = ""
    subject_rate: str = ""
    budget: str = ""
    subject_budget: str = ""
    tenant: str = ""

    def valid(self, at: float) -> bool:
        """Is it neither revoked nor expired? A revoked key stays so, whatever the clock says."""
        return self.revoked is None and (self.expires is None or at < self.expires)

    def account(self, subject: str | None = None) -> str:
        """Name under which requests and money are counted: the key's own, or a person's under the key."""
        return self.id if subject is None else f"{self.id}/{subject}"


class ShownKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key as people see it; `secret` stands there when it is made, and never again."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    state: State
    created: float
    expires: float | None = None
    revoked: float | None = None
    rate: str = ""
    subject_rate: str = ""
    budget: str = ""
    subject_budget: str = ""
    tenant: str = ""
    secret: str = ""


def shown(key: Key, secret: str = "") -> ShownKey:
    """A key without its hash, as it stands now."""
    fields = {name: getattr(key, name) for name in Key.__struct_fields__ if name != "hash"}
    state: State = "valid" if key.valid(time.time()) else "expired" if key.revoked is None else "revoked"
    return ShownKey(**fields, state=state, secret=secret)


@lru_cache(4096)
def rate_of(text: str) -> Rate:
    """Rate of "5/s", "100/m", "1000/h", "20/d", or with a smaller burst "100/m burst 10".

    Without a word about it, all of the count may come at once. Raises SettingsError.
    """
    found = RATE.fullmatch(text.strip())
    count = int(found[1]) if found else 0
    burst = int(found[3]) if found and found[3] else count
    if not found or not 1 <= burst <= count:
        raise SettingsError(
            f"{text!r} is not a rate; write 5/s, 100/m, 1000/h or 20/d, "
            "or 100/m burst 10 where at most 10 of the 100 may come at once"
        )
    return Rate(count, SECONDS[found[2]], burst)


@lru_cache(4096)
def budget_of(text: str) -> Budget:
    """Budget of "5/d" or "99.50/m". Raises SettingsError."""
    found = BUDGET.fullmatch(text.strip())
    if not found or not float(found[1]):
        raise SettingsError(f"{text!r} is not a budget; write 5/d for a day or 99.50/m for a month (UTC)")
    return Budget(float(found[1]), "d" if found[2] == "d" else "m")


def scopes_of(names: Iterable[str]) -> tuple[Scope, ...]:
    """Scopes in their usual order. Raises SettingsError for none, an unknown one, or client with admin."""
    given = set(names)
    for name in given:
        if name not in SCOPES:
            raise SettingsError(f"there is no scope {name!r}; {suggest(name, SCOPES)}")
    if not given:
        raise SettingsError(f"a key needs a scope; choices: {', '.join(SCOPES)}")
    if "admin" in given and given & CLIENT:
        raise SettingsError(
            f"a key with admin cannot hold {' and '.join(sorted(given & CLIENT))} too: what lies in an "
            "application must not steer the flywheel; create two keys"
        )
    return tuple(scope for scope in SCOPES if scope in given)


def period(at: float, per: Per) -> str:
    """Name of the UTC day ("2026-11-21") or month ("2026-11") of a moment (Unix seconds)."""
    return _period(at // DAY, per)


@lru_cache(64)  # asked with every request: .3 µs instead of 1.4
def _period(day: float, per: Per) -> str:
    return time.strftime("%Y-%m-%d" if per == "d" else "%Y-%m", time.gmtime(day * DAY))


def period_ends(at: float, per: Per) -> float:
    """When the day or month of a moment ends (Unix seconds)."""
    if per == "d":
        return (at // DAY + 1) * DAY
    year, month, *_ = time.gmtime(at)
    return float(timegm((year + month // 12, month % 12 + 1, 1, 0, 0, 0)))
