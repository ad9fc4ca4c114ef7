"""Feeds, read (extra `feeds`): RSS and Atom by fastfeedparser, JSON Feed 1.1 (jsonfeed.org) by ourselves."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

import fastfeedparser
import msgspec
from msgspec import Struct

from openflywheel.base.instruments.dates import iso_date
from openflywheel.collect._site.license import license_of
from openflywheel.collect._site.page import read
from openflywheel.collect._site.plain_xml import XmlRefused, check_prolog
from openflywheel.collect._site.urls import canonical

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/1")
_TAG = re.compile(r"<[a-zA-Z/!][^<>]*>")  # "<" ends it: else a text of many "<a" takes hours
_ITEM = re.compile(rb"<(?:item|entry)[\s>]")
_RIGHTS = re.compile(rb"<(?:\w+:)?(?:license|copyright|rights)(?:\s[^<>]*)?>(?:<!\[CDATA\[)?([^<\]]+)")


class Post(Struct, frozen=True, kw_only=True):
    """One entry of a feed; dates are ISO 8601, `text` has no markup, `author` is a person."""

    id: str
    url: str
    title: str
    text: str
    published: str = ""
    updated: str = ""
    author: str = ""


class Feed(Struct, frozen=True, kw_only=True):
    """A feed: its posts in its own order, and what it says of them all."""

    title: str
    lang: str
    license: str
    posts: tuple[Post, ...]


class NotAFeed(Exception):
    """`reason` says why, in a few stable words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_feed(body: bytes, url: str) -> Feed:
    """Read a feed; `url` is where it came from. Raises NotAFeed, also for XML with entities of its own."""
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    return _json(body, url) if body[:1] == b"{" else _xml(body, url)


def _json(body: bytes, url: str) -> Feed:
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotAFeed("broken JSON") from None
    if not _VERSION.match(str(said.get("version"))) or not isinstance(said.get("items"), list):
        raise NotAFeed("no JSON Feed")
    items = [item for item in said["items"] if isinstance(item, dict)]
    posts = tuple(_item(item, url) for item in items)
    return Feed(title=_said(said, "title"), lang=_said(said, "language"), license="", posts=posts)


def _item(item: Mapping[str, Any], url: str) -> Post:
    authors = item.get("authors") or [item.get("author")]
    author = authors[0] if isinstance(authors, list) and isinstance(authors[0], dict) else {}
    html = _said(item, "content_html")
    return Post(
        id=str(item.get("id", "")),
        url=_link(_said(item, "url") or _said(item, "external_url"), url),
        title=_plain(_said(item, "title")),
        text=_prose(html) if html else _said(item, "content_text") or _said(item, "summary"),
        published=iso_date(_said(item, "date_published")),
        updated=iso_date(_said(item, "date_modified")),
        author=_said(author, "name"),
    )


def _xml(body: bytes, url: str) -> Feed:
    try:
        check_prolog(body)
        found = fastfeedparser.parse(body, include_tags=False, include_media=False, include_enclosures=False)
    except XmlRefused as refused:
        raise NotAFeed(refused.reason) from None
    except ValueError:
        raise NotAFeed("neither RSS nor Atom") from None
    about = found["feed"]
    return Feed(
        title=_plain(_said(about, "title")),
        lang=_said(about, "language"),
        license=_license(body, about),
        posts=tuple(_entry(entry, url) for entry in found["entries"]),
    )


def _entry(entry: Mapping[str, Any], url: str) -> Post:
    bodies = [_prose(_said(c, "value")) for c in entry.get("content") or ()]
    bodies.append(_prose(_said(entry, "description")))
    return Post(
        id=_said(entry, "id") or _said(entry, "link"),
        url=_link(_said(entry, "link"), url),
        title=_plain(_said(entry, "title")),
        text=max(bodies, key=len),
        published=iso_date(_said(entry, "published")),
        updated=iso_date(_said(entry, "updated")),
        author=_said(entry, "author"),
    )


def _license(body: bytes, about: Mapping[str, Any]) -> str:
    """What the feed says before its first entry, by link or in its rights; the parser drops the latter."""
    return next((found for said in _rights(body, about) if (found := license_of(said))), "")


def _rights(body: bytes, about: Mapping[str, Any]) -> Iterator[str]:
    yield from (_said(link, "href") for link in about.get("links") or () if link.get("rel") == "license")
    first = _ITEM.search(body)
    head = body[: first.start()] if first else body
    yield from (unescape(found.decode(errors="replace")) for found in _RIGHTS.findall(head))


def _prose(html: str) -> str:
    """The text of an entry, which is HTML more often than it says."""
    return read(html.encode(errors="replace"), "").text if _TAG.search(html) else unescape(html).strip()


def _link(said: str, url: str) -> str:
    return (canonical(said, url) or "") if said else ""


def _plain(title: str) -> str:
    return " ".join(unescape(_TAG.sub("", title)).split())


def _said(where: Mapping[str, Any], name: str) -> str:
    value = where.get(name)
    return value.strip() if isinstance(value, str) else ""
