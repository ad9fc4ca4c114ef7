"""What a site reserves: whether its pages may be kept and learned from.

X-Robots-Tag and <meta name=robots> (noindex, none, noai), the TDM Reservation Protocol (W3C final report of
10 May 2024), Content-Usage (IETF aipref) and Content-Signal (contentsignals.org) in robots.txt and headers,
ai.txt (Spawning). Where several speak, one no is enough, but a nearer tdm-reservation replaces a farther one.
"""

import re
import time
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from openflywheel.collect._site.head import AGENT
from openflywheel.collect._site.kept import Clock, Fetch, PerOrigin
from openflywheel.collect._site.license import license_of
from openflywheel.collect._site.page import Page
from openflywheel.collect._site.robots import Robots
from openflywheel.collect._site.rules import escaped, matches, path_of
from openflywheel.collect._web.errors import FetchFailed

MOST_BYTES = 1_000_000

_USES = ("content-usage", "content-signal")  # lines of robots.txt, and headers
_NO = re.compile(r"\b(ai-train|ai-input|train-ai|train-genai|bots)\s*=\s*(?:n|no|\?0)\b", re.IGNORECASE)
_VALUED = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_REL_LICENSE = re.compile(r"\brel\s*=\s*\"?[^\";]*\blicense\b", re.IGNORECASE)


class Site(Struct, frozen=True):
    """What a site's ai.txt and tdmrep.json say; `tdm` has patterns, and whether they are reserved."""

    ai: Robots
    tdm: tuple[tuple[str, bool], ...] = ()
    failed: bool = False

    def reserves(self, url: str) -> bool:
        """Does tdmrep.json reserve this URL? The longest pattern decides."""
        path = path_of(url)
        found = [(len(pattern), reserved) for pattern, reserved in self.tdm if matches(pattern, path)]
        return bool(found) and max(found)[1]

    def refuses(self, url: str, *, page: bool) -> bool:
        """Does ai.txt refuse this URL? Its patterns name kinds of files: a page without suffix is *.html."""
        bare = page and "." not in path_of(url).rpartition("/")[2]
        return not (self.ai.allowed(AGENT, url) and (not bare or self.ai.allowed(AGENT, f"{url}.html")))


class SiteSignals:
    """The ai.txt and the tdmrep.json of every site that a crawl meets, each asked for once a day.

    What cannot be read says nothing, and is asked for again after ten minutes: robots.txt is the gate.
    """

    def __init__(self, fetch: Fetch, *, clock: Clock = time.monotonic) -> None:
        self._fetch = fetch
        self._kept = PerOrigin(self._read, lambda site: site.failed, clock)

    async def at(self, url: str) -> Site:
        """What the site of a canonical URL says."""
        return await self._kept.of(url)

    async def _read(self, place: str) -> Site:
        ai, tdm = await self._file(f"{place}/ai.txt"), await self._file(f"{place}/.well-known/tdmrep.json")
        return Site(Robots.parse(ai or b""), _rules(tdm or b""), ai is None or tdm is None)

    async def _file(self, url: str) -> bytes | None:
        """A file's content, empty if there is none; None when it could not be read."""
        try:
            response = await self._fetch(url)
        except FetchFailed:
            return None
        if response.status == 429 or response.status >= 500:
            return None
        return response.body[:MOST_BYTES] if response.ok else b""


def opted_out(
    url: str,
    headers: Mapping[str, str],
    page: Page | None = None,
    robots: Robots | None = None,
    site: Site | None = None,
) -> str:
    """Why this must not be kept: "noindex", "noai", "tdm-reservation", "ai-train" ...; "" when it may be.

    `headers` have lower-case names; `page` is None for what is no HTML.
    """
    asked = {*directives(headers.get("x-robots-tag", "")), *(page.directives if page else ())}
    reason = next((d for d in ("noindex", "noai") if d in asked), "")
    image = headers.get("content-type", "").startswith("image/")
    if not reason and image and "noimageai" in asked:
        reason = "noimageai"
    return reason or reserved(url, headers, page, robots, site)


def reserved(
    url: str,
    headers: Mapping[str, str],
    page: Page | None = None,
    robots: Robots | None = None,
    site: Site | None = None,
) -> str:
    """Why this must not be mined or learned from, whatever search engines may do; "" when it may be."""
    if _mining(url, headers, page, site):
        return "tdm-reservation"
    said = [headers.get(name, "") for name in _USES]
    said += [_nearest(robots.said(AGENT, name), url) for name in _USES] if robots else []
    if found := next((m for m in map(_NO.search, said) if m), None):
        return found[1].lower()
    return "ai.txt" if site and site.refuses(url, page=page is not None) else ""


def directives(header: str, agent: str = AGENT) -> set[str]:
    """What an X-Robots-Tag asks of us, in lower case; "none" is noindex and nofollow.

    "otherbot: noindex, noai" speaks to that robot until another is named.
    """
    asked, ours = set(), True
    for item in header.lower().split(","):
        name, colon, rest = (part.strip() for part in item.partition(":"))
        if colon and name not in _VALUED:
            ours = name == agent
        if ours:
            asked.add(rest if colon and name not in _VALUED else name)
    return (asked | {"noindex", "nofollow"} if "none" in asked else asked) - {""}


def linked_license(headers: Mapping[str, str]) -> str:
    """The licence that a Link header names (RFC 8288, rel=license); "" when it names none."""
    links = _LINK.findall(headers.get("link", ""))
    return next((license_of(target) for target, rest in links if _REL_LICENSE.search(rest)), "")


def _mining(url: str, headers: Mapping[str, str], page: Page | None, site: Site | None) -> bool:
    """TDMRep: the page before the header, the header before the file at the site."""
    if page and "tdm-reservation" in page.directives:
        return True
    header = headers.get("tdm-reservation", "").strip()
    return header == "1" if header in ("0", "1") else site is not None and site.reserves(url)


def _nearest(lines: Iterable[str], url: str) -> str:
    """Of lines such as "/docs/ train-ai=n", what the one with the longest matching path says."""
    best, said = -1, ""
    for line in lines:
        path, _, rest = line.partition(" ") if line.startswith("/") else ("", "", line)
        if len(path) > best and matches(escaped(path), path_of(url)):
            best, said = len(path), rest
    return said


def _rules(body: bytes) -> tuple[tuple[str, bool], ...]:
    """tdmrep.json: [{"location": "/a/*", "tdm-reservation": 1}]; what is not of this form says nothing."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ()
    rules = [rule for rule in said if isinstance(rule, dict)] if isinstance(said, list) else []
    found = [(rule.get("location"), rule.get("tdm-reservation") in (1, "1")) for rule in rules]
    return tuple((escaped(pattern), yes) for pattern, yes in found if isinstance(pattern, str))
