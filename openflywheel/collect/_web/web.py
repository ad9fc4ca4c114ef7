"""The web as sources may use it: one safe client for all HTTP that collect does.

Every URL, also each one that a redirect leads to, passes the guard of address.py; bodies, heads, packing,
time and pace are capped; what fails in passing is asked again. No cookies are kept, no proxy is used.
"""

import re
import ssl
from collections.abc import Coroutine, Mapping
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any, TypeVar

from openflywheel.base.instruments.wire import Pool
from openflywheel.base.settings import WebSettings
from openflywheel.collect._web import hop
from openflywheel.collect._web.address import Guard, Resolve, Target, look_up, read
from openflywheel.collect._web.decode import ACCEPTED
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.fetching import Accept, Fetching, Redirect
from openflywheel.collect._web.loop import Loop
from openflywheel.collect._web.polite import Hosts
from openflywheel.collect._web.pools import Pools
from openflywheel.collect._web.redirect import Asked
from openflywheel.collect._web.response import Response

__all__ = ["FetchFailed", "Response", "Web"]

T = TypeVar("T")
MOST = 16_000_000  # bytes of a body, unless said otherwise
HEADER, VALUE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"), re.compile(r"[\t\x20-\x7e\x80-\xff]*")
NONE: Mapping[str, str] = {}


class Web:
    """Safe HTTP. Usable from any thread; its connections live on one event loop in a thread of its own.

    `resolve` looks up names, `trust` says whose certificates are good: the system's, unless handed in.
    `hosts` holds the turns at each host, `settings.delay` seconds apart, for whoever fetches much.
    """

    def __init__(
        self, settings: WebSettings, *, resolve: Resolve = look_up, trust: ssl.SSLContext | None = None
    ) -> None:
        self.settings = settings
        self.agent = _agent(settings.contact)
        self.hosts = Hosts(settings.delay)
        self._guard = Guard(settings.allow, resolve)
        self._pools = Pools(self._opened)
        self._loop = Loop()
        self._trust = trust
        self._usual = {"user-agent": self.agent, "accept": "*/*", "accept-encoding": ACCEPTED}

    def owns(self, url: str) -> bool:
        """Is the URL's host on the allow list? Raises FetchFailed for what is no URL of the web."""
        return self._guard.owns(read(url))

    def get(self, url: str, *, headers: Mapping[str, str] = NONE, most: int = MOST) -> Response:
        """Fetch a URL and wait for it. `most`: bytes of the body. Raises FetchFailed; see `fetch`."""
        return self.run(self.fetch(url, headers=headers, most=most))

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str] = NONE, most: int = MOST) -> Response:
        """Send a body to a URL and wait for what comes back. Raises FetchFailed; see `fetch`.

        It is repeated only when the server says that it has done nothing (429, 503): a POST may cost money.
        """
        return self.run(self.fetch(url, method="POST", headers=headers, body=body, most=most))

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] = NONE,
        body: bytes = b"",
        most: int = MOST,
        redirect: Redirect | None = None,
        accept: Accept | None = None,
    ) -> Response:
        """Fetch a URL, on the web's own loop (see `run`). A status of 400 and above is no failure.

        Follows up to 10 redirects, each judged like the first URL; `redirect` is called with each before it
        is followed. Asks again up to 3 times after 429, 500, 502, 503, 504 or a broken connection, when
        Retry-After says or with backoff; a server that asks for more than 60 s of waiting is not asked again.
        `accept` is called with status and headers before the body is read. Both may raise FetchFailed.
        Raises FetchFailed.
        """
        sent = self._usual | {name.lower(): _fit(name, value, url) for name, value in headers.items()}
        asked = Asked(target=self._guard.admit(url), method=method, headers=sent, body=body)
        fetching = Fetching(self._guard, self._pools, most=most, redirect=redirect, accept=accept)
        return await fetching.run(asked)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the web's loop and wait for its result; not to be called on that loop itself."""
        return self._loop.run(coroutine)

    def close(self) -> None:
        """Cancel what runs, drop the connections, end the thread."""
        self._loop.close(self._pools.close)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._trust or ssl.create_default_context()

    def _opened(self, target: Target) -> Pool:
        tls = self._tls if target.scheme == "https" else None
        addresses = partial(self._guard.addresses, target)
        return Pool(target.origin, hop.CONNECT, hop.WHOLE, tls=tls, addresses=addresses)


def _fit(name: str, value: str, url: str) -> str:
    """A header's value, if it can be sent. The value is not said: it may be a key."""
    if HEADER.fullmatch(name) and VALUE.fullmatch(value):
        return value
    raise FetchFailed("bad header", url, f"{name!r} holds a line break, or a letter that HTTP cannot carry")


def _agent(contact: str) -> str:
    """Who asks, and how to reach them; nothing else is pretended."""
    name = f"openflywheel/{'.'.join(version('openflywheel').split('.')[:2])}"
    return f"{name} (+{contact})" if contact else name
