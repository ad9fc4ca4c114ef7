"""What providers sell, each behind one interface, so that a source does not know whose it uses."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop
from openflywheel.collect._providers.rows import Row

Found_co = TypeVar("Found_co", covariant=True)


class Result(Struct, frozen=True, kw_only=True):
    """One hit: `rank` counts from 1, `score` is the provider's own (0 where it tells none).

    `content` is the page as Markdown or text, where it was asked for.
    """

    link: str
    title: str = ""
    description: str = ""
    rank: int = 0
    score: float = 0.0
    content: str = ""


class Offer(Struct, frozen=True, kw_only=True):
    """A ready dataset in a provider's catalogue: `size` in records."""

    id: str
    name: str
    size: int = 0


class Refused(SourceFailed):
    """The provider said no, and will say so again: a broken wish, an order that failed or is gone."""


class Search(Protocol):
    """A search engine; `price` in dollars for one query."""

    price: float

    def search(self, query: str, page: int = 1) -> list[Result]:
        """A page of results, best first. Raises SourceFailed."""
        ...

    def check(self) -> None:
        """One small request, free where the provider has a free one. Raises SourceFailed."""
        ...


class Job(Protocol[Found_co]):
    """Work that takes a while at the provider: it is ordered once and taken when it is ready."""

    def take(self, id: str) -> Sequence[Found_co] | None:
        """What was ordered; None while it is not ready. Raises SourceFailed, Refused."""
        ...


class SearchLater(Job[Result], Protocol):
    """A search engine that answers later; `price` in dollars for one query."""

    price: float

    def order(self, query: str) -> str:
        """The order's id. Raises SourceFailed."""
        ...


class Discover(Job[Result], Protocol):
    """Results ranked by what they are for."""

    def order(self, query: str, intent: str, *, most: int, content: bool) -> str:
        """The order's id. Raises SourceFailed."""
        ...


class Scrape(Job[Row | Drop], Protocol):
    """Structured records of given inputs (URLs, key words) by a ready-made collector."""

    def now(self, dataset: str, inputs: Sequence[Mapping[str, Any]]) -> Sequence[Row | Drop] | str:
        """The rows, or the id of an order when they take long. Raises SourceFailed."""
        ...

    def order(
        self, dataset: str, inputs: Sequence[Mapping[str, Any]], more: Mapping[str, str] | None = None
    ) -> str:
        """The order's id; `more` is the provider's own. Raises SourceFailed."""
        ...


class Marketplace(Job[Row | Drop], Protocol):
    """Ready datasets: what there is, what a part of it costs, and the part itself."""

    def offers(self) -> list[Offer]:
        """The catalogue. Raises SourceFailed."""
        ...

    def columns(self, dataset: str) -> dict[str, str]:
        """Name -> type ("text", "number", "url", ...). Raises SourceFailed."""
        ...

    def order(self, dataset: str, filter: Mapping[str, Any], *, most: int) -> str:
        """The id of a snapshot of at most `most` records: the purchase. Raises SourceFailed."""
        ...

    def is_ready(self, id: str) -> bool:
        """Can a snapshot be taken? Raises SourceFailed, Refused."""
        ...

    def cost(self, id: str) -> float | None:
        """Dollars that the provider says a snapshot took; None where it does not say."""
        ...

    def deliver(self, id: str, target: Mapping[str, Any]) -> str:
        """Have a ready snapshot put somewhere; the delivery's id. Raises SourceFailed."""
        ...
