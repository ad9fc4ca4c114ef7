"""The marketplace: ready datasets; a filter makes a snapshot, which is bought record by record."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from openflywheel.base.nouns import Drop
from openflywheel.collect._providers.account import Account
from openflywheel.collect._providers.brightdata import URL
from openflywheel.collect._providers.brightdata.snapshot import Ordered, Status, content
from openflywheel.collect._providers.product import Offer
from openflywheel.collect._providers.rows import Row
from openflywheel.collect._web.web import Web

PRICE = 0.0025  # dollars a record; a filter that finds nothing costs nothing


class _Field(Struct):
    type: str = "text"
    active: bool = True


class _Metadata(Struct):
    fields: dict[str, _Field]


class _Delivery(Struct):
    id: str


class Datasets:
    """A filter has one of three shapes: a field's, a group of at most three levels, a null check.

    {"name": "rating", "operator": "<", "value": 3}; {"operator": "and", "filters": [...]};
    {"name": "text", "operator": "is_not_null"}.
    """

    def __init__(self, web: Web, key: str, url: str = URL) -> None:
        self._account = Account(web, "brightdata", url or URL, key)

    def offers(self) -> list[Offer]:
        """The catalogue. Raises SourceFailed."""
        return self._account.read(self._account.get("/datasets/list"), list[Offer])

    def columns(self, dataset: str) -> dict[str, str]:
        """Name -> type of the columns that are in use. Raises SourceFailed."""
        told = self._account.read(self._account.get(f"/datasets/{dataset}/metadata"), _Metadata)
        return {name: field.type for name, field in told.fields.items() if field.active}

    def order(self, dataset: str, filter: Mapping[str, Any], *, most: int) -> str:
        """The snapshot's id: this is the purchase. Raises SourceFailed."""
        asked = {"dataset_id": dataset, "filter": dict(filter), "records_limit": most}
        return self._account.read(self._account.post("/datasets/filter", asked), Ordered).snapshot_id

    def take(self, id: str) -> Sequence[Row | Drop] | None:
        """The rows; None while they are not ready. Raises SourceFailed, Refused."""
        if not self.is_ready(id):
            return None
        return content(self._account.download(f"/datasets/snapshots/{id}/download", format="jsonl"))

    def is_ready(self, id: str) -> bool:
        """Can it be taken? Raises SourceFailed, Refused."""
        return self._status(id).is_ready()

    def cost(self, id: str) -> float | None:
        """Dollars that it took; None where Bright Data does not say. Raises SourceFailed."""
        return self._status(id).cost

    def deliver(self, id: str, target: Mapping[str, Any]) -> str:
        """Have a ready snapshot put somewhere (webhook, S3, GCS, Azure, SFTP); the delivery's id.

        Raises SourceFailed.
        """
        path = f"/datasets/snapshots/{id}/deliver"
        return self._account.read(self._account.post(path, {"deliver": dict(target)}), _Delivery).id

    def check(self) -> None:
        """Is the key known? Raises SourceFailed."""
        self.offers()

    def _status(self, id: str) -> Status:
        return self._account.read(self._account.get(f"/datasets/snapshots/{id}"), Status)
