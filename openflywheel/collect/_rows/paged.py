"""One turn's way through an API's pages, and what is kept for the next one."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.ids import content_id
from openflywheel.collect._rows.api import API, bare, with_query, without_query
from openflywheel.collect._rows.cursor import later
from openflywheel.collect._rows.paging import Page, Paging
from openflywheel.collect._rows.path import at
from openflywheel.collect._web.web import Response

STALE = frozenset({400, 404, 410, 422})  # how APIs refuse a cursor that they have forgotten


class Listed(Struct, frozen=True, kw_only=True):
    """A list at an API: its URL, the path to it in the body, its paging.

    `cursor` is a field that grows, `since` the query parameter that asks for what came after it, `secret`
    the query parameters that must not be kept. `use` tells apart several uses of one list.
    """

    url: str
    records: str = ""
    paging: Paging | None = None
    cursor: str = ""
    since: str = ""
    secret: Mapping[str, str] = {}
    use: str = ""

    @property
    def name(self) -> str:
        """Under which it is kept: a URL may be read by several sources."""
        return content_id(f"{bare(self.url)} {self.records} {self.cursor} {self.since} {self.use}")[:12]

    def items(self, body: Any) -> list[Any]:
        """The items in a body. Raises SettingsError when there is no list."""
        items = at(body, self.records)
        if isinstance(items, list):
            return items
        there = ", ".join(map(str, body)) if isinstance(body, Mapping) else f"a {type(body).__name__}"
        raise SettingsError(
            f"there is no list at {self.records!r} in {bare(self.url)}; it holds: {there[:300] or 'nothing'}"
        )

    def after(self, page: Page) -> str:
        """The next page's URL, "" when this was the last."""
        return self.paging.after(page) if self.paging else ""


class Paged:
    """The pages of a turn. `ended` says why it ended before the last page.

    In `state`: "last", the greatest value of the cursor so far; "page", where the turn was cut; "seen", the
    greatest value before the cut, which counts once every page was read, as items may come in any order.
    """

    def __init__(self, api: API, listed: Listed, state: dict[str, Any]) -> None:
        self._api, self._listed = api, listed
        self._kept: dict[str, Any] = state.setdefault(listed.name, {})
        self._read: set[str] = set()  # URLs and bodies: an API that ignores its parameter gives one again
        self.first, self.ended = True, ""

    def pages(self, most: int) -> Iterator[Page]:
        """The pages in order, at most so many. Raises SourceFailed; SettingsError for a wrong path."""
        url = self._kept.get("page") or self._anew()
        for _ in range(most):
            if (page := self._page(url)) is None:
                return
            yield page
            self.first = False
            url = self._finished(page)
            if not url:
                return

    def _page(self, url: str) -> Page | None:
        response = self._api.ask(url)
        if self.first and url == self._kept.get("page") and response.status in STALE:
            url = self._anew()
            response = self._api.ask(url)
        body = self._body(self._api.accepted(response))
        if body is None:
            return None
        page = Page(url=url, response=response, body=body, items=self._listed.items(body))
        if page.items and self._again(url, response.body):
            self._keep(page, "")
            return None
        return page

    def _body(self, response: Response) -> Any:
        """What a page says; None for a broken one, with which the next turn begins."""
        try:
            return self._api.parsed(response)
        except SourceFailed:
            if self.first:
                raise
            self.ended = "page is no JSON"
            return None

    def _again(self, url: str, body: bytes) -> bool:
        """Was this page read before?"""
        names = {url, content_id(body)}
        if names & self._read:
            self.ended = "next page was read already"
            return True
        self._read |= names
        return False

    def _finished(self, page: Page) -> str:
        following = self._listed.after(page)
        if following in self._read:
            following, self.ended = "", "next page was read already"
        self._keep(page, following)
        return following

    def _keep(self, page: Page, following: str) -> None:
        for item in page.items if self._listed.cursor else ():
            value = at(item, self._listed.cursor)
            if isinstance(value, str | int | float):
                self._kept["seen"] = later(self._kept.get("seen"), value)
        if following:
            self._kept["page"] = without_query(following, self._listed.secret)
            return
        self._kept.pop("page", None)
        if "seen" in self._kept:
            self._kept["last"] = later(self._kept.get("last"), self._kept.pop("seen"))

    def _anew(self) -> str:
        """The URL of what is new, from its first page."""
        self._kept.pop("page", None)
        url, since, last = self._listed.url, self._listed.since, self._kept.get("last")
        return with_query(url, {since: last}) if since and last is not None else url
