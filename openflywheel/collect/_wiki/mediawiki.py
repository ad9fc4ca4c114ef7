"""MediaWiki's API: every page once, and from then on what has changed. https://www.mediawiki.org/wiki/API:Query"""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop
from openflywheel.collect._rows.api import API, bearer, with_query
from openflywheel.collect._rows.path import at
from openflywheel.collect._rows.record import shown
from openflywheel.collect._wiki.page import Page
from openflywheel.collect._wiki.wikitext import plain, redirects

BATCH = 50  # pages; so many have their text in one answer
KEPT = 30 * 86_400  # seconds for which the list of changes is trusted; wikis keep it for 90 days or fewer
BUSY = frozenset({"maxlag", "ratelimited", "readonly"})
WAITS = 3
LONGEST_WAIT = 30.0  # seconds
ASKED = {
    "action": "query", "format": "json", "formatversion": "2", "curtimestamp": "1", "maxlag": "5",
}  # fmt: skip
CONTENT = {"prop": "revisions|info", "rvprop": "timestamp|content", "rvslots": "main", "inprop": "url"}


def credentials(user: str, key: str) -> dict[str, str]:
    """An access token of OAuth 2; many wikis need none."""
    del user
    return bearer(key)


def count(api: API) -> int | None:
    """How many articles the wiki says that it has: one small request."""
    said = _query(api, {"meta": "siteinfo", "siprop": "statistics"})
    found = at(said, "query.statistics.articles")
    return found if isinstance(found, int) else None


def pages(api: API, kept: dict[str, Any], *, space: str, most: int) -> Iterator[Page | Drop]:
    """The pages of a namespace (`space`, 0 without one), from where the last turn ended.

    In `kept`: "since", when the last whole pass began; "from", the "since" of the pass that is going on;
    "began", when it did; "continue", where it was cut.
    """
    license = shown(at(_query(api, {"meta": "siteinfo", "siprop": "rightsinfo"}), "query.rightsinfo.text"))
    if "continue" not in kept:
        kept["from"] = kept.get("since", "") if _recent(kept.get("since", "")) else ""
    named, read = set[str](), set[str]()  # of a batch, which may come in several answers
    while True:
        body = _query(api, {**_generator(kept, space), **CONTENT, **kept.get("continue", {})})
        kept.setdefault("began", shown(body.get("curtimestamp")))
        found = [page for page in at(body, "query.pages") or [] if isinstance(page, Mapping)]
        ready = [page for page in found if "revisions" in page or "missing" in page]
        named, read = named | set(map(_id, found)), read | set(map(_id, ready))
        for page in ready:
            yield _page(page, license)
        most -= len(ready)
        whole = "batchcomplete" in body
        if whole:
            yield from (Drop("page without text") for _ in named - read)
            named, read = set(), set()
        if not _go_on(kept, body) or (whole and most <= 0):
            return


def _go_on(kept: dict[str, Any], body: Mapping[str, Any]) -> bool:
    """Keep where to go on; is there more?"""
    following = body.get("continue")
    if isinstance(following, Mapping) and following != kept.get("continue"):
        kept["continue"] = dict(following)
        return True
    kept.pop("continue", None)
    kept["since"] = kept.pop("began")
    return False


def _generator(kept: Mapping[str, Any], space: str) -> dict[str, str]:
    if kept["from"]:
        return {
            "generator": "recentchanges", "grcdir": "newer", "grcstart": kept["from"], "grctype": "edit|new",
            "grcnamespace": space or "0", "grctoponly": "1", "grclimit": str(BATCH),
        }  # fmt: skip
    return {
        "generator": "allpages", "gapnamespace": space or "0", "gapfilterredir": "nonredirects",
        "gaplimit": str(BATCH),
    }  # fmt: skip


def _query(api: API, asked: Mapping[str, str]) -> dict[str, Any]:
    """An answer without an error. Raises SourceFailed. Errors come with status 200."""
    url = with_query(api.url, {**ASKED, **asked})
    for left in range(WAITS, -1, -1):
        response = api.get(url)
        body = api.parsed(response)
        code = shown(at(body, "error.code"))
        if not code and isinstance(body, dict):
            return body
        wait = response.headers.get("retry-after", "1")
        if code in BUSY and left and wait.isdigit() and float(wait) <= LONGEST_WAIT:
            time.sleep(float(wait))
            continue
        raise _refused(api, code, shown(at(body, "error.info")))
    raise AssertionError("the last try returns or raises")


def _refused(api: API, code: str, why: str) -> SourceFailed:
    if not code:
        return api.failed(api.url, "is not the API of a MediaWiki; write https://host/w/api.php")
    return api.failed(api.url, f"answered {code}: {why[:200]}")


def _page(page: Mapping[str, Any], license: str) -> Page | Drop:
    if "missing" in page:
        return Drop("page is gone")
    text = shown(at(page, "revisions.0.slots.main.content"))
    if redirects(text):
        return Drop("redirect")
    return Page(
        id=_id(page),
        title=shown(page.get("title")),
        text=plain(text),
        uri=shown(page.get("fullurl")),
        changed=shown(at(page, "revisions.0.timestamp")),
        license=license,
    )


def _id(page: Mapping[str, Any]) -> str:
    return shown(page.get("pageid") or page.get("title"))


def _recent(moment: str) -> bool:
    """Is a moment (ISO 8601) one from which on the wiki still knows what changed?"""
    return bool(moment) and time.time() - datetime.fromisoformat(moment).timestamp() < KEPT
