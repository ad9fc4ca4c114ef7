"""The Discover API: results ranked by what they are for, the `intent`, with their content if wanted."""

from msgspec import Struct

from openflywheel.collect._providers.account import Account
from openflywheel.collect._providers.brightdata import URL
from openflywheel.collect._providers.product import Refused, Result
from openflywheel.collect._web.web import Web

PRICE = 0.005  # dollars a result: the dearest that Bright Data's records are; plans are cheaper


class _Ordered(Struct):
    task_id: str


class _Hit(Struct):
    link: str
    title: str | None = None
    description: str | None = None
    relevance_score: float | None = None
    content: str | None = None


class _Task(Struct):
    status: str
    results: list[_Hit] | None = None
    error: str | None = None


class Discover:
    """A task is ordered with POST and looked at with GET until it is done."""

    def __init__(self, web: Web, key: str, url: str = URL, country: str = "") -> None:
        self._account, self._country = Account(web, "brightdata", url or URL, key), country

    def order(self, query: str, intent: str, *, most: int, content: bool) -> str:
        """The task's id. Raises SourceFailed."""
        asked = {"query": query, "intent": intent, "include_content": content, "num_results": most}
        country = {"country": self._country} if self._country else {}
        return self._account.read(self._account.post("/discover", asked | country), _Ordered).task_id

    def take(self, id: str) -> list[Result] | None:
        """The results; None while it is processing. Raises SourceFailed, Refused."""
        task = self._account.read(self._account.get("/discover", task_id=id), _Task)
        if task.status in ("failed", "error"):
            raise Refused(f"brightdata: a discover task failed: {task.error}")
        if task.status != "done":
            return None
        return [
            Result(
                link=hit.link,
                title=hit.title or "",
                description=hit.description or "",
                rank=rank,
                score=hit.relevance_score or 0.0,
                content=hit.content or "",
            )
            for rank, hit in enumerate(task.results or (), start=1)
        ]

    def check(self) -> None:
        """Is the key known? Asks for the account's zones, which is free. Raises SourceFailed."""
        self._account.get("/zone/get_active_zones")
