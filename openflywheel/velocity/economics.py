"""What do the answers cost, and what do the errors?"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from math import sqrt

from openflywheel.base.instruments.intervals import wilson
from openflywheel.base.nouns import Exchange, Reading, Signal
from openflywheel.base.settings import Costs, Task
from openflywheel.velocity import Log


def economics(log: Log, *, tasks: Mapping[str, Task]) -> Iterator[Reading]:
    """Costs of each task since the last look, in the currency of its `costs`.

    cost_per_1000: 1000 sum(cost) / exchanges: what calls and persons' answers did cost.
    handed_over: share of exchanges that a person had to answer (empty output), Wilson 95 % interval.
    expected_errors: sum(1 - confidence) over what the model answered: how many it expects to have got wrong.
    Its 95 % interval, +- 1.96 sqrt(sum(confidence (1 - confidence))), holds if confidence is calibrated.
    expected_error_cost_per_1000: 1000 expected_errors * costs.error / exchanges, likewise.
    labels_used: new signals in which a user or an expert gave the right answer, for teaching or holdout.
    label_cost: those of experts * costs.person.
    """
    for name, task in tasks.items():
        reading = partial(Reading, turn=log.turn, task=name)
        exchanges = [e for e in log.new_exchanges if e.task == name]
        if exchanges:
            yield from _answers(exchanges, reading)
            yield from _errors(exchanges, task.costs, reading)
        yield from _labels([s for s in log.new_signals if s.task == name], task.costs, reading)


def _answers(exchanges: Sequence[Exchange], reading: partial[Reading]) -> Iterator[Reading]:
    n, handed = len(exchanges), sum(not e.output for e in exchanges)
    cost = sum(e.cost for e in exchanges)
    yield reading(
        name="cost_per_1000", value=1000 * cost / n, unit="cost", note=f"{cost:.6g} for {n} exchanges"
    )
    low, high = wilson(handed, n)
    note = f"{handed} of {n} exchanges"
    yield reading(name="handed_over", value=handed / n, low=low, high=high, unit="share", note=note)


def _errors(exchanges: Sequence[Exchange], costs: Costs, reading: partial[Reading]) -> Iterator[Reading]:
    sure = [e.confidence for e in exchanges if e.output]
    expected = sum(1 - p for p in sure)
    margin = 1.96 * sqrt(sum(p * (1 - p) for p in sure))
    low, high = max(0.0, expected - margin), min(float(len(sure)), expected + margin)
    note = f"in {len(sure)} answers, by the model's own confidence"
    yield reading(name="expected_errors", value=expected, low=low, high=high, unit="errors", note=note)
    price = 1000 * costs.error / len(exchanges)
    yield reading(
        name="expected_error_cost_per_1000",
        value=expected * price, low=low * price, high=high * price, unit="cost", note=note,
    )  # fmt: skip


def _labels(signals: Sequence[Signal], costs: Costs, reading: partial[Reading]) -> Iterator[Reading]:
    sources = [s.source for s in signals if s.correction]
    users, experts = sources.count("user"), sources.count("expert")
    note = f"{users} of users, {experts} of experts"
    yield reading(name="labels_used", value=users + experts, unit="labels", note=note)
    note = f"{experts} labels at {costs.person:g}"
    yield reading(name="label_cost", value=experts * costs.person, unit="cost", note=note)
