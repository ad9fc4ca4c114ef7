"""Signal -> Gap: see what is missing; back to collect.

A student is one file here; it reads the evidence and writes orders for collect:

    def clusters(evidence, *, k=150) -> Iterable[Gap]

A Gap with a `budget` asks for that many labels, in the order of its `evidence`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.nouns import Arrow, Exchange, Gap, Signal
from openflywheel.base.room import Given

ARROW = Arrow(takes=Signal, gives=Gap, given=(Exchange,))
TRUSTED = ("user", "expert")  # truth is people; what a model or a rule says never teaches


class Evidence(Struct, frozen=True):
    """What a student looks at.

    `fresh` are the exchanges since the last passage, oldest first; `exchanges` adds those that the new
    signals are about; `heard` maps an exchange to all its signals; `signals` are the new ones.
    """

    fresh: Sequence[Exchange]
    exchanges: Mapping[str, Exchange]
    heard: Mapping[str, Sequence[Signal]]
    signals: Sequence[Signal]

    def answered(self, exchange: str) -> str:
        """The right answer that a person gave for an exchange, the newest; empty when nobody did."""
        said = [s.correction for s in self.heard.get(exchange, ()) if s.correction and s.source in TRUSTED]
        return said[-1] if said else ""

    def disliked(self, exchange: str) -> bool:
        """Did a person rate it down, without saying what would be right?"""
        return any(s.value < 0 and s.explicit and s.source == "user" for s in self.heard.get(exchange, ()))


Student = Callable[[Evidence], Iterable[Gap]]


def run(took: Sequence[Signal], given: Given, plugins: Sequence[Student]) -> Iterator[Gap]:
    """Let every student read the evidence that came since the last time."""
    fresh = given.new(Exchange)
    known = {e.id: e for e in fresh}
    known |= given.get(Exchange, [s.exchange for s in took if s.exchange and s.exchange not in known])
    evidence = Evidence(fresh, known, given.heard(list(known)), took)
    for student in plugins:
        yield from student(evidence)
