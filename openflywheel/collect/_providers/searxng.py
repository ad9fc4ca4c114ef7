"""SearXNG, an open metasearch engine that one runs oneself (docs.searxng.org/dev/search_api)."""

from collections.abc import Sequence

from msgspec import Struct

from openflywheel.collect._providers.account import Account
from openflywheel.collect._providers.product import Result
from openflywheel.collect._web.web import Web


class _Hit(Struct):
    url: str
    title: str | None = None
    content: str | None = None
    score: float | None = None


class _Page(Struct):
    results: list[_Hit]


class SearXNG:
    """`search.formats` of its settings.yml must name json, else it answers 403."""

    def __init__(self, web: Web, url: str, engines: Sequence[str] = (), price: float = 0.0) -> None:
        self._account, self._engines, self.price = Account(web, "searxng", url), engines, price

    def search(self, query: str, page: int = 1) -> list[Result]:
        """A page of results, best first. Raises SourceFailed."""
        engines = {"engines": ",".join(self._engines)} if self._engines else {}
        answer = self._account.get("/search", q=query, format="json", pageno=page, **engines)
        hits = self._account.read(answer, _Page).results
        return [
            Result(
                link=h.url, title=h.title or "", description=h.content or "", rank=rank, score=h.score or 0.0
            )
            for rank, h in enumerate(hits, start=1)
        ]

    def check(self) -> None:
        """Its JSON format is served. Raises SourceFailed."""
        self.search("test")
