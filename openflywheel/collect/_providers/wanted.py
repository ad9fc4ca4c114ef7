"""What a gap wants of a provider: its failing examples, and the results that promise most for it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from openflywheel.base.nouns import Exchange, Gap
from openflywheel.base.settings import Budget, Task
from openflywheel.collect._providers.product import Result
from openflywheel.collect._site.urls import canonical, near
from openflywheel.collect._value.aim import toward

EXAMPLES = 50  # failing exchanges that are looked at


Exchanges = Callable[[Sequence[str]], Mapping[str, Exchange]]


def failing(gap: Gap, exchanges: Exchanges) -> list[str]:
    """What was asked where we failed."""
    return [e.input for e in exchanges(gap.evidence[:EXAMPLES]).values() if e.input]


class _Link(Struct, frozen=True):
    url: str
    text: str


class Wanted(Struct, frozen=True, kw_only=True):
    """A gap, with all that is needed to say what a document is worth to it."""

    gap: Gap
    encoder: Any
    known: Callable[[], Sequence[str]]
    exchanges: Exchanges
    tasks: Mapping[str, Task]
    budget: Budget

    def best(self, results: Sequence[Result], most: int) -> list[Result]:
        """The results that promise most, each page once, under its canonical URL."""
        once = {near(url): (url, r) for r in reversed(results) if (url := canonical(r.link))}
        links = [_Link(url, f"{r.title} {r.description}") for url, r in once.values()]
        if not links:
            return []
        rated = zip(self._aim().rate(links, None, 1), range(len(links)), once.values(), strict=True)
        return [
            msgspec.structs.replace(r, link=url)
            for _, _, (url, r) in sorted(rated, key=lambda rate: -rate[0])[:most]
        ]

    def _aim(self) -> Any:
        task = self.tasks.get(self.gap.task)
        return toward(
            self.gap,
            encoder=self.encoder,
            known=self.known,
            worth=self.gap.weight * (task.costs.error if task else 1.0),
            price=self.budget.document,
            failing=failing(self.gap, self.exchanges),
        )
