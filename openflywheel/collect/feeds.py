"""Feeds: RSS, Atom and JSON Feed; what is new since the last time (extra `feeds`)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._site.feed import Feed, NotAFeed, Post, read_feed
from openflywheel.collect._site.page import is_html, read
from openflywheel.collect._site.signals import linked_license, reserved
from openflywheel.collect._site.urls import canonical
from openflywheel.collect._streams import Stream
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response
from openflywheel.collect._web.web import Web

MOST_FEEDS = 80  # with SEEN ids of 19 bytes in JSON their state stays under 64 KB
SEEN = 2_000  # ids remembered, of all feeds together
FEWEST_SEEN = 20  # of one feed
MOST_BYTES = 8_000_000

State = dict[str, Any]


def feeds(
    _gap: Gap,
    *,
    url: str | tuple[str, ...],
    most: int = 200,
    web: Web,
    state: State,
    subject: Callable[[str], str],
) -> Iterator[Record | Drop]:
    """Posts that are new since the last time, whatever the gap: its words are for search and crawl.

    `url` is a feed, a page that links to one, or several of them; `most` posts of each are read at once. A
    changed feed alone is sent again (ETag, Last-Modified). A post that was edited comes again. One feed that
    fails is a Drop; raises SourceFailed when all do, SettingsError for what is no URL, or for over 80 feeds.
    """
    places, failures = _places(url), []
    kept: dict[str, State] = state.get("feeds", {})
    state["feeds"] = now = {place: kept.get(place, {}) for place in places}
    for place in places:
        try:
            response = _asked(web, place, now[place])
            if response.status != 304:
                yield from _new(response, now[place], most, SEEN // len(places), subject)
        except FetchFailed as error:
            failures.append(error)
            yield Drop(f"feed: {error.reason}")
    if len(failures) == len(places):
        raise failures[0]


def check(*, url: str | tuple[str, ...], web: Web) -> None:
    """Does the first feed answer, and is it one? Raises SourceFailed or SettingsError."""
    response = _got(web, _places(url)[0], {})
    if not _feeds_of(response):
        _read(response)


def discover(_gap: Gap, *, url: str | tuple[str, ...], web: Web) -> Iterator[Stream]:
    """Each feed with the number of its posts, old ones included. Raises SourceFailed or SettingsError."""
    for place in _places(url):
        feed = _read(_asked(web, place, {}))
        yield Stream(place, items=len(feed.posts), columns=("title", "published", "site"), note=feed.title)


def _places(url: str | tuple[str, ...]) -> list[str]:
    given = [url] if isinstance(url, str) else list(url)
    found = [canonical(place) for place in given]
    wrong = next((place for place, good in zip(given, found, strict=True) if good is None), None)
    if wrong is not None:
        raise SettingsError(f"feeds: url = {wrong!r} is no http(s) URL without a password")
    if not 0 < len(given) <= MOST_FEEDS:
        raise SettingsError(f"feeds: {len(given)} URLs; give 1 to {MOST_FEEDS}, and more in a second `feeds`")
    return list(dict.fromkeys(place for place in found if place))


def _asked(web: Web, place: str, kept: State) -> Response:
    """The feed, or status 304; a page's own feed is found once and noted. Raises FetchFailed."""
    try:
        response = _got(web, kept.get("at", place), kept)
    except FetchFailed:
        if "at" not in kept:
            raise
        response = _got(web, place, {})  # the page may link to another one by now
    if linked := _feeds_of(response):
        kept["at"] = linked[0]
        response = _got(web, linked[0], {})
    return response


def _got(web: Web, url: str, kept: State) -> Response:
    said = {"if-none-match": kept.get("etag", ""), "if-modified-since": kept.get("modified", "")}
    headers = {name: value for name, value in said.items() if value}
    response = web.get(url, headers=headers, most=MOST_BYTES)
    if not response.ok and not (response.status == 304 and headers):
        raise FetchFailed(f"status {response.status}", url)
    return response


def _feeds_of(response: Response) -> tuple[str, ...]:
    """The feeds that an HTML page links to; none for what is a feed itself."""
    html = response.status != 304 and is_html(response.mime, response.body)
    feed = html and response.body[:200].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(
        (b"<?xml", b"<rss", b"<feed", b"{")
    )
    return read(response.body, response.url, response.charset).feeds if html and not feed else ()


def _read(response: Response) -> Feed:
    try:
        return read_feed(response.body, response.url)
    except NotAFeed as error:
        raise FetchFailed(error.reason, response.url) from None


def _new(
    response: Response, kept: State, most: int, remembered: int, subject: Callable[[str], str]
) -> Iterator[Record | Drop]:
    """The posts that were not there the last time; leaves in `kept` how far it came."""
    if reason := reserved(response.url, response.headers):
        yield Drop(reason)
        return
    feed = _read(response)
    license = feed.license or linked_license(response.headers)
    seen, floor = set(kept.get("seen", ())), kept.get("floor", "")
    new = [p for p in feed.posts if _key(p) not in seen and not (p.published and p.published <= floor)]
    for post in new[:most]:
        yield _record(post, feed, license, subject) if post.text or post.title else Drop("post without text")
    done = [p for p in feed.posts if p not in new[most:]]
    kept.update(_remembered(done, max(remembered, FEWEST_SEEN)))
    whole = {} if len(new) > most else response.headers  # what is left must be sent again
    kept.update(etag=whole.get("etag", ""), modified=whole.get("last-modified", ""))


def _remembered(done: Sequence[Post], most: int) -> State:
    """Ids of the newest posts read; `floor` is the date up to which the others were."""
    newest = sorted(done, key=lambda p: p.published, reverse=True)
    floor = max((p.published for p in newest[most:]), default="")
    return {"seen": [_key(p) for p in newest[:most]], "floor": floor}


def _key(post: Post) -> str:
    return content_id(post.id, post.updated or post.published, post.title)[:16]


def _record(post: Post, feed: Feed, license: str, subject: Callable[[str], str]) -> Record:
    facts: Mapping[str, str] = {
        "title": post.title,
        "published": post.published,
        "lang": feed.lang,
        "site": feed.title,
    }
    return Record(
        text="\n\n".join(part for part in (post.title, post.text) if part),
        source="feeds",
        uri=post.url,
        subject=subject(post.author) if post.author else "",
        license=license,
        meta={name: value for name, value in facts.items() if value},
    )
