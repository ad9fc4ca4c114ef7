import msgspec
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Drop, Gap
from openflywheel.collect.webhook import check, discover, webhook
from openflywheel.store import Store

COLD, TOKEN = Gap(topic="route", why="cold start", task="route"), "sixteen-letters-or-more"


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


def pushed(store, state, **settings):
    settings = {"name": "shop", "token": TOKEN, **settings}
    return list(webhook(COLD, inbox=store.inbox, state=state, subject=store.key_of, **settings))


def push(store, rows, name="1"):
    store.inbox.put("shop", name, "application/json", msgspec.json.encode(rows))


def test_rows_become_records_and_what_is_broken_says_why(store):
    push(
        store, [{"text": "one", "label": "a", "sku": "7"}, {"text": ""}, {"error": "x", "error_code": "dead"}]
    )
    one, empty, error = pushed(store, {})
    assert (one.text, one.labels, one.meta) == ("one", {"route": "a"}, {"sku": "7"})
    assert empty == Drop("no text")
    assert error == Drop("provider error: dead")


def test_what_was_taken_is_left_alone_and_what_was_not_kept_comes_again(store):
    push(store, [{"text": "one"}])
    state = {}
    assert len(pushed(store, {})) == 1  # that passage was lost: its state was never kept
    assert len(pushed(store, state)) == 1
    assert state == {"taken": 1}
    push(store, [{"text": "two"}], "2")
    assert [r.text for r in pushed(store, state)] == ["two"]
    assert [p.seq for p in store.inbox.after("shop", 0)] == [2]


def test_columns_have_the_names_that_the_settings_say(store):
    push(store, [{"q": {"title": "How?"}, "link": "https://x.org/1", "by": {"mail": "ann@x.org"}}])
    [one] = pushed(store, {}, text="q.title", uri="link", person="by.mail")
    assert (one.text, one.uri, one.subject) == ("How?", "https://x.org/1", store.key_of("ann@x.org"))
    assert "ann" not in str(one)


def test_only_its_own_bodies_are_read(store):
    store.inbox.put("other", "1", "", b'{"text": "not mine"}')
    assert pushed(store, {}) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"name": "No Name"}, "name = 'No Name': use a to z"),
        ({"name": ""}, "name = ''"),
        ({"token": ""}, "needs `secret` or `token`"),
        ({"token": "short"}, "at least 16 characters"),
        ({"secret": "whsec_not base64 at all"}, "what follows whsec_ is no base64"),
    ],
)
def test_a_webhook_is_named_and_has_a_secret(store, settings, said):
    with pytest.raises(SettingsError, match=said.replace("(", r"\(")):
        check(**{"name": "shop", "token": TOKEN, **settings})
    with pytest.raises(SettingsError):
        pushed(store, {}, **settings)


def test_what_waits_is_told_before_it_is_read(store):
    push(store, [{"text": "one"}])
    push(store, [{"text": "two"}], "2")
    [stream] = discover(COLD, name="shop", inbox=store.inbox, state={"taken": 1})
    assert (stream.name, stream.items) == ("/v1/collect/shop", 1)
