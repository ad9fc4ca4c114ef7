import pytest

from openflywheel.base.ids import event_id
from openflywheel.base.nouns import Attempt, Call, Exchange, Signal
from openflywheel.store import Store
from openflywheel.store.thinning import thin, thinned

MARKS = frozenset({"novel"})


@pytest.fixture
def kept(tmp_path):
    stores = []

    def open_(unmarked=0.0):
        stores.append(Store(tmp_path / "wheel", unmarked=unmarked))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


def asked(store, n=1):
    """Exchanges with their calls; their ids."""
    ids = [event_id() for _ in range(n)]
    for id in ids:
        exchange = Exchange(id=id, episode="e", task="answer", input="q", output="a", variant="v")
        attempts = (Attempt(provider="up", model="m", status=200),)
        call = Call(
            id=id, surface="chat", request=b"\0ask", response=b"said", attempts=attempts, input_tokens=7
        )
        store.append([exchange, call])
    return ids


def signal(store, id, kind="novel", explicit=False):
    store.append([Signal(exchange=id, kind=kind, value=0.0, source="code", explicit=explicit)])


def look(store, upto=None):
    """Say that the signals room has looked at everything."""
    seq = store.mark() if upto is None else upto
    store.append(
        [], [("INSERT INTO cursors(room, seq, passage, state) VALUES ('signals', ?, 'p', '{}')", (seq,))]
    )


def whole(store):
    return {call.id for call in store.all(Call) if call.request}


def test_what_nothing_marks_loses_its_bytes_and_nothing_else(kept):
    store = kept()
    marked, spoken, plain = asked(store, 3)
    signal(store, marked)
    signal(store, spoken, kind="rating", explicit=True)
    signal(store, plain, kind="dwell")
    look(store)
    assert store.thin("signals", MARKS) == 1
    assert whole(store) == {marked, spoken}
    thinned_call = store.get(Call, [plain])[plain]
    assert (thinned_call.request, thinned_call.response) == (b"", b"")
    assert (thinned_call.input_tokens, thinned_call.attempts[0].provider) == (7, "up")
    assert store.get(Exchange, [plain])[plain].output == "a"


def test_by_default_everything_stays_whole(kept):
    store = kept(unmarked=1.0)
    ids = asked(store, 3)
    look(store)
    assert store.thin("signals", MARKS) == 0
    assert whole(store) == set(ids)


def test_a_share_of_the_ordinary_stays_whole_too(kept):
    store = kept(unmarked=0.5)
    ids = asked(store, 400)
    look(store)
    dropped = store.thin("signals", MARKS)
    assert 150 < dropped < 250
    assert len(whole(store)) == len(ids) - dropped


def test_only_what_the_room_has_looked_at_is_thinned(kept):
    store = kept()
    [early] = asked(store)
    upto = store.mark()
    [late] = asked(store)
    assert store.thin("signals", MARKS) == 0
    look(store, upto)
    assert store.thin("signals", MARKS) == 1
    assert whole(store) == {late}
    assert early not in whole(store)


def test_doing_it_again_changes_nothing(kept):
    store = kept()
    asked(store, 3)
    look(store)
    assert [store.thin("signals", MARKS) for _ in range(3)] == [3, 0, 0]


def test_portions_are_worked_off_one_after_another(kept, monkeypatch):
    monkeypatch.setattr("openflywheel.store.thinning.PORTION", 2)
    store = kept()
    asked(store, 7)
    assert thin(store.journal, store.mark(), MARKS, 0.0) == 7
    assert thinned(store.journal) == store.mark()


def test_the_lake_never_sees_the_bytes_that_are_dropped(kept):
    store = kept()
    marked, plain = asked(store, 2)
    signal(store, marked)
    store.flush()
    assert store.lake.read(Call).num_rows == 0  # calls wait until somebody has looked at them
    assert store.lake.read(Exchange).num_rows == 2
    look(store)
    store.thin("signals", MARKS)
    rows = {row["id"]: row["request"] for row in store.table(Call, ["id", "request"]).to_pylist()}
    assert rows == {marked: b"\0ask", plain: b""}


def test_bodies_that_wait_for_the_lake_are_not_trimmed(kept):
    store = kept()
    ids = asked(store, 3)
    look(store)
    store.trim(["signals"], keep=0)
    assert whole(store) == set(ids)
    store.thin("signals", MARKS)
    store.trim(["signals"], keep=0)
    assert {call.id for call in store.all(Call)} == set(ids)
    assert whole(store) == set()
