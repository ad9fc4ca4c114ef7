import pytest


@pytest.fixture
def kept(both):
    """Everything here holds for SQLite and for PostgreSQL."""
    return both


def bodies(store, source, seq=0):
    return [(p.mime, p.body) for p in store.inbox.after(source, seq)]


def test_bodies_are_read_in_the_order_in_which_they_came(store):
    store.inbox.put("shop", "1", "application/json", b"one")
    store.inbox.put("desk", "1", "text/csv", b"other")
    store.inbox.put("shop", "2", "", b"\x00\xff")
    assert bodies(store, "shop") == [("application/json", b"one"), ("", b"\x00\xff")]
    assert bodies(store, "desk") == [("text/csv", b"other")]
    assert bodies(store, "nobody") == []


def test_what_comes_twice_under_one_name_is_kept_once(store):
    for body in (b"first", b"again"):
        store.inbox.put("shop", "1", "", body)
    assert bodies(store, "shop") == [("", b"first")]


def test_reading_goes_on_after_a_number(store):
    for n in range(3):
        store.inbox.put("shop", str(n), "", b"%d" % n)
    first = next(store.inbox.after("shop", 0))
    assert bodies(store, "shop", first.seq) == [("", b"1"), ("", b"2")]
    assert store.inbox.waiting("shop", first.seq) == 2


def test_what_was_collected_is_emptied_and_its_name_stays(store):
    for n in range(2):
        store.inbox.put("shop", str(n), "", b"%d" % n)
    first = next(store.inbox.after("shop", 0))
    store.inbox.forget("shop", first.seq)
    assert bodies(store, "shop") == [("", b"1")]
    store.inbox.put("shop", "0", "", b"sent again")
    assert store.inbox.waiting("shop", first.seq) == 1
