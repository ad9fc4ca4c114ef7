"""The figures of a run, and who is told of them."""

from engine_samples import lower, shards_of, short, table_of

from openflywheel.curate._engine.stats import Clock, Progress, Stats
from openflywheel.curate._engine.step import Step
from openflywheel.curate._engine.telling import Teller

STEPS = [Step("lower", lower), Step("short", short)]


class Unknown:
    name, rows = "unknown", None


def test_figures_are_added_up():
    one = Stats(step="a", took=3, dropped={"x": 1, "y": 2}, made=1, seconds=1.0, cpu_seconds=0.5)
    two = Stats(step="a", took=4, dropped={"y": 1}, seconds=2.0, cpu_seconds=0.5)
    assert one + two == Stats(
        step="a", took=7, dropped={"x": 1, "y": 3}, made=1, seconds=3.0, cpu_seconds=1.0
    )


def test_every_shard_and_every_whole_step_is_told():
    told: list[Progress] = []
    teller = Teller(shards_of(table_of(["a"] * 30), 10), told.append)
    teller.begin(STEPS)
    for _ in range(2):
        teller.shard(
            10, [Stats(step="lower", took=10), Stats(step="short", took=10, dropped={"few": 2})], True
        )
    teller.whole(1, Stats(step="short", took=16))
    assert [(p.doing, p.done, p.total) for p in told] == [
        ("lower, short", 10, 30),
        ("lower, short", 20, 30),
        ("short", 16, 30),
    ]
    assert all(p.speed > 0 for p in told)
    assert told[1].steps[1].dropped == {"few": 4}
    assert teller.stats == told[2].steps


def test_steps_of_one_name_in_two_stages_are_two():
    teller = Teller([], None)
    for took in (3, 2):
        teller.begin(STEPS)
        teller.shard(3, [Stats(step="lower", took=took), Stats(step="short", took=took)], fresh=True)
    assert [(s.step, s.took) for s in teller.stats] == [
        ("lower", 3),
        ("short", 3),
        ("lower", 2),
        ("short", 2),
    ]


def test_the_total_is_unknown_when_one_shard_is():
    told: list[Progress] = []
    teller = Teller([Unknown()], told.append)  # type: ignore[list-item]
    teller.begin(STEPS)
    teller.shard(5, [], fresh=False)
    assert told[0].total is None


def test_a_clock_runs():
    clock = Clock()
    first = clock.read()
    sum(range(10_000))
    second = clock.read()
    assert 0 <= first.seconds < second.seconds
    assert first.cpu_seconds <= second.cpu_seconds
