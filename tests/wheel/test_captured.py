"""The signals debt of real wheels: it shrinks as people, clients and listeners speak."""

import pytest

from openflywheel.base import door
from openflywheel.base.nouns import Exchange, Reading, Signal
from openflywheel.base.settings import parse
from openflywheel.base.validity import PREFIX
from openflywheel.store import Store
from openflywheel.wheel.captured import EXPLICIT, look_at_signals

SETTINGS = "name: desk\nstore: wheel\ntasks: {route: {kind: label}}\nsignals: {rephrase: {}}\n"


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


@pytest.fixture
def look(store):
    return lambda text=SETTINGS: look_at_signals(parse(text), store)


def asked(**fields):
    made = {"episode": "e", "task": "route", "input": "?", "output": "x", "variant": "m", **fields}
    return Exchange(**made)


def heard(kind="rating", value=1.0, **fields):
    made = {"exchange": "x", "source": "user", "explicit": True, **fields}
    return Signal(kind=kind, value=value, **made)


def derived(kind, at=1.0, about="x"):
    return heard(kind, -0.5, source="code", explicit=False, at=at, exchange=about)


def owed(ledger):
    return [o.signal for o in ledger.owed]


def test_of_a_new_wheel_everything_is_owed_but_the_listener_that_is_on(look):
    ledger = look()
    silent = [name for name in door.names("signals") if name != "rephrase"]
    assert ledger.captured == []
    assert owed(ledger) == [*EXPLICIT, "conversations", "subjects", "network", *silent]
    assert all(o.teaches and o.how for o in ledger.owed)


@pytest.mark.parametrize("kind", EXPLICIT)
def test_what_people_said_once_is_not_owed(look, store, kind):
    assert kind in owed(look())
    store.append([heard(kind)])
    assert kind not in owed(look())


def test_what_clients_name_is_not_owed(look, store):
    store.append([asked(), asked(episode="f"), heard()])
    assert {"conversations", "subjects", "network"} <= set(owed(look()))
    store.append([asked(subject="ann")])
    assert not {"conversations", "subjects"} & set(owed(look()))
    store.append([heard(network="block")])
    assert "network" not in owed(look())


def test_a_listener_says_what_it_teaches_and_how_to_switch_it_on(look):
    (dwell,) = [o for o in look().owed if o.signal == "dwell"]
    assert dwell.teaches == "Who goes on before the answer can have been read did not want it"
    switch = dwell.how.removeprefix("switch it on in flywheel.yaml: ")
    assert "dwell" not in owed(look(SETTINGS.replace("signals: {rephrase: {}}", switch)))


def test_the_rooms_own_machinery_is_no_listener(look):
    assert not [name for name in owed(look()) if name.startswith("_")]


def test_kinds_are_counted_with_their_sources_and_the_newest(look, store):
    store.append([heard(at=5.0), heard(value=0.5, source="expert", at=9.0), derived("rephrase")])
    rating, rephrase = look().captured
    assert (rating.kind, rating.count, rating.last, rating.sources) == ("rating", 2, 9.0, ("expert", "user"))
    assert (rating.explicit, rating.weight, rating.validity) == (True, 1.0, None)
    assert (rephrase.explicit, rephrase.count, rephrase.sources) == (False, 1, ("code",))


def test_a_derived_kind_weighs_nothing_until_it_is_measured(look, store):
    store.append([derived("rephrase")])
    (kind,) = look().captured
    assert (kind.weight, kind.validity) == (0.0, None)
    assert "signal_validity" in kind.note


def test_then_what_its_newest_reading_says(look, store):
    store.append([derived("rephrase")])
    for fields, expected in (
        ({"value": 0.0, "low": -1.0, "high": 1.0, "note": "not enough data: 3 of 30 ratings"}, (None, 0.0)),
        ({"value": 0.4, "low": 0.2, "high": 0.6, "note": "rated"}, (0.4, 0.4)),
        ({"value": 0.1, "low": -0.1, "high": 0.3, "note": "rated"}, (0.1, 0.0)),
    ):
        store.append([Reading(name=f"{PREFIX}rephrase", **fields)])
        (kind,) = look().captured
        assert (kind.validity, kind.weight) == expected
        assert kind.note == fields["note"]


def test_a_strangers_listener_that_lacks_a_library_says_so(look, install):
    install("signals", "gaze", "import no_such_library\ndef gaze(episode): return []\n")
    (gaze,) = [o for o in look().owed if o.signal == "gaze"]
    assert "needs 'no_such_library'" in gaze.teaches
