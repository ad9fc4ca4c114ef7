"""One request and its whole reply, under every cap: time, pace, bytes."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from openflywheel.base.instruments.wire import Broken, Garbled, Pool, Reply
from openflywheel.collect._web.decode import Body
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.redirect import Asked

CONNECT, HEAD, WHOLE = 10.0, 15.0, 60.0  # seconds: to connect; until the head has come; for the body
GRACE, SLOWEST = 10.0, 1_000.0  # after 10 s a body must have come at 1 KB/s or faster
LARGE = 1_000_000  # bytes a second: whoever allows a body of more than 60 MB gives it more than 60 s
SHORT = 65_536  # bytes of an unwanted body that are read, so that its connection can be kept
ONE_VALUE = frozenset({"content-type", "location", "retry-after"})


async def head(pool: Pool, asked: Asked) -> Reply:
    """Send a request and wait for the head of its reply. Raises FetchFailed."""
    with named(asked.target.url):
        async with asyncio.timeout(HEAD):
            return await pool.request(
                asked.method, asked.target.path, asked.headers, asked.body, repeat=asked.repeatable
            )


async def read(reply: Reply, asked: Asked, most: int) -> bytes:
    """The whole body, unpacked. Raises FetchFailed."""
    if asked.method == "HEAD":
        return b""
    url, now = asked.target.url, asyncio.get_running_loop().time
    if int(reply.headers.get("content-length", 0)) > most:
        raise FetchFailed("too large", url, f"content-length: more than {most} bytes")
    body, begun = Body(reply.headers.get("content-encoding", ""), most, url), now()
    end = begun + max(WHOLE, most / LARGE)
    with named(url):
        async with asyncio.timeout_at(begun + GRACE) as limit:
            while piece := await reply.readany():
                body.feed(piece)
                limit.reschedule(min(begun + GRACE + body.sent / SLOWEST, end))
    return body.whole()


async def skip(reply: Reply, asked: Asked) -> None:
    """Read a short body that nobody wants; give up on a long one. Raises FetchFailed."""
    size = 0 if asked.method != "HEAD" else SHORT
    with named(asked.target.url):
        async with asyncio.timeout(HEAD):
            while size < SHORT and (piece := await reply.readany()):
                size += len(piece)


def fields(reply: Reply) -> dict[str, str]:
    """The headers; those that came more than once are joined, or the first one counts."""
    if len(reply.headers) == len(reply.raw_headers):
        return reply.headers
    joined: dict[str, str] = {}
    for name, value in ((k.decode("latin-1"), v.decode("latin-1")) for k, v in reply.raw_headers):
        if name not in joined:
            joined[name] = value
        elif name not in ONE_VALUE:
            joined[name] += f", {value}"
    return joined


@contextmanager
def named(url: str) -> Iterator[None]:
    """Failures of the network in the words of FetchFailed."""
    try:
        yield
    except TimeoutError as error:
        raise FetchFailed("too slow", url, str(error)) from None
    except ssl.SSLCertVerificationError as error:
        raise FetchFailed("bad certificate", url, error.verify_message) from None
    except ssl.SSLError as error:
        raise FetchFailed("tls failed", url, str(error)) from None
    except Garbled as error:
        raise FetchFailed("bad reply", url, str(error)) from None
    except Broken as error:
        raise FetchFailed("broken off", url, str(error)) from None
    except OSError as error:
        raise FetchFailed("no connection", url, str(error)) from None
