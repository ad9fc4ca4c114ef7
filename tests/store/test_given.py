"""How a room looks around: by number, by time, by name; on SQLite and on PostgreSQL."""

import pytest

from openflywheel.base.ids import event_id, first_id
from openflywheel.base.nouns import Arrow, Exchange, Gap, Signal
from openflywheel.store import passage

ARROW = Arrow(takes=Exchange, gives=Signal)


@pytest.fixture
def kept(both):
    return both


def asked(at, episode="e"):
    return Exchange(episode=episode, task="route", input="?", output="x", variant="m", at=at)


@pytest.fixture
def look(store):
    """What a room is given now."""

    def given():
        with store.passage("signals", ARROW, "now") as opened:
            return opened.given

    return given


def test_the_newest_come_oldest_first(store, look):
    store.append([asked(at) for at in (3.0, 1.0, 2.0)])
    assert [e.at for e in look().newest(Exchange, 2)] == [1.0, 2.0]
    assert [e.at for e in look().newest(Exchange, 9)] == [3.0, 1.0, 2.0]
    assert look().newest(Signal, 9) == []


def test_what_came_after_the_passage_began_is_not_there(store, look):
    store.append([asked(1.0)])
    given = look()
    store.append([asked(2.0)])
    assert [e.at for e in given.newest(Exchange, 9)] == [1.0]
    assert [e.at for e in given.between(Exchange, 0, 9)] == [1.0]
    assert [e.at for e in given.named(Exchange, ["e"])["e"]] == [1.0]


def test_a_time_span_begins_with_its_start_and_ends_before_its_end(store, look):
    store.append([asked(at) for at in (10.0, 30.0, 20.0, 0.0)])
    assert [e.at for e in look().between(Exchange, 10.0, 30.0)] == [10.0, 20.0]
    assert [e.at for e in look().between(Exchange, -5.0, 1e12)] == [0.0, 10.0, 20.0, 30.0]
    assert look().between(Exchange, 20.0, 10.0) == []


def test_names_bring_their_own_and_no_others(store, look):
    store.append([asked(1.0), asked(2.0, "f"), asked(3.0)])
    found = look().named(Exchange, ["e", "g", "e"])
    assert {name: [e.at for e in group] for name, group in found.items()} == {"e": [1.0, 3.0]}


def test_of_a_name_that_everything_has_the_newest_are_shown(store, look, monkeypatch):
    monkeypatch.setattr(passage, "NAMED", 3)
    store.append([asked(float(i), name) for i in range(6) for name in ("e", "f")])
    found = look().named(Exchange, ["e", "f"])
    assert [[e.at for e in found[name]] for name in "ef"] == [[3.0, 4.0, 5.0]] * 2


def test_more_names_than_a_statement_holds_are_no_matter(store, look):
    store.append([asked(float(i), f"talk {i}") for i in range(950)])
    found = look().named(Exchange, [f"talk {i}" for i in range(950)])
    assert len(found) == 950
    assert all(len(group) == 1 for group in found.values())


def test_what_has_moved_to_the_lake_is_found_too(store, look):
    old, new = asked(1.0), asked(2.0)
    store.append([old, new])
    with store.passage("signals", ARROW, "first"):
        pass
    store.trim(["signals"], keep=1)
    assert look().newest(Exchange, 2) == look().between(Exchange, 0, 9) == [old, new]
    assert look().named(Exchange, ["e"]) == {"e": [old, new]}


def test_a_room_sees_only_what_its_arrow_names(look):
    given = look()
    for read in (
        lambda: given.newest(Gap, 1), lambda: given.between(Gap, 0, 1), lambda: given.named(Gap, ["e"]),
    ):  # fmt: skip
        with pytest.raises(PermissionError, match="signals may look at Exchange, Signal"):
            read()


def test_the_first_id_of_a_moment_stands_before_all_of_it():
    for at in (0.0, 1.5, 1_800_000_000.123):
        assert first_id(at) <= event_id(at) < first_id(at + 0.002)
    assert first_id(-1.0) == first_id(0.0)
    assert first_id(float(1 << 60)) > event_id(4e9)
