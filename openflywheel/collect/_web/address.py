"""The guard against server-side request forgery: which URLs may be asked, and at which addresses.

A URL is read strictly, its host is looked up, and if any address of it is not public, none is used. The
connection goes to the very address that was judged, so that a name which changes its address in the meantime
(DNS rebinding) gains nothing. Hosts on the allow list are one's own and may be anywhere.
"""

import asyncio
import re
import socket
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, urlsplit

from msgspec import Struct

from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.ranges import CLOSED_PORTS, public, public_name

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

DEFAULT_PORTS = {"http": 80, "https": 443}
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{1,62}", re.ASCII)
NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)
DOTS = str.maketrans("\u3002\uff0e\uff61", "...")  # what IDNA takes for a full stop
READABLE = "!#$%&'()*+,/:;=?@[]~"  # what stays as it is in a path that must be escaped


class Target(Struct, frozen=True):
    """Where a URL leads to: `host` in its one normal form, `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """The host as URLs write it: an IPv6 address stands in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a port that goes without saying."""
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.place}{port}"

    @property
    def url(self) -> str:
        """The whole URL."""
        return self.origin + self.path


class Guard:
    """Judges URLs and addresses. `allow` names one's own hosts: "host" or "host:port"."""

    def __init__(self, allow: Iterable[str], resolve: Resolve) -> None:
        self._own = {_place(own) for own in allow}
        self._resolve = resolve

    def owns(self, target: Target) -> bool:
        """Is the host on the allow list?"""
        return not self._own.isdisjoint({target.place, f"{target.place}:{target.port}"})

    def admit(self, url: str) -> Target:
        """Read a URL and judge all that can be judged without asking the network. Raises FetchFailed."""
        target = read(url)
        if self.owns(target):
            return target
        if target.port in CLOSED_PORTS:
            raise FetchFailed("address not allowed", url, f"port {target.port} is not the web's")
        if _literal(target.host):
            _judge([target.host], url)
        elif not NAME.fullmatch(target.host) or not public_name(target.host):
            raise FetchFailed("address not allowed", url, f"{target.host!r} is no public name")
        return target

    async def addresses(self, target: Target) -> Sequence[str]:
        """The addresses to connect to, each judged. Raises FetchFailed."""
        if _literal(target.host):
            return (target.host,)
        try:
            found = await self._resolve(target.host, target.port)
        except socket.gaierror as error:
            reason = "no connection" if error.errno == socket.EAI_AGAIN else "no such host"
            raise FetchFailed(reason, target.url, str(error)) from None
        if not self.owns(target):
            _judge(found, target.url)
        return found


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, in the order in which the system would try them. Raises socket.gaierror."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def read(url: str) -> Target:
    """A URL in parts, in normal form without its fragment. Raises FetchFailed for what is no plain URL."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchFailed("address not allowed", url, str(error)) from None
    if parts.scheme not in DEFAULT_PORTS:
        raise FetchFailed("address not allowed", url, f"scheme {parts.scheme!r}; choices: http, https")
    if "@" in parts.netloc or CONTROL.search(url):
        raise FetchFailed("address not allowed", url, "a name, a password or a control character is in it")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = _host(parts.hostname or "", url)
    return Target(parts.scheme, host, DEFAULT_PORTS[parts.scheme] if port is None else port, _escaped(path))


def _host(host: str, url: str) -> str:
    """A host in its one normal form; an address in any other form than the usual is refused."""
    try:
        if ":" in host:
            return str(IPv6Address(host))
        if not host.isascii():
            host = unicodedata.normalize("NFKC", host).translate(DOTS).encode("idna").decode()
        host = host.lower().removesuffix(".")
        return str(IPv4Address(host)) if NUMBER.fullmatch(host.rpartition(".")[2]) else host
    except (AddressValueError, UnicodeError) as error:
        raise FetchFailed("address not allowed", url, f"the host is written oddly: {error}") from None


def _literal(host: str) -> bool:
    """Is a host in normal form an IP address?"""
    return ":" in host or host.rpartition(".")[2].isdigit()


def _judge(addresses: Iterable[str], url: str) -> None:
    """Refuse them all if one is not public. Raises FetchFailed."""
    for address in addresses:
        if not public(address):
            raise FetchFailed("address not allowed", url, f"{address} is not public")


def _escaped(path: str) -> str:
    """A path and query as they may stand in a request's first line."""
    return path if path.isascii() and " " not in path else quote(path, READABLE)


def _place(own: str) -> str:
    """An entry of the allow list as a Target writes its place."""
    own = own.strip().lower().removesuffix(".")
    return f"[{own}]" if own.count(":") > 1 and "[" not in own else own
