"""Confluence: pages by its REST API, in the order of their last change, and the HTML export of a space.

https://developer.atlassian.com/cloud/confluence/rest/v1/api-group-content/#api-wiki-rest-api-content-search-get
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from openflywheel.base.nouns import Drop
from openflywheel.collect._rows.api import API, basic, bearer, with_query
from openflywheel.collect._rows.path import at
from openflywheel.collect._rows.record import shown
from openflywheel.collect._wiki.markup import storage, text_of
from openflywheel.collect._wiki.page import Page

BATCH = 50
OVERLAP = timedelta(days=1)  # a search's times are in the time zone of whoever asks, which nobody tells
AROUND = ".page-metadata, .pageSection.group, #breadcrumb-section, .expand-control"


def credentials(user: str, key: str) -> dict[str, str]:
    """An e-mail address with an API token (Cloud), or a personal access token alone (Data Center)."""
    return basic(user, key) if user else bearer(key)


def count(api: API) -> int | None:
    """How many pages there are, where it says so: one small request."""
    found = at(
        api.json(with_query(f"{api.url}/rest/api/search", {"cql": "type=page", "limit": 1})), "totalSize"
    )
    return found if isinstance(found, int) else None


def pages(api: API, kept: dict[str, Any], *, space: str, most: int) -> Iterator[Page | Drop]:
    """The pages of a space, or of all, that changed since the newest change that is kept."""
    start = since = shown(kept.get("changed"))
    url = with_query(f"{api.url}/rest/api/content/search", _asked(space, since))
    while url:
        body = api.json(url)
        found = at(body, "results")
        if not isinstance(found, list):
            raise api.failed(api.url, "gave no pages; write https://host/wiki, or what stands before /rest")
        for raw in found:
            yield _page(api, raw)
        moments = [shown(at(raw, "version.when")) for raw in found]
        kept["changed"] = since = max([since, *moments])
        most -= sum(moment > start for moment in moments)  # those of the overlap were counted before
        if most <= 0:
            return
        url = _next(api, shown(at(body, "_links.next")))


def _asked(space: str, since: str) -> dict[str, Any]:
    quoted = space.replace("\\", "").replace('"', "")
    words = ["type=page", f'space="{quoted}"' if space else "", _changed(since)]
    cql = f"{' and '.join(word for word in words if word)} order by lastmodified asc"
    return {"cql": cql, "expand": "body.storage,version", "limit": BATCH}


def _changed(since: str) -> str:
    if not since:
        return ""
    moment = datetime.fromisoformat(since).astimezone(UTC) - OVERLAP
    return f'lastmodified >= "{moment:%Y/%m/%d %H:%M}"'


def _next(api: API, said: str) -> str:
    """The next page's URL: what Confluence says begins at its own address, or at that of its host."""
    if not said or said.startswith(("http://", "https://")):
        return said
    path = urlsplit(api.url).path
    return api.url + (said.removeprefix(path) if path else said)


def _page(api: API, raw: Any) -> Page | Drop:
    if not isinstance(raw, Mapping) or "id" not in raw:
        return Drop("page is no object with an id")
    place = shown(at(raw, "_links.webui"))
    return Page(
        id=shown(raw["id"]),
        title=shown(raw.get("title")),
        text=storage(shown(at(raw, "body.storage.value"))),
        uri=_next(api, place) or f"{api.url}/pages/viewpage.action?pageId={shown(raw['id'])}",
        changed=shown(at(raw, "version.when")),
    )


def exported(name: str, content: bytes) -> Page | Drop | None:
    """A page of an HTML export: its own text, without who made it; None for what is no page."""
    if not name.lower().endswith((".html", ".htm")):
        return None
    tree = LexborHTMLParser(content)
    body, title = tree.css_first("#main-content"), tree.css_first("#title-text") or tree.css_first("title")
    if body is None:
        return None
    for node in body.css(AROUND):
        node.decompose()
    said = " ".join(title.text().split()) if title else ""
    return Page(id=name, title=said.partition(" : ")[2] or said, text=text_of(body.html or ""))
