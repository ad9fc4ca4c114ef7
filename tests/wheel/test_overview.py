"""The wheel at a glance."""

import pytest

from openflywheel.base.champion import PROMOTION
from openflywheel.base.door import ROOMS
from openflywheel.base.nouns import Exchange, Model, Reading, Step, Verdict
from openflywheel.base.settings import parse
from openflywheel.store import Store
from openflywheel.wheel.overview import look_at_ring, look_at_state, newest_readings
from openflywheel.wheel.ring import ROOMS as MODULES

SETTINGS = parse(
    "name: desk\nstore: s\ntasks: {route: {kind: label}, price: {kind: label}}\nguard: [pii, secrets]\n"
)


@pytest.fixture
def store(tmp_path):
    """A new store."""
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


def step(room, turn=0, **fields):
    return Step(id=f"{turn:06d}-{room}", turn=turn, room=room, **{"took": 0, "gave": 0, **fields})


def rooms(store):
    return {room.room: room for room in look_at_ring(SETTINGS, store).rooms}


def passes(store, room, *tray):
    """A passage of a room that leaves these on its tray."""
    with store.passage(room, MODULES[room].ARROW, f"a passage of {room}") as passage:
        passage.tray += tray


def test_a_new_wheel_has_every_room_and_no_weakest_link(store):
    found = look_at_ring(SETTINGS, store)
    assert (found.name, found.turn, [r.room for r in found.rooms]) == ("desk", -1, list(ROOMS))
    assert not any(room.weakest or room.last or room.waits for room in found.rooms)
    assert rooms(store)["guard"].plugins == ["pii", "secrets"]
    assert (rooms(store)["guard"].takes, rooms(store)["guard"].gives) == ("Model", "Verdict")


def test_what_came_since_the_last_passage_waits(store):
    exchanges = [
        Exchange(episode="e", task="route", input="x", output="", variant="person") for _ in range(5)
    ]
    store.append(exchanges[:3])
    assert rooms(store)["signals"].waits == 3
    passes(store, "signals", step("signals"))
    store.append(exchanges[3:])
    assert rooms(store)["signals"].waits == 2


def test_a_room_does_not_wait_for_what_it_wrote_itself(store):
    passes(store, "velocity", step("velocity"))
    passes(store, "serve", Verdict(check=PROMOTION, about="m", passed="yes"), step("serve", gave=1))
    found = rooms(store)
    assert (found["serve"].waits, found["velocity"].waits) == (0, 1)


def test_the_slowest_room_of_the_newest_turn_is_the_weakest_link(store):
    store.append([step("curate", seconds=9.0), step("curate", 1, seconds=1.0), step("study", 1, seconds=2.0)])
    assert [name for name, room in rooms(store).items() if room.weakest] == ["study"]


def test_a_room_that_failed_is_the_weakest_link_until_it_succeeds(store):
    store.append([step("curate", seconds=9.0), step("collect", error="no file")])
    assert [name for name, room in rooms(store).items() if room.weakest] == ["collect"]
    store.append([step("collect", 1, seconds=1.0)])
    assert [name for name, room in rooms(store).items() if room.weakest] == ["collect"]
    assert rooms(store)["collect"].last.error == ""


def test_the_state_names_champions_questions_and_the_newest_turn(store):
    model = Model(name="route-head", task="route", base="b", method="m", taught_by=())
    store.append(
        [model, Verdict(check=PROMOTION, about=model.id, task="route", passed="yes", reason="better", at=7)]
    )
    store.append([step("signals"), step("signals", 1), step("study", 1)])
    store.experts.ask(["e1", "e2"], task="route", why="doubt")
    found = look_at_state(SETTINGS, store)
    route, price = found.tasks
    assert (route.task, route.champion, route.since, route.why) == ("route", model, 7, "better")
    assert (price.task, price.champion, price.since, price.why) == ("price", None, None, "")
    assert (found.questions, found.oldest_question >= 0) == (2, True)
    assert (found.turn, [s.room for s in found.steps]) == (1, ["signals", "study"])
    assert found.counts["model"] == 1


def test_a_refused_candidate_changes_nothing(store):
    store.append([Verdict(check=PROMOTION, about="m", task="route", passed="no")])
    assert look_at_state(SETTINGS, store).tasks[0].champion is None


def test_readings_are_the_newest_of_each_name_and_task(store):
    readings = [
        Reading(name=n, task=t, value=v)
        for n, t, v in [("b", "", 1), ("a", "y", 2), ("b", "", 3), ("a", "x", 4)]
    ]
    store.append(readings)
    assert [r.value for r in newest_readings(store)] == [4, 2, 3]


def test_a_room_that_passed_several_times_in_a_turn_is_shown_as_one(store):
    store.append([step("study", 3, gave=2, took=5), Step(turn=3, room="study", took=1, gave=1, seconds=0.5)])
    study = rooms(store)["study"].last
    assert (study.took, study.gave, study.seconds) == (6, 3, 0.5)
