"""The SERP API: `brd_json=1` makes it parse the page. Only answered requests are billed."""

from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from openflywheel.base.errors import SourceFailed
from openflywheel.collect._providers.account import Account
from openflywheel.collect._providers.brightdata import URL
from openflywheel.collect._providers.product import Result
from openflywheel.collect._web.web import Response, Web

PRICE = 0.0015  # dollars a request, the list price without a plan
PAGE = 10  # results of a page of Google's


class _Hit(Struct):
    link: str = ""
    title: str | None = None
    description: str | None = None
    rank: int | None = None


class _Page(Struct):
    """A parsed page, or the same inside an answer's `body`."""

    general: dict[str, Any] | None = None
    organic: list[_Hit] = []
    body: str | None = None


class _Ordered(Struct):
    response_id: str


class Serp:
    """Google's results through one of our zones.

    `search` waits for them. `order` and `take` are the asynchronous API: the request is billed when it is
    sent, the answer is kept for 48 hours and costs nothing.
    """

    def __init__(self, web: Web, key: str, zone: str, url: str = URL, price: float = PRICE) -> None:
        self._account, self._zone, self.price = Account(web, "brightdata", url or URL, key), zone, price

    def search(self, query: str, page: int = 1) -> list[Result]:
        """A page of results, best first. Raises SourceFailed."""
        asked = {"zone": self._zone, "url": _address(query, page), "format": "raw", "method": "GET"}
        return self._results(self._account.post("/request", asked))

    def check(self) -> None:
        """Is the key known? Asks for the account's zones, which is free. Raises SourceFailed."""
        self._account.get("/zone/get_active_zones")

    def order(self, query: str) -> str:
        """The order's id. Raises SourceFailed."""
        answer = self._account.post("/unblocker/req", {"url": _address(query)}, zone=self._zone)
        id = answer.headers.get("x-response-id")
        return id or self._account.read(answer, _Ordered).response_id

    def take(self, id: str) -> list[Result] | None:
        """The results; None while the request is pending. Raises SourceFailed."""
        answer = self._account.get("/unblocker/get_result", response_id=id, zone=self._zone)
        return None if answer.status == 202 else self._results(answer)

    def _results(self, answer: Response) -> list[Result]:
        page = self._account.read(answer, _Page)
        if page.body is not None:
            page = self._account.read(msgspec.structs.replace(answer, body=page.body.encode()), _Page)
        if page.general is None:
            raise SourceFailed(
                f"brightdata: zone {self._zone!r} sent no parsed results: is it a SERP API zone?"
            )
        return [
            Result(link=h.link, title=h.title or "", description=h.description or "", rank=h.rank or rank)
            for rank, h in enumerate(page.organic, start=1)
            if h.link
        ]


def _address(query: str, page: int = 1) -> str:
    asked = {"q": query, "brd_json": 1, "start": (page - 1) * PAGE}
    return "https://www.google.com/search?" + urlencode(asked)
