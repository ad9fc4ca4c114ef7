"""The Web Scraper API: rows of given inputs by a ready-made collector; failed rows are not billed."""

from collections.abc import Mapping, Sequence
from typing import Any

from openflywheel.base.nouns import Drop
from openflywheel.collect._providers.account import Account
from openflywheel.collect._providers.brightdata import URL
from openflywheel.collect._providers.brightdata.snapshot import Ordered, Status, content
from openflywheel.collect._providers.rows import Row
from openflywheel.collect._web.web import Web

PRICE = 0.0015  # dollars a record, the list price without a plan
CRAWL = "gd_m6gjtfmeh43we6cqc"  # the crawler's dataset: one record a page, with markdown, page_html, ld_json


class Scrape:
    """`now` waits for the rows, at most a minute at their side; `order` and `take` are for more."""

    def __init__(self, web: Web, key: str, url: str = URL) -> None:
        self._account = Account(web, "brightdata", url or URL, key)

    def now(self, dataset: str, inputs: Sequence[Mapping[str, Any]]) -> Sequence[Row | Drop] | str:
        """The rows, or the id of an order when they take longer than a minute. Raises SourceFailed."""
        asked = {"dataset_id": dataset, "include_errors": "true", "format": "ndjson"}
        answer = self._account.post("/datasets/v3/scrape", {"input": list(inputs)}, **asked)
        if answer.status == 202:
            return self._account.read(answer, Ordered).snapshot_id
        return content(answer) or ()

    def order(
        self, dataset: str, inputs: Sequence[Mapping[str, Any]], more: Mapping[str, str] | None = None
    ) -> str:
        """The snapshot's id. `more` goes into the query: `limit_multiple_results`, `endpoint` (a webhook).

        Raises SourceFailed.
        """
        asked = {"dataset_id": dataset, "include_errors": "true", **(more or {})}
        answer = self._account.post("/datasets/v3/trigger", list(inputs), **asked)
        return self._account.read(answer, Ordered).snapshot_id

    def take(self, id: str) -> Sequence[Row | Drop] | None:
        """The rows; None while they are not ready. Raises SourceFailed, Refused."""
        progress = self._account.get(f"/datasets/v3/progress/{id}")
        if not self._account.read(progress, Status).is_ready():
            return None
        return content(self._account.download(f"/datasets/v3/snapshot/{id}", format="ndjson"))

    def check(self) -> None:
        """Is the key known? Asks for the catalogue, which is free. Raises SourceFailed."""
        self._account.get("/datasets/list")
