"""Brave Search (api-dashboard.search.brave.com): its own index; only answered queries are billed."""

from msgspec import Struct, field

from openflywheel.collect._providers.account import Account
from openflywheel.collect._providers.product import Result
from openflywheel.collect._web.web import Web

URL = "https://api.search.brave.com"
PRICE = 0.005  # dollars a query ("Search" plan, September 2026)
MOST = 20  # results of a page, the API's limit
WORDS, CHARACTERS = 50, 400  # of a query, the API's limits


class _Hit(Struct):
    url: str
    title: str | None = None
    description: str | None = None


class _Hits(Struct):
    results: list[_Hit] = []


class _Answer(Struct):
    web: _Hits = field(default_factory=_Hits)


class Brave:
    """Web results, without marks of emphasis in them."""

    def __init__(self, web: Web, key: str, url: str = URL, price: float = PRICE) -> None:
        self._account, self.price = Account(web, "brave", url or URL, key, "X-Subscription-Token"), price

    def search(self, query: str, page: int = 1) -> list[Result]:
        """A page of results, best first. Raises SourceFailed."""
        return self._ask(query, MOST, page)

    def check(self) -> None:
        """One query for one result: Brave has no free call. Raises SourceFailed."""
        self._ask("test", 1, 1)

    def _ask(self, query: str, count: int, page: int) -> list[Result]:
        words = " ".join(query.split()[:WORDS])[:CHARACTERS]
        answer = self._account.get(
            "/res/v1/web/search", q=words, count=count, offset=page - 1, text_decorations="false"
        )
        hits = self._account.read(answer, _Answer).web.results
        return [
            Result(link=h.url, title=h.title or "", description=h.description or "", rank=rank)
            for rank, h in enumerate(hits, start=1)
        ]
