"""Names of models as labels. Clients choose them and each makes a time series: so only so many pass."""

from collections.abc import Iterable

MOST = 100  # names beyond the declared ones, a process
LONGEST = 100  # characters


class Names:
    """Keeps the declared names and the first `MOST` others that were answered; the rest are `provider/*`."""

    def __init__(self, declared: Iterable[str]) -> None:
        self._declared = frozenset(declared)
        self._others: set[str] = set()

    def __call__(self, name: str, *, answered: bool) -> str:
        """What a metric may call a model. Names that nobody answered don't take a place."""
        if name in self._declared or name in self._others:
            return name
        if answered and len(name) <= LONGEST and len(self._others) < MOST:
            self._others.add(name)
            return name
        return f"{name.partition('/')[0][:LONGEST]}/*" if "/" in name else "*"
