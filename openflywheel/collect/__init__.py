"""Gap -> Record: fetch what we lack.

A source is one file here:  `def rss(gap, *, url, limit=50) -> Iterable[Record]`
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from openflywheel.base.nouns import Arrow, Drop, Exchange, Gap, Record
from openflywheel.base.room import Given

ARROW = Arrow(takes=Gap, gives=Record, given=(Exchange,))
Source = Callable[[Gap], Iterable[Record]]


def run(took: Sequence[Gap], given: Given, plugins: Sequence[Source]) -> Iterator[Record | Drop]:
    """Show every gap to every source; what is stored already is not fetched into the store again."""
    found = {r.id: r for gap in took for source in plugins for r in source(gap)}
    stored = given.get(Record, list(found))
    for id, record in found.items():
        yield Drop("stored already") if id in stored else record
