"""Step -> Reading: how well does the wheel itself turn?

A gauge is one file here:  `def bottleneck(log) -> Iterable[Reading]`
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.nouns import Arrow, Dataset, Exchange, Model, Reading, Signal, Step, Verdict
from openflywheel.base.room import Given

ARROW = Arrow(takes=Step, gives=Reading, given=(Exchange, Signal, Verdict, Model, Dataset))

RECENT = 20_000  # signals that are looked at again in each turn: about .2 CPU-s


class Log(Struct, frozen=True):
    """What a gauge looks at: `new_*` came since the last look, the rest is all history, oldest first.

    Of signals, the newest `RECENT` are all history there is: they are the most numerous.
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
    )
    for gauge in plugins:
        yield from gauge(log)
