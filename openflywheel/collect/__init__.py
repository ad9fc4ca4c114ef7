"""Gap -> Record: fetch what we lack.

A source is one file here:  `def feeds(gap, *, url, most=200, web, state) -> Iterable[Record]`

Beside its function a file may define `check` (can it be reached?) and `discover` (what would it read?).
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from openflywheel.base.door import Under, name_of, wants
from openflywheel.base.errors import FlywheelError, SourceFailed
from openflywheel.base.nouns import Arrow, Drop, Exchange, Fault, Gap, Paid, Record
from openflywheel.base.room import Given
from openflywheel.base.settings import Budget
from openflywheel.collect._terms import Terms

ARROW = Arrow(takes=Gap, gives=Record, given=(Exchange,), stateful=True)
OWN = ("experts", "traffic")  # they work on exchanges; all others fetch documents
PUSHED = ("delivery", "webhook")  # what comes by itself needs no gap: they are asked in every turn
WORDS = ("discover", "search")  # they ask others in words: a gap without any tells them nothing
COLD = "cold start"
NO_DOLLARS = Budget()
MOST_STATE = 65_536  # bytes of JSON: a cursor, not a list of all that was ever seen
MOST_WAITING = 200  # gaps that a failing source is shown again

Found = Record | Drop | Fault | Paid
Source = Callable[..., Iterable[Found]]
Progress = Callable[[str, dict[str, float]], object]
State = dict[str, Any]

log = logging.getLogger("openflywheel")


def shared(source: str) -> type[Terms] | None:
    """The settings of all sources; `experts` gives no Records, so nothing has to be said about them."""
    return None if source == "experts" else Terms


def asks_for_documents(gap: Gap) -> bool:
    """Does a gap ask for more than labels of the exchanges that it names?"""
    return bool(gap.queries) or not gap.evidence


def run(
    took: Sequence[Gap],
    given: Given,
    plugins: Sequence[Source],
    *,
    state: dict[str, State],
    budget: Budget = NO_DOLLARS,
    progress: Progress | None = None,
) -> Iterator[Found]:
    """Show the gaps to every source; what is stored already is not given again.

    A source that fails is reported, keeps its old state and is shown its gaps again the next time; the others
    go on. What providers take counts against the `budget`, whatever the source and the gap.
    `progress` is called with a source's name and its figures.
    """
    found: dict[str, Record] = {}
    for source in plugins:
        visit = Visit(source, state, budget, progress)
        for thing in visit.all(visit.gaps(took, given)):
            if isinstance(thing, Record):
                found.setdefault(thing.id, thing)
            else:
                yield thing
        budget = visit.budget
    stored = given.get(Record, list(found))
    for id, record in found.items():
        yield Drop("stored already") if id in stored else record


class Visit:
    """One source's part of a passage: its gaps, its terms and what is kept of it."""

    def __init__(
        self,
        source: Source,
        state: dict[str, State],
        budget: Budget = NO_DOLLARS,
        progress: Progress | None = None,
    ) -> None:
        self.budget = budget
        self.source, self.name = source, name_of(source)
        self.terms: Terms | None = source.terms if isinstance(source, Under) else None
        place = source.identity if isinstance(source, Under) else self.name
        self._fresh = place not in state
        self.kept = state.setdefault(place, {"own": {}, "columns": {}, "waiting": []})
        self.before = deepcopy(self.kept)
        self._progress = progress

    def gaps(self, took: Sequence[Gap], given: Given) -> list[Gap]:
        """The gaps that the source is shown: the new ones, those that it failed, and those of every turn.

        One that was never asked before is shown the cold start, however long that is ago.
        """
        when = "turn" if self.name in PUSHED else self.terms.when if self.terms else "start"
        cold = when == "turn" or (when == "start" and self._fresh)
        begun = [g for g in given.all(Gap) if g.why == COLD] if cold else []
        failed = given.get(Gap, self.kept["waiting"]).values()
        gaps = {g.id: g for g in (*failed, *took, *begun)}
        return [g for g in gaps.values() if self._takes(g, when)]

    def _takes(self, gap: Gap, when: str) -> bool:
        if self.terms and self.terms.task not in ("", gap.task):
            return False
        if self.name in OWN:
            return True
        return bool(gap.queries) if when == "gap" or self.name in WORDS else asks_for_documents(gap)

    def all(self, gaps: Sequence[Gap]) -> Iterator[Found]:
        """What the source finds for its gaps, up to where it fails."""
        self.kept["waiting"] = []
        try:
            for gap in gaps:
                yield from self._one(gap)
        except FlywheelError as error:
            yield self._failed(gaps, str(error))
        except Exception as error:  # whatever a source does must not stop the others, turn after turn
            log.exception("collect: %s failed", self.name)
            yield self._failed(gaps, f"{type(error).__name__}: {error}")

    def _failed(self, gaps: Sequence[Gap], said: str) -> Fault:
        self.kept |= {**self.before, "waiting": [g.id for g in gaps][:MOST_WAITING]}
        return Fault(said if said.startswith(self.name) else f"{self.name}: {said}")

    def _one(self, gap: Gap) -> Iterator[Found]:
        handed = {"budget": self.budget, "progress": self._tell, "state": self.kept["own"]}
        for thing in self.source(gap, **{key: handed[key] for key in wants(self.source)}):
            if isinstance(thing, Paid):
                left = max(0.0, self.budget.dollars - thing.dollars)
                self.budget = msgspec.structs.replace(self.budget, dollars=left)
            yield self._passed(thing) if isinstance(thing, Record) else thing
        size = len(msgspec.json.encode(self.kept["own"]))
        if size > MOST_STATE:
            raise SourceFailed(f"{self.name} left a state of {size:,} bytes; {MOST_STATE:,} are allowed")

    def _tell(self, figures: dict[str, float]) -> None:
        if self._progress:
            self._progress(self.name, figures)

    def _passed(self, record: Record) -> Record | Drop:
        """A record under the terms, unless its contract says no."""
        if self.terms is None:
            return record
        kept = self.terms.contract.keep(record, self.kept["columns"], self.before["columns"])
        return self.terms.stamp(kept) if isinstance(kept, Record) else kept
