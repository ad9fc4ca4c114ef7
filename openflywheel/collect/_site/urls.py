"""URLs: one form for what is the same, and the traps that crawlers fall into.

After RFC 3986 (sections 5.2 and 6.2), and the WHATWG URL standard where pages in the wild need it (white
space, backslashes). w3lib.url.canonicalize_url keeps default ports, tracking parameters and any scheme, joins
nothing, and takes four times as long.
"""

import re
import time
from functools import lru_cache
from typing import NamedTuple

import idna

LONGEST = 2_000  # characters; longer ones come of scripts that echo what they were asked
DEEPEST = 20  # segments of a path
YEARS_AHEAD, YEARS_BACK = 1, 30  # how far a calendar is worth reading

_PARTS = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL
)
_SPACE = "".join(map(chr, range(33)))
_PORTS = {"http": "80", "https": "443"}
_HOST = re.compile(r"(?!.*\.\.)[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\]")
_CLEAN = re.compile(r"[\w.~!$&'()*+,;=:@/?-]*", re.ASCII)
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})|[^\w.~!$&'()*+,;=:@/?-]", re.ASCII)
_UNRESERVED = re.compile(r"[\w.~-]", re.ASCII)
_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;]*", re.IGNORECASE)
_TRACKING = re.compile(
    r"(?:utm_\w*|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|twclid|ttclid|igshid|mc_[ce]id|_ga|_gl"
    r"|_hsenc|_hsmi|mkt_tok|vero_id|oly_(?:anon|enc)_id|jsessionid|phpsessid|aspsessionid\w*|sid|session_?id"
    r"|cfid|cftoken)(?:=.*)?",
    re.IGNORECASE,
)
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?|jsp|cgi)$", re.IGNORECASE)
_CALENDAR = re.compile(
    r"calendar|kalender|agenda|schedule|events?\b|\b(?:year|month|week|day|date)\b", re.IGNORECASE
)
_YEAR = re.compile(r"(?<!\d)[12]\d{3}(?!\d)")


class Parts(NamedTuple):
    """A URL in its parts; None stands for a part that is not there."""

    scheme: str | None
    authority: str | None
    path: str
    query: str | None


def canonical(url: str, base: str = "") -> str | None:
    """The one form of a URL; None for what is not http(s), carries a password, or has no valid host.

    `base` is the page's own URL, or its <base href>. The host comes in lower case and ASCII (IDNA 2008), the
    default port, dot segments and the fragment go, percent-encoding follows RFC 3986 section 6.2.2. Tracking
    parameters and session ids go, the rest of the query is sorted by name.
    """
    parts = _split(url)
    if parts.authority is None and parts.scheme is None and base:
        parts = _join(_split(base), parts)
    elif parts.scheme is None and base:
        parts = parts._replace(scheme=_split(base).scheme)
    origin = _origin(parts.scheme or "", parts.authority or "")
    return origin and origin + _path(parts.path) + (_query(parts.query) if parts.query else "")


def origin(url: str) -> str:
    """Scheme, host and port of a canonical URL: "https://example.com"."""
    end = url.find("/", url.find("://") + 3)
    return url if end < 0 else url[:end]


def host(url: str) -> str:
    """The host of a canonical URL, without its port."""
    place = origin(url).partition("://")[2]
    return place if place.endswith("]") else place.rpartition(":")[0] or place


def near(url: str) -> str:
    """A form in which near duplicates fall together; it is a name, not a URL.

    The same are http and https, www.example.com and example.com, /a/ and /a, /a/index.html and /a/.
    """
    place, mark, query = (canonical(url) or url).partition("://")[2].partition("?")
    return _INDEX.sub("", place.removeprefix("www.")).rstrip("/") + mark + query


def trap(url: str) -> str:
    """Why a canonical URL is not worth following; "" when nothing speaks against it."""
    if len(url) > LONGEST:
        return "URL too long"
    path, _, query = url[len(origin(url)) :].partition("?")
    segments = path.strip("/").split("/")
    if len(segments) > DEEPEST:
        return "URL too deep"
    if _repeats(segments):
        return "path repeats itself"
    return "endless calendar" if _far_date(f"{path}?{query}") else ""


def _split(url: str) -> Parts:
    url = url.strip(_SPACE)
    if "\n" in url or "\t" in url or "\r" in url:
        url = url.replace("\n", "").replace("\t", "").replace("\r", "")
    if "\\" in url:  # browsers read them as slashes
        place, mark, query = url.partition("?")
        url = place.replace("\\", "/") + mark + query
    found = _PARTS.match(url)
    return Parts(*found.groups()) if found else Parts(None, None, url, None)


def _join(base: Parts, parts: Parts) -> Parts:
    """RFC 3986 section 5.2.2, for a reference without scheme and authority."""
    path = parts.path
    if not path:
        path, query = base.path, base.query if parts.query is None else parts.query
        return Parts(base.scheme, base.authority, path, query)
    if path[0] != "/":
        path = f"{base.path.rpartition('/')[0]}/{path}"
    return Parts(base.scheme, base.authority, path, parts.query)


@lru_cache(maxsize=4096)
def _origin(scheme: str, authority: str) -> str | None:
    """None unless it is a place that can be asked without a name and a password."""
    scheme = scheme.lower()
    place, _, port = authority.rpartition(":") if re.search(r":\d*$", authority) else (authority, "", "")
    name = _ascii(place)
    if scheme not in _PORTS or name is None or (port and int(port) > 65535):
        return None
    number = port.lstrip("0")
    return f"{scheme}://{name}" + ("" if number in ("", _PORTS[scheme]) else f":{number}")


def _ascii(name: str) -> str | None:
    """A host name as the name service has it."""
    name = _decoded(name).lower().removesuffix(".")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError:
            return None
    return name if _HOST.fullmatch(name) else None


def _decoded(name: str) -> str:
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes.fromhex(m[1].decode()), name.encode(errors="replace"))
    return raw.decode(errors="replace")


def _path(path: str) -> str:
    if ";" in path:
        path = _SESSION.sub("", path)
    path = encoded(path)
    if "/." in path:
        path = _without_dots(path)
    return path if path[:1] == "/" else f"/{path}"


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if kept and segments[-1] in (".", "..") else "")


def _query(query: str) -> str:
    pairs = encoded(query).split("&")
    kept = [p for p in pairs if p and not _TRACKING.fullmatch(p)]
    if len(kept) > 1:
        kept.sort(key=lambda p: p.partition("=")[0])  # stable: a=2&a=1 keeps its order
    return "?" + "&".join(kept) if kept else ""


def encoded(text: str) -> str:
    """Percent-encoding by RFC 3986 section 6.2.2: only where it is needed, hexadecimals in upper case."""
    return text if _CLEAN.fullmatch(text) else _ENCODED.sub(_octets, text)


def _octets(found: re.Match[str]) -> str:
    if found[1] is None:
        return "".join(f"%{octet:02X}" for octet in found[0].encode(errors="replace"))
    char = chr(int(found[1], 16))
    return char if _UNRESERVED.fullmatch(char) else found[0].upper()


def _repeats(segments: list[str]) -> bool:
    """Does a run of segments come three times in a row, or one segment five times?"""
    n = len(segments)
    runs = ((at, size) for size in range(1, n // 3 + 1) for at in range(n - 3 * size + 1))
    return any(
        segments[at : at + size]
        == segments[at + size : at + 2 * size]
        == segments[at + 2 * size : at + 3 * size]
        for at, size in runs
    ) or any(segments.count(s) > 4 for s in segments)


def _far_date(text: str) -> bool:
    """Is it a calendar's page of years that nobody has written about?"""
    this = time.gmtime().tm_year
    years = [int(year) for year in _YEAR.findall(text)] if _CALENDAR.search(text) else []
    return any(not this - YEARS_BACK <= year <= this + YEARS_AHEAD for year in years)
