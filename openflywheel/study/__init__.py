"""Signal -> Gap: see what is missing; back to collect.

A student is one file here; it reads the evidence and writes orders for collect:

    def clusters(evidence, *, k=150) -> Iterable[Gap]

A Gap with a `budget` asks for that many labels, in the order of its `evidence`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.nouns import Arrow, Exchange, Gap, Row, Signal
from openflywheel.base.room import Given

ARROW = Arrow(takes=Signal, gives=Gap, given=(Exchange, Row))
TRUSTED = ("user", "expert")  # truth is people; what a model or a rule says never teaches


class Evidence(Struct, frozen=True):
    """What a student looks at.

    `fresh` are the exchanges since the last passage, oldest first; `exchanges` adds those that the new
    signals are about; `heard` maps an exchange to all its signals; `signals` are the new ones;
    `taught` maps a task to the texts that its training rows hold already.
    """

    fresh: Sequence[Exchange]
    exchanges: Mapping[str, Exchange]
    heard: Mapping[str, Sequence[Signal]]
    signals: Sequence[Signal]
    taught: Mapping[str, Sequence[str]]

    def answered(self, exchange: str) -> str:
        """The right answer that a person gave for an exchange, the newest; empty when nobody did."""
        said = [s.correction for s in self.heard.get(exchange, ()) if s.correction and s.source in TRUSTED]
        return said[-1] if said else ""

    def rating(self, exchange: str) -> float:
        """The newest rating that a person gave for an exchange, from -1 to 1; 0 when nobody did."""
        said = [s.value for s in self.heard.get(exchange, ()) if s.kind == "rating" and s.source in TRUSTED]
        return said[-1] if said else 0.0


Student = Callable[[Evidence], Iterable[Gap]]


def run(took: Sequence[Signal], given: Given, plugins: Sequence[Student]) -> Iterator[Gap]:
    """Let every student read the evidence that came since the last time."""
    fresh = given.new(Exchange)
    known = {e.id: e for e in fresh}
    known |= given.get(Exchange, [s.exchange for s in took if s.exchange and s.exchange not in known])
    evidence = Evidence(fresh, known, given.heard(list(known)), took, _taught(given.all(Row)))
    for student in plugins:
        yield from student(evidence)


def _taught(rows: Sequence[Row]) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for row in rows:
        if row.role == "train":
            for task in row.labels:
                texts.setdefault(task, []).append(row.text)
    return texts
