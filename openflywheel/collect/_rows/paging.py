"""How an API says where its next page is. Each way is a small table of settings with its name under `by`."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from msgspec import Struct

from openflywheel.collect._rows.api import with_query
from openflywheel.collect._rows.path import at
from openflywheel.collect._web.response import Response

LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:\"[^\"]*\"|[^\s\",;]+))*)")
NEXT = re.compile(r";\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|next(?=\s|;|$))", re.IGNORECASE)


class Page(Struct, frozen=True, kw_only=True):
    """One page as it came: its URL, the answer, the JSON in it and the items that were found there."""

    url: str
    response: Response
    body: Any
    items: Sequence[Any]


class Cursor(Struct, frozen=True, kw_only=True, tag_field="by", tag="cursor", forbid_unknown_fields=True):
    """The body names a cursor at the path `at`, which goes into `parameter`; `more` may say "not yet"."""

    at: str = "next_cursor"
    parameter: str = "cursor"
    more: str = ""

    def after(self, page: Page) -> str:
        """The next page's URL, "" when this was the last."""
        cursor = at(page.body, self.at)
        if not cursor or (self.more and not at(page.body, self.more)):
            return ""
        return with_query(page.url, {self.parameter: cursor})


class Number(Struct, frozen=True, kw_only=True, tag_field="by", tag="page", forbid_unknown_fields=True):
    """Pages have numbers, in `parameter`, from `first` on; one without items is after the last."""

    parameter: str = "page"
    first: int = 1

    def after(self, page: Page) -> str:
        """The next page's URL, "" when this was the last."""
        return _counted(page, self.parameter, self.first, 1)


class Offset(Struct, frozen=True, kw_only=True, tag_field="by", tag="offset", forbid_unknown_fields=True):
    """`parameter` says how many items to leave out; a page without items is after the last."""

    parameter: str = "offset"

    def after(self, page: Page) -> str:
        """The next page's URL, "" when this was the last."""
        return _counted(page, self.parameter, 0, len(page.items))


class Link(Struct, frozen=True, kw_only=True, tag_field="by", tag="link", forbid_unknown_fields=True):
    """The header Link names the next page with rel="next" (RFC 8288)."""

    def after(self, page: Page) -> str:
        """The next page's URL, "" when this was the last."""
        said = page.response.headers.get("link", "")
        for found in LINK.finditer(said):
            if NEXT.search(found[2]):
                return str(urljoin(page.url, found[1]))
        return ""


class Address(Struct, frozen=True, kw_only=True, tag_field="by", tag="url", forbid_unknown_fields=True):
    """The body names the next page's URL at the path `at`."""

    at: str = "next"

    def after(self, page: Page) -> str:
        """The next page's URL, "" when this was the last."""
        found = at(page.body, self.at)
        return urljoin(page.url, found) if isinstance(found, str) and found else ""


Paging = Cursor | Number | Offset | Link | Address


def _counted(page: Page, parameter: str, first: int, step: int) -> str:
    """The URL with a greater number in a query parameter; "" after a page without items."""
    said = parse_qs(urlsplit(page.url).query).get(parameter, [""])[0]
    here = int(said) if said.isascii() and said.isdigit() else first
    return with_query(page.url, {parameter: here + step}) if page.items else ""
