from concurrent.futures import ThreadPoolExecutor

import pytest

from openflywheel.base.errors import HoldoutRefused, StoreError
from openflywheel.base.nouns import Arrow, Dataset, Exchange, Gap, Model, Reading, Record, Row, Signal
from openflywheel.store import Store

COLLECT = Arrow(takes=Gap, gives=Record, given=(Exchange,))
STUDY = Arrow(takes=Signal, gives=Gap, given=(Exchange,))
CUSTOMIZE = Arrow(takes=Dataset, gives=Model, given=(Row,))
EVALUATE = Arrow(takes=Model, gives=Reading, given=(Dataset, Row))

PASS_AND_TELL = """
import os, sys
from openflywheel.base.nouns import Arrow, Gap, Record
from openflywheel.store import Store
folder, kill, database, wheel = sys.argv[1:]
store = Store(folder, database=database or None, name=wheel)
os.write(1, b"ready\\n")
for i in range(100_000):
    store.append([Gap(topic=f"{kill}-{i}", why="")])
    with store.passage("collect", Arrow(takes=Gap, gives=Record), f"{kill}-{i}") as passage:
        passage.state["taken"] = passage.state.get("taken", 0) + len(passage.took)
        passage.tray += [Record(text=gap.topic, source="s") for gap in passage.took]
"""


@pytest.fixture
def kept(both):
    """Everything here holds for SQLite and for PostgreSQL."""
    return both


def gap(topic: str) -> Gap:
    return Gap(topic=topic, why="")


def signal(exchange: str, kind: str = "rating") -> Signal:
    return Signal(exchange=exchange, kind=kind, value=1.0, source="user", explicit=True)


def dataset(role: str, rows: list[Row]) -> Dataset:
    return Dataset(name=role, task="route", role=role, rows=tuple(r.id for r in rows), recipe="")


def taken(store: Store, name: str) -> list[str]:
    with store.passage("collect", COLLECT, name) as passage:
        return [g.topic for g in passage.took]


def test_a_room_takes_what_is_new_for_it_oldest_first(store):
    store.append([gap("b"), gap("a"), Record(text="r", source="s")])
    assert taken(store, "1") == ["b", "a"]
    store.append([gap("c"), gap("a")])
    assert taken(store, "2") == ["c"]
    assert taken(store, "3") == []


def test_every_room_has_its_own_cursor(store):
    store.append([gap("a")])
    taken(store, "1")
    with store.passage("curate", COLLECT, "1") as passage:
        assert [g.topic for g in passage.took] == ["a"]


def test_success_keeps_outputs_cursor_and_state_together(store):
    store.append([gap("a")])
    record = Record(text="found", source="web")
    with store.passage("collect", COLLECT, "1") as passage:
        assert passage.state == {}
        passage.tray.append(record)
        passage.state["etag"] = {"https://example.com": "x\0ü"}
    assert store.all(Record) == [record]
    with store.passage("collect", COLLECT, "2") as passage:
        assert passage.took == []
        assert passage.state == {"etag": {"https://example.com": "x\0ü"}}


def test_an_exception_keeps_nothing(store):
    store.append([gap("a")])
    with pytest.raises(KeyError), store.passage("collect", COLLECT, "1") as passage:
        passage.tray.append(Record(text="found", source="web"))
        passage.state["etag"] = "x"
        raise KeyError
    assert store.all(Record) == []
    with store.passage("collect", COLLECT, "1") as passage:
        assert ([g.topic for g in passage.took], passage.state, passage.done) == (["a"], {}, False)


@pytest.mark.parametrize("state", [{"x": object()}, {"x": b""}], ids=["object", "bytes"])
def test_state_that_cannot_be_kept_keeps_nothing(store, state):
    store.append([gap("a")])
    with pytest.raises(TypeError), store.passage("collect", COLLECT, "1") as passage:
        passage.tray.append(Record(text="found", source="web"))
        passage.state.update(state)
    assert store.all(Record) == []
    assert taken(store, "1") == ["a"]


def test_a_noun_that_cannot_be_kept_keeps_nothing(store):
    store.append([gap("a")])
    with pytest.raises(StoreError, match="cannot be kept"), store.passage("collect", COLLECT, "1") as passage:
        passage.tray += [Record(text="found", source="web"), Record(text=None, source="web")]
    assert store.all(Record) == []
    assert taken(store, "1") == ["a"]


def test_the_same_passage_twice_is_skipped(store):
    store.append([gap("a")])
    for text in ("first", "second"):
        with store.passage("collect", COLLECT, "1") as passage:
            assert passage.done == (text == "second")
            passage.tray.append(Record(text=text, source="web"))
    assert [r.text for r in store.all(Record)] == ["first"]


def test_of_two_that_make_the_same_passage_at_once_one_is_kept(store):
    store.append([gap("a")])
    taken(store, "0")
    store.append([gap("b")])
    with (
        pytest.raises(StoreError, match="another process has made this passage meanwhile"),
        store.passage("collect", COLLECT, "1") as slow,
    ):
        slow.tray.append(Record(text="slow", source="web"))
        with store.passage("collect", COLLECT, "1") as quick:
            quick.tray.append(Record(text="quick", source="web"))
    assert [r.text for r in store.all(Record)] == ["quick"]


def test_an_older_passage_cannot_turn_a_newer_one_back(store):
    taken(store, "0")
    with pytest.raises(StoreError, match="meanwhile"), store.passage("collect", COLLECT, "1") as slow:
        slow.tray.append(Record(text="slow", source="web"))
        store.append([gap("a")])
        assert taken(store, "2") == ["a"]
    assert store.all(Record) == []
    assert taken(store, "3") == []


def test_what_comes_during_a_passage_is_new_for_the_next(store):
    store.append([gap("a")])
    with store.passage("collect", COLLECT, "1") as passage:
        store.append([gap("b")])
        passage.tray.append(gap("c"))
        assert [g.topic for g in passage.given.new(Gap)] == ["a"]
        assert [g.topic for g in passage.given.all(Gap)] == ["a"]
        assert passage.given.get(Gap, [gap("a").id, gap("b").id]).keys() == {gap("a").id}
    assert taken(store, "2") == ["b", "c"]


def test_nothing_is_missed_or_taken_twice_while_others_write(store):
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(store.append, [gap(str(n))]) for n in range(200)]
        got = [topic for turn in range(30) for topic in taken(store, str(turn))]
    assert all(w.result() is None for w in writing)
    assert sorted([*got, *taken(store, "last")], key=int) == [str(n) for n in range(200)]


def test_a_room_may_look_only_at_what_its_arrow_names(store):
    with store.passage("collect", COLLECT, "1") as passage:
        for look in (passage.given.new, passage.given.all, lambda kind: passage.given.get(kind, ["a"])):
            assert not look(Gap)
            assert not look(Record)
            assert not look(Exchange)
            with pytest.raises(
                PermissionError,
                match="collect may look at Exchange, Gap, Record; its arrow does not name Row",
            ):
                look(Row)
        with pytest.raises(PermissionError, match="does not name Signal"):
            passage.given.heard(["e"])
        with pytest.raises(PermissionError, match="does not name Row"):
            passage.given.rows(dataset("train", []))


def test_a_room_hears_what_was_said_before_it_began(store):
    early, other, late = signal("e"), signal("f"), signal("e", "late")
    store.append([early, other])
    with store.passage("study", STUDY, "1") as passage:
        store.append([late])
        assert passage.given.heard(["e", "nobody"]) == {"e": [early]}
    assert store.heard(["e", "f"]) == {"e": [early, late], "f": [other]}


def test_long_names_find_what_goes_by_them(store, said):
    long = "an episode that a client has named at length " * 100
    exchange, heard = said("hello", episode=long), signal(long)
    store.append([exchange, heard])
    assert store.heard([long, long[:-1]]) == {long: [heard]}
    with store.passage("study", Arrow(takes=Signal, gives=Gap, given=(Exchange,)), "1") as passage:
        assert passage.given.named(Exchange, [long, "e"]) == {long: [exchange]}


def test_thousands_of_exchanges_are_heard_at_once_each_signal_once(store):
    names = [str(n) for n in range(1_000)]
    store.append([signal(n) for n in names])
    heard = store.heard([*names, *names])
    assert list(heard) == names
    assert all(len(signals) == 1 for signals in heard.values())


@pytest.fixture
def rows(store):
    """Two rows to learn from, one that is held out."""
    made = [Row(text="a", source="s"), Row(text="b", source="s"), Row(text="c", source="s", role="holdout")]
    store.append(made)
    return made


def test_rows_of_a_dataset_come_in_its_order(store, rows):
    with store.passage("customize", CUSTOMIZE, "1") as passage:
        assert passage.given.rows(dataset("train", [rows[1], rows[0]])) == [rows[1], rows[0]]


def test_evaluate_may_read_what_is_held_out(store, rows):
    with store.passage("evaluate", EVALUATE, "1") as passage:
        assert passage.given.rows(dataset("holdout", rows[2:])) == rows[2:]


def test_customize_may_not_read_a_holdout(store, rows):
    with store.passage("customize", CUSTOMIZE, "1") as passage:
        with pytest.raises(HoldoutRefused, match="is a holdout: customize may never read it"):
            passage.given.rows(dataset("holdout", rows[2:]))
        with pytest.raises(HoldoutRefused):
            passage.given.rows(dataset("holdout", rows[:1]))


def test_customize_may_not_read_a_held_out_row_smuggled_into_a_training_set(store, rows):
    with (
        store.passage("customize", CUSTOMIZE, "1") as passage,
        pytest.raises(HoldoutRefused, match=f"1 of these rows are held out, the first is {rows[2].id}"),
    ):
        passage.given.rows(dataset("train", rows))


def test_customize_may_not_go_round_the_datasets_to_held_out_rows(store, rows):
    with store.passage("customize", CUSTOMIZE, "1") as passage:
        assert passage.given.get(Row, [rows[0].id]) == {rows[0].id: rows[0]}
        for look in (
            passage.given.new,
            passage.given.all,
            lambda kind: passage.given.get(kind, [rows[2].id]),
        ):
            with pytest.raises(HoldoutRefused):
                look(Row)


def test_a_dataset_that_has_lost_rows_is_told(store, rows):
    gone = Row(text="never kept", source="s")
    with (
        store.passage("customize", CUSTOMIZE, "1") as passage,
        pytest.raises(StoreError, match=f"lacks 1 of its rows, among them {gone.id}"),
    ):
        passage.given.rows(dataset("train", [rows[0], gone]))


@pytest.mark.fault
def test_a_passage_that_is_killed_is_kept_whole_or_not_at_all(store, kept, process):
    for kill in range(3):
        room = process(PASS_AND_TELL, store.path, kill, *kept.arguments)
        assert room.stdout.readline() == "ready\n"
        sql = "SELECT 1 FROM cursors WHERE passage LIKE ?"
        while not store.journal.rows(sql, (f"{kill}-%9",)):  # until it is in the midst of passages
            assert room.poll() is None
        room.kill()
        room.wait()
    with store.passage("collect", COLLECT, "last") as passage:
        new = [g.topic for g in passage.took]
        records = [r.text for r in store.all(Record)]
        assert passage.state["taken"] == len(records)
    assert len(new) <= 1  # a gap that was kept when its passage was not
    assert [g.topic for g in store.all(Gap)] == [*records, *new]
