"""What somebody says about an exchange: the body of POST /v1/signals, and what Flywheel.signal builds."""

import re
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network
from math import isfinite
from typing import Literal

from msgspec import Struct

from openflywheel.base.errors import SettingsError, suggest

Speaker = Literal["user", "expert", "code"]

OUTCOMES = {
    "accepted": 1.0, "bought": 1.0, "copied": 0.5, "escalated": -1.0, "resolved": 1.0, "returned": -1.0,
}  # fmt: skip
AHEAD = 300.0  # seconds by which a client's clock may be ahead of ours
WORD = re.compile(r"\w[\w-]{0,49}")
STARS = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*/\s*(\d{1,3})\s*")


class Stars(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many stars of so many: 1 of 5 is the worst, 5 of 5 the best."""

    stars: float
    of: float = 5


class Said(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing or several that somebody says about one exchange, or about a whole episode.

    `exchange` is our id or the provider's id of the answer; with `episode` alone it is about all of it.
    `rating`: true or false, or a number from -1 to 1; `stars`: "4/5". `correction`: what the user calls
    right; `demonstration`: what a person wrote or sent instead; `label`: what an expert calls right;
    `choice`: one of the choices offered, or the id of the exchange that was preferred `over` others.
    `outcome`: what came of it, with a `value` from -1 to 1 unless it is a known word. `subject`: who says
    it; `at`: when (Unix seconds or RFC 3339); `id`: saying it again under the same id counts once;
    `address`: the IP address it came from, of which only an opaque name of its block is kept.
    """

    exchange: str = ""
    episode: str = ""
    rating: bool | float | None = None
    stars: str | Stars | None = None
    comment: str = ""
    correction: str = ""
    demonstration: str = ""
    choice: str = ""
    over: tuple[str, ...] = ()
    outcome: str = ""
    value: float | None = None
    label: str = ""
    subject: str = ""
    source: Speaker = "user"
    at: float | str | None = None
    id: str = ""
    address: str = ""


def rating(said: Said) -> float | None:
    """From -1 (bad) to 1 (good); None when nothing was rated. Raises SettingsError."""
    if said.rating is not None and said.stars is not None:
        raise SettingsError("a signal has a rating or stars, not both")
    if said.stars is not None:
        return _stars(said.stars)
    if isinstance(said.rating, bool):
        return 1.0 if said.rating else -1.0
    return None if said.rating is None else _within("rating", said.rating)


def _stars(given: str | Stars) -> float:
    found = STARS.fullmatch(given) if isinstance(given, str) else None
    stars = Stars(stars=float(found[1]), of=float(found[2])) if found else given
    if isinstance(stars, str) or not (1 <= stars.stars <= stars.of <= 100 and stars.of > 1):
        raise SettingsError(f'stars = {given!r}: write "4/5", from 1 to at most 100 stars')
    return 2 * (stars.stars - 1) / (stars.of - 1) - 1


def outcome(said: Said) -> float | None:
    """Value of the outcome, from -1 to 1; None when none was told. Raises SettingsError."""
    if not said.outcome:
        if said.value is not None:
            raise SettingsError(f"value = {said.value} belongs to an outcome; name the outcome")
        return None
    if not WORD.fullmatch(said.outcome):
        raise SettingsError(
            f"outcome = {said.outcome[:60]!r} is no word of at most 50 letters, digits, - or _"
        )
    if said.value is not None:
        return _within("value", said.value)
    if said.outcome not in OUTCOMES:
        hint = suggest(said.outcome, OUTCOMES)
        raise SettingsError(f"outcome = {said.outcome!r} needs a value from -1 to 1; {hint}")
    return OUTCOMES[said.outcome]


def _within(name: str, value: float) -> float:
    if not -1 <= value <= 1:
        raise SettingsError(f"{name} = {value} is outside -1 (bad) to 1 (good)")
    return float(value)


def moment(said: Said, now: float) -> float | None:
    """When it was said (Unix seconds); None for now. Raises SettingsError."""
    if said.at is None:
        return None
    at = _rfc3339(said.at) if isinstance(said.at, str) else float(said.at)
    if not (isfinite(at) and at >= 0):
        raise SettingsError(f"at = {said.at!r} is no moment; write Unix seconds, or 2026-11-21T10:00:00Z")
    if at > now + AHEAD:
        raise SettingsError(f"at = {said.at!r} is {at - now:.0f} seconds in the future; set the clock")
    return at


def _rfc3339(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise SettingsError(f"at = {text!r} is no RFC 3339 time with a zone, such as 2026-11-21T10:00:00Z")
    return found.timestamp()


def block(said: Said) -> str:
    """The /24 (IPv4) or /48 (IPv6) that the address lies in; empty without one. Raises SettingsError."""
    if not said.address:
        return ""
    try:
        ip = ip_address(said.address)
    except ValueError:
        raise SettingsError("address is no IP address") from None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ip_network((ip, 24 if ip.version == 4 else 48), strict=False))
