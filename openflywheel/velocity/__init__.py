"""Step -> Reading: how well does the wheel itself turn?

A gauge is one file here:  `def bottleneck(log) -> Iterable[Reading]`
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.nouns import (
    Arrow,
    Dataset,
    Exchange,
    Gap,
    Model,
    Reading,
    Record,
    Signal,
    Step,
    Verdict,
)
from openflywheel.base.room import Given

ARROW = Arrow(takes=Step, gives=Reading, given=(Exchange, Signal, Verdict, Model, Dataset, Gap, Record))

RECENT = 20_000  # signals that are looked at again in each turn: about .2 CPU-s
RECENT_EXCHANGES = 5_000
OWN = "traffic"  # the source whose records are no documents


class Log(Struct, frozen=True):
    """What a gauge looks at: `new_*` came since the last look, the rest is all history, oldest first.

    Of signals, the newest `RECENT` are all history there is: they are the most numerous. `recent_exchanges`
    are the newest `RECENT_EXCHANGES`; `documents` counts the records without labels that came from elsewhere
    than the own traffic since the last look.
    """

    turn: int
    new_steps: Sequence[Step]
    new_exchanges: Sequence[Exchange]
    new_signals: Sequence[Signal]
    readings: Sequence[Reading]
    verdicts: Sequence[Verdict]
    models: Mapping[str, Model]
    datasets: Mapping[str, Dataset]
    recent_signals: Sequence[Signal] = ()
    recent_exchanges: Sequence[Exchange] = ()
    gaps: Sequence[Gap] = ()
    documents: int = 0


Gauge = Callable[[Log], Iterable[Reading]]


def run(took: Sequence[Step], given: Given, plugins: Sequence[Gauge]) -> Iterator[Reading]:
    """Let every gauge read the log."""
    log = Log(
        turn=max((s.turn for s in took), default=0),
        new_steps=took,
        new_exchanges=given.new(Exchange),
        new_signals=given.new(Signal),
        readings=given.all(Reading),
        verdicts=given.all(Verdict),
        models={m.id: m for m in given.all(Model)},
        datasets={d.id: d for d in given.all(Dataset)},
        recent_signals=given.newest(Signal, RECENT),
        recent_exchanges=given.newest(Exchange, RECENT_EXCHANGES),
        gaps=given.all(Gap),
        documents=sum(not r.labels and r.source != OWN for r in given.new(Record)),
    )
    for gauge in plugins:
        yield from gauge(log)
