"""Sitemaps (sitemaps.org protocol 0.9): indexes, lists of URLs, text files, gzip; nothing unbounded."""

import asyncio
import zlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from openflywheel.base.instruments.dates import iso_date
from openflywheel.base.nouns import Drop
from openflywheel.collect._site.plain_xml import PIECE, XmlRefused, parsed, parser
from openflywheel.collect._site.urls import canonical, host
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response

Fetch = Callable[..., Awaitable[Response]]

MOST_BYTES = 50_000_000  # of a file, unpacked; this and the next are the protocol's own bounds
MOST_URLS = 50_000  # of a file
DEEPEST = 3  # an index of indexes of lists
MOST_FILES = 1_000
MOST_ENTRIES = 1_000_000  # in all
LONGEST = 2_048  # characters of a URL, by the protocol


class Entry(NamedTuple):
    """A URL that a sitemap lists; `modified` is ISO 8601, or "" when it does not say."""

    url: str
    modified: str = ""


class Listed(NamedTuple):
    """What a file of sitemaps has in it: pages, and other sitemaps."""

    pages: list[Entry]
    sitemaps: list[Entry]


async def urls(fetch: Fetch, starts: Sequence[str], site: str = "") -> AsyncIterator[Entry | Drop]:
    """The pages of `site` (its URL) that sitemaps list, as canonical URLs; a Drop for what is refused.

    `fetch` is Web.fetch. Pages of other hosts are dropped, http or https and "www." aside; without a `site`
    they must be of the host of the first sitemap. A sitemap may lie at the site or where a start lies: it is
    robots.txt that names those (the protocol's cross-submission). In which folder a file lies is not asked.
    """
    waiting = deque((url, 1) for url in map(canonical, starts) if url)
    hosts = {_bare(url) for url, _ in waiting}
    home = _bare(site or next((url for url, _ in waiting), ""))
    seen = {url for url, _ in waiting}
    files = entries = 0
    while waiting and files < MOST_FILES and entries < MOST_ENTRIES:
        url, depth = waiting.popleft()
        files += 1
        async for found in _file(fetch, url):
            if isinstance(found, Drop):
                yield found
                continue
            for inner in found.sitemaps:
                if depth < DEEPEST and _bare(inner.url) in hosts | {home} and inner.url not in seen:
                    seen.add(inner.url)
                    waiting.append((inner.url, depth + 1))
            for page in found.pages:
                entries += 1
                yield page if _bare(page.url) == home else Drop("sitemap: another site")
    if waiting:
        yield Drop("sitemap: too many")


async def _file(fetch: Fetch, url: str) -> AsyncIterator[Listed | Drop]:
    """What one file lists, piece by piece: what came before it broke is good."""
    try:
        response = await fetch(url, most=MOST_BYTES)
    except FetchFailed as error:
        yield Drop(f"sitemap: {error.reason}")
        return
    if not response.ok:
        yield Drop(f"sitemap: status {response.status}")
        return
    count = 0
    try:
        for found in _listed(response.body):
            yield Listed(found.pages[: MOST_URLS - count], found.sitemaps[: MOST_URLS - count])
            count += len(found.pages) + len(found.sitemaps)
            if count > MOST_URLS:
                raise XmlRefused("too many URLs")
            await asyncio.sleep(0)  # others on the loop have their turn
    except XmlRefused as refused:
        yield Drop(f"sitemap: {refused.reason}")


def _listed(body: bytes) -> Iterator[Listed]:
    """Raises XmlRefused."""
    pieces = _unpacked(body)
    first = next(pieces, b"").lstrip(b"\xef\xbb\xbf \t\r\n")
    rest = _chain(first, pieces)
    return _xml(rest) if first[:1] == b"<" or b"<\x00" in first[:4] or b"\x00<" in first[:4] else _text(rest)


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _xml(pieces: Iterable[bytes]) -> Iterator[Listed]:
    made, reader = parser(), _Reader()
    made.StartElementHandler, made.EndElementHandler = reader.start, reader.end
    made.CharacterDataHandler = reader.text
    try:
        for _ in parsed(made, pieces):
            yield reader.take()
    except XmlRefused:
        yield reader.take()  # what came before it broke
        raise
    if not reader.known:
        raise XmlRefused("neither urlset nor sitemapindex")


class _Reader:
    """Keeps <loc> and <lastmod> of <url> and <sitemap>; those of images and videos have other parents."""

    def __init__(self) -> None:
        self._listed = Listed([], [])
        self._parents: list[str] = []
        self._said: dict[str, str] = {}
        self.known = False

    def start(self, name: str, _: object) -> None:
        name = name.rpartition(":")[2]
        self.known |= name in ("urlset", "sitemapindex") and not self._parents
        if name in ("url", "sitemap"):
            self._said = {}
        self._parents.append(name if len(self._parents) < 8 else "")

    def text(self, data: str) -> None:
        if self._parents[-2:-1] in (["url"], ["sitemap"]):
            name = self._parents[-1]
            self._said[name] = (self._said.get(name, "") + data)[: LONGEST + 1]

    def end(self, name: str) -> None:
        name = self._parents.pop()
        if name in ("url", "sitemap") and len(loc := self._said.get("loc", "")) <= LONGEST:
            _add(
                self._listed.pages if name == "url" else self._listed.sitemaps,
                loc,
                self._said.get("lastmod", ""),
            )

    def take(self) -> Listed:
        """What has come since the last time."""
        taken, self._listed = self._listed, Listed([], [])
        return taken


def _add(entries: list[Entry], loc: str, modified: str = "") -> None:
    if (url := canonical(loc)) is not None:
        entries.append(Entry(url, iso_date(modified)))


def _text(pieces: Iterable[bytes]) -> Iterator[Listed]:
    """One URL a line, UTF-8."""
    begun = b""
    for piece in pieces:
        *lines, begun = (begun + piece).split(b"\n")
        yield _lines(lines)
        begun = begun[: LONGEST + 1]
    yield _lines([begun])


def _lines(lines: Iterable[bytes]) -> Listed:
    found = Listed([], [])
    for line in lines:
        if len(line) <= LONGEST:
            _add(found.pages, line.decode(errors="replace"))
    return found


def _unpacked(body: bytes) -> Iterator[bytes]:
    """A file's bytes, out of gzip if it is packed (RFC 1952). Raises XmlRefused past MOST_BYTES."""
    if body[:2] != b"\x1f\x8b":
        yield from (body[at : at + PIECE] for at in range(0, len(body), PIECE))
        return
    stream, packed, made = zlib.decompressobj(wbits=31), body, 0
    while packed and not stream.eof:
        try:
            piece = stream.decompress(packed, PIECE)
        except zlib.error:
            raise XmlRefused("bad gzip") from None
        packed, made = stream.unconsumed_tail, made + len(piece)
        if made > MOST_BYTES:
            raise XmlRefused("too large")
        yield piece


def _bare(url: str) -> str:
    return host(url).removeprefix("www.")
