"""API keys and spending in the journal's file."""

import re
import sqlite3
import time
from hashlib import sha256

import pytest

from openflywheel.base.errors import SettingsError, StoreError
from openflywheel.base.keys import Key, UnknownKey
from openflywheel.store import Store
from openflywheel.store.keys import SECRET, Keys

NOVEMBER = 1_795_266_000.0  # 2026-11-21 13:00 UTC
DAY = 86_400
FULL = {
    "rate": "100/m",
    "subject_rate": "5/s burst 2",
    "budget": "5/d",
    "subject_budget": "0.5/m",
    "tenant": "acme",
}


@pytest.fixture
def keys(store):
    return Keys(store.journal)


def test_a_key_is_kept_as_it_was_made(keys):
    ends = time.time() + DAY
    full, _ = keys.create("app", ["signal", "infer"], expires=ends, **FULL)
    plain, _ = keys.create("ops", ["operate", "admin"])
    assert keys.all() == [full, plain]
    assert (full.name, full.scopes, full.expires, full.rate) == ("app", ("infer", "signal"), ends, "100/m")
    assert (plain.expires, plain.revoked, plain.rate, plain.tenant) == (None, None, "", "")


def test_the_secret_says_its_id_and_holds_256_bits(keys):
    key, secret = keys.create("app", ["infer"])
    assert re.fullmatch(rf"fw-{key.id}-[0-9A-Za-z]{{{SECRET}}}", secret)
    assert 62**SECRET > 2**256
    assert key.hash == sha256(secret.encode()).hexdigest()


def test_two_keys_never_look_alike(keys):
    made = [keys.create("app", ["infer"]) for _ in range(20)]
    assert len({key.id for key, _ in made}) == len({secret for _, secret in made}) == 20


def test_the_secret_is_nowhere_on_disk(store, keys):
    key, secret = keys.create("app", ["infer"])
    random = secret.rpartition("-")[2].encode()
    found = b"".join(p.read_bytes() for p in store.path.rglob("*") if p.is_file())
    assert random not in found
    assert key.hash.encode() in found


@pytest.mark.parametrize(
    ("name", "scopes", "limits", "said"),
    [
        ("app", [], {}, "needs a scope"),
        ("app", ["infer", "admin"], {}, "create two keys"),
        ("app", ["inferr"], {}, "did you mean 'infer'"),
        (" ", ["infer"], {}, "needs a name"),
        ("app", ["infer"], {"rate": "many"}, "'many' is not a rate"),
        ("app", ["infer"], {"subject_rate": "0/s"}, "'0/s' is not a rate"),
        ("app", ["infer"], {"budget": "5"}, "'5' is not a budget"),
        ("app", ["infer"], {"subject_budget": "-1/d"}, "'-1/d' is not a budget"),
        ("app", ["infer"], {"expires": 1.0}, "would have expired already"),
    ],
)
def test_a_key_that_could_not_work_is_refused_and_not_kept(keys, name, scopes, limits, said):
    with pytest.raises(SettingsError, match=said):
        keys.create(name, scopes, **limits)
    assert keys.all() == []


def test_a_revoked_key_stays_to_be_seen(keys):
    first, _ = keys.create("app", ["infer"])
    second, _ = keys.create("app", ["infer"])
    revoked = keys.revoke(first.id)
    assert revoked.revoked >= first.created
    assert not revoked.valid(time.time())
    assert keys.all() == [revoked, second]


def test_revoking_twice_keeps_the_first_moment(keys):
    key, _ = keys.create("app", ["infer"])
    assert keys.revoke(key.id) == keys.revoke(key.id)


def test_revoking_what_is_not_there_names_the_nearest(keys):
    with pytest.raises(UnknownKey, match="no API key 'abc'; choices: none"):
        keys.revoke("abc")
    key, _ = keys.create("app", ["infer"])
    with pytest.raises(UnknownKey, match=f"did you mean '{key.id}'?"):
        keys.revoke(key.id[:-1])


def test_keys_survive_closing_and_another_process_sees_a_revocation(store, keys):
    key, _ = keys.create("app", ["infer"])
    other = Store(store.path)
    assert Keys(other.journal).all() == [key]
    keys.revoke(key.id)
    assert Keys(other.journal).all()[0].revoked
    other.close()


# Spending


def test_spending_adds_up_by_day_and_month(store, keys):
    for days, amount in [(0, 1.0), (0, 0.5), (1, 2.0), (10, 4.0)]:
        store.append([], [keys.spending("a", amount, NOVEMBER + days * DAY)])
    assert keys.spent(["a"], NOVEMBER) == {("a", "2026-11-21"): 1.5, ("a", "2026-11"): 3.5}
    assert keys.spent(["a"], NOVEMBER + DAY) == {("a", "2026-11-22"): 2.0, ("a", "2026-11"): 3.5}
    assert keys.spent(["a"], NOVEMBER + 10 * DAY) == {("a", "2026-12-01"): 4.0, ("a", "2026-12"): 4.0}


def test_names_are_counted_apart_and_who_spent_nothing_has_no_entry(store, keys):
    store.append([], [keys.spending("a", 1.0, NOVEMBER), keys.spending("a/ann", 0.25, NOVEMBER)])
    assert keys.spent(["a/ann", "a/bob"], NOVEMBER) == {
        ("a/ann", "2026-11-21"): 0.25,
        ("a/ann", "2026-11"): 0.25,
    }
    assert keys.spent([], NOVEMBER) == {}


def test_more_names_than_a_statement_can_bind(store, keys):
    names = [f"n{i}" for i in range(2000)]
    store.append([], [keys.spending(name, 1.0, NOVEMBER) for name in names])
    assert len(keys.spent(names, NOVEMBER)) == 4000


def test_spending_stands_or_falls_with_what_it_paid_for(store, keys, said):
    exchange = said("hello")
    with pytest.raises(StoreError):
        store.append([exchange], [keys.spending("a", 1.0, NOVEMBER), ("INSERT INTO nowhere VALUES (1)", ())])
    assert keys.spent(["a"], NOVEMBER) == {}
    store.append([exchange], [keys.spending("a", 1.0, NOVEMBER)])
    assert keys.spent(["a"], NOVEMBER)["a", "2026-11"] == 1.0


def test_names_cannot_steer_the_statement(store, keys):
    name = "a'); DROP TABLE spent; --"
    store.append([], [keys.spending(name, 1.0, NOVEMBER)])
    assert keys.spent([name], NOVEMBER)[name, "2026-11"] == 1.0


def test_trimming_forgets_earlier_months_only(store, keys):
    moments = [NOVEMBER - 40 * DAY, NOVEMBER - DAY, NOVEMBER]
    for moment in moments:
        store.append([], [keys.spending("a", 1.0, moment)])
    store.append([], [keys.trim(NOVEMBER)])
    assert keys.spent(["a"], moments[0]) == {}
    assert keys.spent(["a"], moments[1]) == {("a", "2026-11-20"): 1.0, ("a", "2026-11"): 2.0}


def test_many_writers_lose_no_cent(store, process):
    code = """
import sys
from openflywheel.store import Store
from openflywheel.store.keys import Keys
store = Store(sys.argv[1])
keys = Keys(store.journal)
for _ in range(50):
    store.append([], [keys.spending("a", 0.25, float(sys.argv[2]))])
store.close()
"""
    writers = [process(code, store.path, NOVEMBER) for _ in range(3)]
    assert [w.wait() for w in writers] == [0, 0, 0]
    assert Keys(store.journal).spent(["a"], NOVEMBER)["a", "2026-11"] == 3 * 50 * 0.25


def test_a_key_written_by_hand_with_a_wrong_scope_is_not_believed(store, keys):
    keys.create("app", ["infer"])
    with sqlite3.connect(store.path / "live.db") as file:
        file.execute("UPDATE api_keys SET scopes = 'root'")
    file.close()
    with pytest.raises(StoreError, match="root"):
        keys.all()


def test_the_columns_are_the_fields_of_a_key(store, keys):
    columns = [name for _, name, *_ in store.journal.rows("PRAGMA table_info(api_keys)")]
    assert columns == list(Key.__struct_fields__)
