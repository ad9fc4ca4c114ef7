import stat
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments.columns import from_table
from openflywheel.base.nouns import Arrow, Exchange, Gap, Record, Signal, Step
from openflywheel.store import Store

STUDY = Arrow(takes=Exchange, gives=Gap, given=(Signal,))

# A journal in PostgreSQL is shared: its key stands beside it, and its bodies are not emptied.
in_the_folder = pytest.mark.parametrize("both", ["sqlite"], indirect=True)

LIGHT = """
import sys
from openflywheel.base.nouns import Exchange, Gap
from openflywheel.store import Store
store = Store(sys.argv[1])
store.append([Gap(topic="t", why="w")])
assert store.counts()["gap"] == len(store.all(Gap)) == 1
assert store.heard(["nobody"]) == store.get(Exchange, ["nobody"]) == {}
print(*{"pyarrow", "numpy", "deltalake", "psycopg"} & sys.modules.keys())
"""

OPEN_AND_KEY = """
import sys
from openflywheel.store import Store
folder, database, wheel = sys.argv[1:]
store = Store(folder, database=database or None, name=wheel)
print(store.key_of("ann"))
store.close()
"""


@pytest.fixture
def kept(both):
    """Everything here holds for SQLite and for PostgreSQL."""
    return both


def signal(exchange: str, kind: str = "rating") -> Signal:
    return Signal(exchange=exchange, kind=kind, value=-1.0, source="user", explicit=True, comment="no\0")


def passed(store: Store, *rooms: str, name: str = "1") -> None:
    for room in rooms:
        with store.passage(room, STUDY, name):
            pass


def emptied(store: Store) -> list[int]:
    return [seq for (seq,) in store.journal.rows("SELECT seq FROM journal WHERE body IS NULL ORDER BY seq")]


@pytest.fixture
def talk(store, said):
    """Thirty exchanges, each with a signal behind it: journal numbers 1 to 60."""
    exchanges = [said(f"question {n}\0", choices=("a", "b")) for n in range(30)]
    store.append([noun for e in exchanges for noun in (e, signal(e.id))])
    return exchanges


def test_a_store_is_one_folder_that_makes_itself(tmp_path):
    store = Store(tmp_path / "deep" / "wheel")
    store.append([Gap(topic="t", why="w")])
    store.close()
    assert {f.name for f in store.path.iterdir()} >= {"live.db", "lake", "models", "key"}
    again = Store(str(store.path))
    assert [g.topic for g in again.all(Gap)] == ["t"]
    again.close()


def test_a_store_elsewhere_is_refused():
    with pytest.raises(StoreError, match="keeps its store in a local folder"):
        Store("s3://bucket/wheel")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Store(tmp_path / "file" / "wheel")


def test_closing_brings_the_lake_up_to_date_and_twice_is_harmless(store, talk):
    store.close()
    store.close()
    assert store.lake.read(Exchange).num_rows == 30
    with pytest.raises(StoreError, match="is closed"):
        store.append([Gap(topic="t", why="w")])
    with pytest.raises(StoreError, match="is closed"):
        store.all(Exchange)


@in_the_folder
def test_the_key_is_for_its_owner_alone(store):
    assert stat.S_IMODE((store.path / "key").stat().st_mode) == 0o600
    assert len((store.path / "key").read_bytes()) == 32


def test_people_have_other_keys_in_other_stores_and_keep_theirs_in_one(tmp_path):
    keys = []
    for name in ("one", "other", "one"):
        store = Store(tmp_path / name)
        keys.append(store.key_of("ann"))
        assert store.key_of("ann") == keys[-1] != store.key_of("bob")
        store.close()
    assert keys[0] == keys[2] != keys[1]
    assert "ann" not in keys[0]


def test_nobody_has_no_key(store):
    assert store.key_of("") == ""


def test_many_processes_that_make_a_store_at_once_agree_on_its_key(tmp_path, kept, process):
    started = [process(OPEN_AND_KEY, tmp_path / "wheel", *kept.arguments) for _ in range(4)]
    keys = {one.communicate()[0].strip() for one in started}
    assert [one.returncode for one in started] == [0] * 4
    assert len(keys) == 1
    assert len(keys.pop()) == 32


def test_rows_are_counted_by_table(store, talk):
    counts = store.counts()
    assert (counts["exchange"], counts["signal"], counts["gap"]) == (30, 30, 0)
    assert len(counts) == 11


def test_what_waits_for_a_room_is_what_came_since_its_passage(store, talk, said):
    assert store.waiting("study", Exchange) == 30
    passed(store, "study")
    assert store.waiting("study", Exchange) == 0
    store.append([said("new"), Gap(topic="t", why="w")])
    assert (store.waiting("study", Exchange), store.waiting("signals", Exchange)) == (1, 31)


def test_the_newest_turn_is_that_of_the_newest_step(store):
    assert store.last_turn() == -1
    steps = ["000002-study", "000010-signals", "000009-serve", "000010-collect-failed", "named-otherwise"]
    store.append([Step(id=i, turn=0, room="study", took=0, gave=0) for i in steps])
    assert store.last_turn() == 10


def test_names_that_do_not_exist_are_left_out(store, talk):
    assert store.get(Exchange, ["nobody", talk[0].id, talk[0].id]) == {talk[0].id: talk[0]}
    assert store.get(Gap, [talk[0].id]) == {}
    assert store.get(Exchange, []) == {}


def test_a_table_is_complete_up_to_now(store, talk):
    assert from_table(store.table(Exchange), Exchange) == talk
    assert store.table(Signal, ["exchange"])["exchange"].to_pylist() == [e.id for e in talk]


@in_the_folder
def test_trimming_empties_what_is_behind_all_the_rooms_except_the_newest(store, talk):
    passed(store, "study", "signals")
    store.append([Gap(topic="later", why="")])
    store.trim(["study", "signals"], keep=11)
    assert emptied(store) == list(range(1, 51))
    store.trim(["study", "signals"], keep=0)
    assert emptied(store) == list(range(1, 61))


@in_the_folder
def test_nothing_is_trimmed_while_a_room_has_not_seen_it(store, talk, said):
    passed(store, "study")
    store.trim(["study", "signals"], keep=0)
    assert emptied(store) == []
    passed(store, "signals")
    store.append([said("new")])
    passed(store, "study", name="2")
    store.trim(["study", "signals"], keep=0)
    assert emptied(store) == list(range(1, 61))


@in_the_folder
def test_without_rooms_everything_but_the_newest_is_trimmed(store, talk):
    store.trim([], keep=10)
    assert emptied(store) == list(range(1, 51))


@in_the_folder
def test_what_was_trimmed_is_found_in_the_lake_as_it_was(store, talk, said):
    ids = [e.id for e in talk]
    signals = store.all(Signal)
    before = (store.all(Exchange), store.get(Exchange, ids), store.heard(ids), store.counts())
    passed(store, "study")
    store.trim(["study"], keep=20)
    assert len(emptied(store)) == 40
    assert (store.all(Exchange), store.get(Exchange, ids), store.heard(ids), store.counts()) == before
    assert store.all(Signal) == signals
    new = said("new")
    store.append([new, talk[0]])  # an old one once more changes nothing
    assert store.all(Exchange) == [*talk, new]


def test_a_trimmed_noun_keeps_all_its_fields(store, talk):
    store.trim([], keep=0)
    assert store.get(Exchange, [talk[3].id])[talk[3].id] == talk[3]
    assert store.heard([talk[3].id])[talk[3].id][0].comment == "no\0"


@in_the_folder
def test_a_room_that_is_new_still_takes_what_was_trimmed_before_it_came(store, talk):
    passed(store, "study")
    store.trim(["study"], keep=10)
    assert len(emptied(store)) == 50
    with store.passage("velocity", STUDY, "1") as passage:
        assert passage.took == talk


def test_trimming_while_others_read_and_write_hides_nothing(store, said):
    done, seen = Event(), []

    def read() -> None:
        while not done.is_set():
            before = store.counts()["exchange"]
            seen.append(len(store.all(Exchange)) - before)

    reader = Thread(target=read)
    reader.start()
    for turn in range(12):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: store.append([said(str(n))]), range(20)))
        passed(store, "study", name=str(turn))
        store.trim(["study"], keep=5)
    done.set()
    reader.join()
    assert min(seen) >= 0
    assert len(store.all(Exchange)) == 240


@in_the_folder
def test_trimming_never_empties_what_came_after_its_flush(store, said):
    stop = Event()

    def append_and_pass() -> None:
        for n in range(100_000):
            if stop.is_set():
                return
            store.append([said(str(n))])
            passed(store, "study", name=str(n))

    busy = Thread(target=append_and_pass)
    busy.start()
    for _ in range(15):
        store.trim(["study"], keep=0)
    stop.set()
    busy.join()
    in_lake = set(store.lake.read(Exchange, ["id"])["seq"].to_pylist())
    assert set(emptied(store)) <= in_lake
    assert len(emptied(store)) > 0


def test_objects_lie_in_the_store(store):
    digest = store.objects.put(b"picture")
    assert store.objects.get(digest) == b"picture"
    assert store.path in store.objects.path.parents


def test_a_record_of_ten_megabytes_goes_all_the_way(store):
    record = Record(text="\0ü" * 5_000_000, source="s")
    store.append([record])
    store.trim([], keep=0)
    assert store.get(Record, [record.id]) == {record.id: record}


def test_who_only_writes_and_looks_up_loads_no_heavy_library(tmp_path, process):
    started = process(LIGHT, tmp_path / "wheel")
    assert started.communicate()[0].split() == []
    assert started.returncode == 0
