"""What a gap wants of a provider: its failing examples, and the results that promise most for it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from openflywheel.base.nouns import Gap
from openflywheel.base.settings import Budget, Task
from openflywheel.collect._providers.product import Result
from openflywheel.collect._site.urls import canonical, near
from openflywheel.collect._value.sought import Exchanges, aim_of


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
        aim = aim_of(
            self.gap, exchanges=self.exchanges, encoder=self.encoder, known=self.known, tasks=self.tasks,
            budget=self.budget,
        )  # fmt: skip
        rated = zip(aim.rate(links, None, 1), range(len(links)), once.values(), strict=True)
        return [
            msgspec.structs.replace(r, link=url)
            for _, _, (url, r) in sorted(rated, key=lambda rate: -rate[0])[:most]
        ]
