"""What every room is given: a look at the store, as wide as its arrow says."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from openflywheel.base.nouns import Dataset, Noun, Row, Signal

N = TypeVar("N", bound=Noun)


class Given(Protocol):
    """A room's view of the store as it stood when its passage began (see store/passage.py)."""

    def new(self, kind: type[N]) -> list[N]:
        """Nouns of a kind that came since the room's last passage, oldest first."""
        ...

    def all(self, kind: type[N]) -> list[N]:
        """Every noun of a kind, oldest first."""
        ...

    def get(self, kind: type[N], ids: Sequence[str]) -> dict[str, N]:
        """id -> noun, for those that exist."""
        ...

    def newest(self, kind: type[N], limit: int) -> list[N]:
        """The newest nouns of a kind, at most `limit`, oldest first."""
        ...

    def between(self, kind: type[N], start: float, end: float) -> list[N]:
        """Events of a kind with start <= at < end (Unix seconds, to the millisecond), oldest first."""
        ...

    def named(self, kind: type[N], names: Sequence[str]) -> dict[str, list[N]]:
        """name -> the newest nouns of a kind that go by it (exchanges: by their episode), oldest first."""
        ...

    def heard(self, exchanges: Sequence[str]) -> dict[str, list[Signal]]:
        """exchange, or episode -> the signals about it, oldest first."""
        ...

    def rows(self, dataset: Dataset) -> list[Row]:
        """Rows of a dataset; held-out ones are refused to customize."""
        ...
