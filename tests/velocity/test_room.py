"""The room: what its gauges see through a real store, and all built-in gauges through the door."""

import pytest

from openflywheel import velocity
from openflywheel.base import door
from openflywheel.base.champion import PROMOTION
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Dataset, Exchange, Model, Reading, Signal, Step, Verdict
from openflywheel.base.settings import Task
from openflywheel.store import Store

HANDED = {"seed": 0, "tasks": {"route": Task(kind="label")}, "encoder": NgramEncoder()}
GAUGES = (
    "bottleneck", "cascade_share", "component_map", "cycle_time", "documents_per_gap", "economics",
    "learning_curve", "signal_validity",
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


def gauges():
    return [door.load("velocity", name, {}, HANDED) for name in door.names("velocity")]


def look(store, name, plugins):
    """One passage of the room, kept."""
    with store.passage("velocity", velocity.ARROW, name) as passage:
        passage.tray += velocity.run(passage.took, passage.given, plugins)
        return list(passage.tray)


def turn(number):
    """What one turn leaves behind: a person's correction, a candidate, its promotion."""
    at = 1000.0 * number
    data = Dataset(name="route-train", task="route", role="train", rows=(f"r{number}",), recipe="r")
    report = {"rows": 100.0 * number, "accuracy": 0.9 - 2 / (10 * number), "ece": 0.02, "labels": 5.0}
    model = Model(
        name="route-head", task="route", base="b", method="head", taught_by=(data.id,), report=report
    )
    asked = Exchange(
        episode="e",
        task="route",
        input="?",
        output="x",
        variant=model.id,
        confidence=report["accuracy"],
        at=at,
    )
    return [
        asked,
        Signal(
            exchange=asked.id, kind="correction", value=-1, source="user", explicit=True,
            task="route", correction="y", at=at + 10,
        ),
        Step(turn=number, room="signals", took=1, gave=0, seconds=1, at=at + 100),
        Step(turn=number, room="study", took=1, gave=1, seconds=1, at=at + 110),
        Step(turn=number, room="collect", took=1, gave=1, seconds=1, at=at + 120),
        Step(turn=number, room="curate", took=1, gave=2, seconds=1, at=at + 130),
        data,
        model,
        Step(turn=number, room="customize", took=1, gave=1, seconds=5, at=at + 200),
        Verdict(check=PROMOTION, about=model.id, passed="yes", task="route", at=at + 209.5),
        Step(turn=number, room="serve", took=1, gave=1, seconds=1, at=at + 210),
    ]  # fmt: skip


def test_a_gauge_sees_what_is_new_and_the_whole_history(store):
    logs = []

    def gauge(log):
        logs.append(log)
        yield Reading(name="seen", value=1, turn=log.turn)

    store.append(turn(1))
    look(store, "first", [gauge])
    store.append(turn(2))
    look(store, "second", [gauge])
    first, second = logs
    assert (first.turn, second.turn) == (1, 2)
    for log in logs:
        assert {s.turn for s in log.new_steps} == {log.turn}
        assert (len(log.new_exchanges), len(log.new_signals)) == (1, 1)
        assert len(log.models) == len(log.datasets) == len(log.verdicts) == log.turn
    assert all(id == model.id for id, model in second.models.items())
    assert (len(first.recent_signals), len(second.recent_signals)) == (1, 2)
    assert [r.turn for r in second.readings] == [1]
    assert [r.turn for r in store.all(Reading)] == [1, 2]


def test_the_door_finds_all_gauges():
    assert set(GAUGES) <= set(door.names("velocity"))


def test_gauges_read_an_empty_store_without_complaint(store):
    found = look(store, "first", gauges())
    assert {r.name for r in found} == {"labels_used", "label_cost"}
    assert all(r.value == 0 for r in found)


def test_six_turns_give_every_reading(store):
    for number in range(1, 7):
        store.append(turn(number))
        readings = {r.name: r for r in look(store, f"turn {number}", gauges())}
    assert {r.turn for r in readings.values()} == {6}
    assert set(readings) == {
        "bottleneck", "turn_seconds", "signal_to_study_seconds", "signal_to_champion_seconds",
        "learning_curve", "learning_exponent", "training_rows", "expected_accuracy",
        "answered_share", "cost_per_exchange",
        "cost_per_1000", "handed_over", "labels_used", "label_cost",
        "expected_errors", "expected_error_cost_per_1000", "component_collection", "component_storage",
        "component_analysis", "component_application", "component_feedback", "weakest_component",
    }  # fmt: skip
    assert readings["bottleneck"].note == "customize: 5 of 10 seconds"
    assert readings["signal_to_study_seconds"].value == pytest.approx(100)
    assert readings["signal_to_champion_seconds"].value == pytest.approx(199.5)
    assert readings["learning_curve"].value == pytest.approx(0.9 - 2 / 120, abs=1e-4)
    assert readings["learning_exponent"].value == pytest.approx(1)


def test_readings_are_kept_as_they_were_read(store):
    store.append(turn(1))
    read = look(store, "first", gauges())
    assert store.all(Reading) == read


def test_a_single_room_before_the_turn_counts_with_it(store):
    store.append([Step(turn=1, room="collect", took=1, gave=1, seconds=20, at=500.0), *turn(1)])
    readings = {r.name: r for r in look(store, "first", gauges())}
    assert readings["bottleneck"].note == "collect: 21 of 30 seconds"
