"""How much does the own model answer, what does an answer cost, and how often may it be wrong?"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from openflywheel.base.champion import CASCADE, champions
from openflywheel.base.instruments.intervals import wilson
from openflywheel.base.nouns import Exchange, Reading
from openflywheel.base.settings import Task
from openflywheel.velocity import Log


def cascade_share(log: Log, *, tasks: Mapping[str, Task]) -> Iterator[Reading]:
    """The cascade of each label task, since the last look.

    answered_share: share of the exchanges that one of the flywheel's own models answered, Wilson 95 %
    interval; else a bigger model or a person did.
    cost_per_exchange: mean cost of an exchange, whoever answered, in the currency of the task's costs.
    cascade_error_bound: the share of wrong answers that the champion stays below with 95 % confidence, where
    the serve room has certified one; 1 when it could not: anything is possible.
    """
    for name in (name for name, task in tasks.items() if task.kind == "label"):
        reading = partial(Reading, turn=log.turn, task=name)
        exchanges = [e for e in log.new_exchanges if e.task == name]
        if exchanges:
            yield from _answers(exchanges, log, reading)
        yield from _bound(log, champions(log.verdicts).get(name, ""), reading)


def _answers(exchanges: Sequence[Exchange], log: Log, reading: partial[Reading]) -> Iterator[Reading]:
    n, own = len(exchanges), sum(e.variant in log.models and bool(e.output) for e in exchanges)
    low, high = wilson(own, n)
    note = f"{own} of {n} exchanges"
    yield reading(name="answered_share", value=own / n, low=low, high=high, unit="share", note=note)
    cost = sum(e.cost for e in exchanges)
    note = f"{cost:.6g} for {n} exchanges"
    yield reading(name="cost_per_exchange", value=cost / n, unit="cost", note=note)


def _bound(log: Log, champion: str, reading: partial[Reading]) -> Iterator[Reading]:
    found = [v for v in log.verdicts if v.check == CASCADE and v.about == champion]
    if found:
        newest = found[-1]
        bound = newest.high if newest.passed == "yes" and newest.high is not None else 1.0
        yield reading(name="cascade_error_bound", value=bound, unit="share", note=newest.reason)
