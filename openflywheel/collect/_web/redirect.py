"""Redirects: what is asked next, and what is no longer said (RFC 9110, section 15.4; fetch standard)."""

from urllib.parse import urljoin

from msgspec import Struct

from openflywheel.collect._web.address import Guard, Target
from openflywheel.collect._web.errors import FetchFailed

MOST = 10
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
STATUSES = frozenset({301, 302, 303, 307, 308})
# All that a host of another origin may see; every other header may be a credential (X-Api-Key, Cookie ...).
OPEN = "accept accept-encoding accept-language content-type if-modified-since if-none-match user-agent"
HARMLESS = frozenset(OPEN.split())


class Asked(Struct, frozen=True, kw_only=True):
    """A request. Names of headers are in lower case."""

    target: Target
    method: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def repeatable(self) -> bool:
        """May it be sent twice? A POST may cost money (RFC 9110, section 9.2.2)."""
        return self.method in REPEATABLE

    @property
    def secret(self) -> bool:
        """Does it carry what may be a credential?"""
        return not self.headers.keys() <= HARMLESS


def follow(asked: Asked, status: int, location: str, guard: Guard) -> Asked:
    """What a redirect asks for. Raises FetchFailed when it may not be followed."""
    target = guard.admit(_joined(asked.target.url, location))
    if guard.owns(target) and not guard.owns(asked.target):
        raise FetchFailed("address not allowed", target.url, "a stranger's redirect to a host of your own")
    if asked.secret and (asked.target.scheme, target.scheme) == ("https", "http"):
        raise FetchFailed("redirect not allowed", target.url, "credentials would be sent in the clear")
    headers = asked.headers
    if target.origin != asked.target.origin:
        headers = {name: value for name, value in headers.items() if name in HARMLESS}
    if (status == 303 and asked.method != "HEAD") or (status in (301, 302) and asked.method == "POST"):
        headers = {name: value for name, value in headers.items() if name != "content-type"}
        return Asked(target=target, method="GET", headers=headers)
    return Asked(target=target, method=asked.method, headers=headers, body=asked.body)


def _joined(url: str, location: str) -> str:
    """A Location is relative to what was asked; bytes beyond ASCII are UTF-8 in practice."""
    try:
        return urljoin(url, location.encode("latin-1").decode("utf-8", "replace"))
    except ValueError as error:
        raise FetchFailed("address not allowed", location, str(error)) from None
