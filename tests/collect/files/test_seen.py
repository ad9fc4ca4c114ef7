"""What is read again and what is not; the state stays small."""

import json
import random
from contextlib import closing

import msgspec
import pytest

from openflywheel.collect._files.entry import Entry
from openflywheel.collect._files.seen import BUCKETS, Seen, bucket_of, mark


def listing(n, time=100, start=0):
    return [Entry(f"f{i:06}.csv", 10, time + i) for i in range(start, start + n)]


def read(state, entries, most=10**9):
    """Names that are read in one go, at most so many."""
    got = []
    with closing(Seen(state, "s").fresh(entries)) as fresh:
        for entry, _ in fresh:
            if len(got) == most:
                break
            got.append(entry.name)
    return got


def test_what_was_read_is_not_read_again():
    state, entries = {}, listing(3000)
    assert read(state, entries) == [e.name for e in entries]
    assert read(state, random.Random(1).sample(entries, 3000)) == []


def test_new_ones_alone_are_read():
    state = {}
    read(state, listing(3000))
    later = listing(20, time=10_000, start=5000)
    assert read(state, listing(3000) + later) == [e.name for e in later]
    assert read(state, listing(3000) + later) == []


def test_changed_ones_are_read_again_with_those_in_their_bucket():
    state, entries = {}, listing(3000)
    read(state, entries)
    changed = [msgspec.structs.replace(entries[7], size=11, time=99_999), *entries[:7], *entries[8:]]
    got = read(state, changed)
    assert entries[7].name in got
    assert {bucket_of(e) for e in entries if e.name in got} == {bucket_of(entries[7])}
    assert read(state, changed) == []


@pytest.mark.parametrize("time", [0, 3099])  # older than everything; in the same moment as the newest
def test_what_comes_late_is_found(time):
    state, entries = {}, listing(3000)
    read(state, entries)
    late = Entry("a-smaller-key.csv", 5, time)
    assert late.name in read(state, [*entries, late])
    assert read(state, [*entries, late]) == []


def test_what_is_deleted_costs_its_bucket_once():
    state, entries = {}, listing(3000)
    read(state, entries)
    assert len(read(state, entries[1:])) < 20
    assert read(state, entries[1:]) == []


def test_a_pass_goes_on_where_it_stopped():
    state, entries = {}, listing(500)
    got = []
    for _ in range(6):
        got += read(state, entries, 100)
        state = json.loads(json.dumps(state))
    assert got == [e.name for e in entries]


def test_what_changes_behind_a_pass_under_way_is_found_by_the_next():
    state, entries = {}, listing(500)
    read(state, entries, 100)
    entries[5] = msgspec.structs.replace(entries[5], size=99)
    early = Entry("a.csv", 1, 1)
    rest = read(state, [early, *entries])
    assert entries[5].name not in rest
    assert {entries[5].name, early.name} <= set(read(state, [early, *entries]))
    assert read(state, [early, *entries]) == []


def test_a_file_goes_on_where_it_stopped_unless_it_changed():
    state, (entry,) = {}, listing(1)
    seen = Seen(state, "s")
    fresh = seen.fresh([entry])
    next(fresh)
    seen.given(entry, 42)
    fresh.close()
    assert list(Seen(dict(state), "s").fresh([entry])) == [(entry, 42)]
    other = msgspec.structs.replace(entry, time=1)
    assert list(Seen(dict(state), "s").fresh([other])) == [(other, 0)]


def test_the_next_file_begins_at_its_beginning():
    state, entries = {}, listing(2)
    seen = Seen(state, "s")
    fresh = seen.fresh(entries)
    next(fresh)
    seen.given(entries[0], 42)
    assert next(fresh) == (entries[1], 0)
    fresh.close()
    assert list(Seen(state, "s").fresh(entries)) == [(entries[1], 0)]


def test_other_settings_read_everything_again():
    state, entries = {}, listing(3)
    read(state, entries)
    assert [e.name for e, _ in Seen(state, "other").fresh(entries)] == [e.name for e in entries]
    assert list(Seen(state, "other").fresh(entries)) == []


def test_the_state_stays_small():
    state = {}
    read(state, listing(100_000), 60_000)
    assert len(msgspec.json.encode(state)) < 13_000
    read(state, listing(100_000))
    assert len(msgspec.json.encode(state)) < 6_500
    few = {}
    read(few, listing(1))
    assert len(msgspec.json.encode(few)) < 200


def test_an_empty_listing_is_a_whole_pass():
    state = {}
    assert read(state, []) == []
    assert read(state, listing(2)) == ["f000000.csv", "f000001.csv"]
    assert read(state, []) == []
    assert len(read(state, listing(2))) == 2


def test_marks_tell_names_sizes_and_times_apart():
    entries = [Entry("a", 1, 1), Entry("b", 1, 1), Entry("a", 2, 1), Entry("a", 1, 2)]
    assert len({mark(e) for e in entries}) == 4
    assert bucket_of(entries[0]) == bucket_of(entries[3]) < BUCKETS
