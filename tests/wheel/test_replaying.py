import time

import msgspec
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import event_id
from openflywheel.base.nouns import Call
from openflywheel.serve._fake.server import running
from openflywheel.store import Store
from openflywheel.wheel.replaying import Logged, load, logged, replay, save

MESSAGES = [{"role": "user", "content": "Where is my parcel?"}]


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


def body(**more):
    return msgspec.json.encode({"model": "gpt-x", "messages": MESSAGES, **more})


def reply(text):
    return msgspec.json.encode({"id": "c", "choices": [{"index": 0, "message": {"content": text}}]})


def call(at=None, request=None, response=None, **more):
    at = time.time() if at is None else at
    fields = {"surface": "chat", "status": 200, "request": body() if request is None else request} | more
    return Call(id=event_id(at), at=at, response=reply("then") if response is None else response, **fields)


def one(**changes):
    fields = {
        "id": "e",
        "at": 0.0,
        "surface": "chat",
        "request": body(),
        "output": "Echo: Where is my parcel?",
    }
    return Logged(**fields | changes)


def test_the_log_gives_the_newest_answered_requests_oldest_first(store):
    now = time.time()
    store.append([call(now - 3), call(now - 2), call(now - 1, status=500), call(now, request=b"")])
    found = logged(store, since=now - 10, limit=4)
    assert [round(now - r.at) for r in found] == [3, 2]
    assert (found[0].request, found[0].output, found[0].surface) == (body(), "then", "chat")
    assert [round(now - r.at) for r in logged(store, since=now - 2.5, limit=9)] == [2]
    assert logged(store, since=now - 10, limit=2) == []


def test_a_traffic_file_holds_every_byte(tmp_path):
    requests = [one(request=bytes(range(256))), one(id="f", stream=True, output="ä\n")]
    assert save(requests, tmp_path / "calls.jsonl") == 2
    assert load(tmp_path / "calls.jsonl") == requests


def test_a_file_that_is_missing_or_broken_is_named(tmp_path):
    with pytest.raises(SettingsError, match="flywheel replay --save"):
        load(tmp_path / "none.jsonl")
    (tmp_path / "broken.jsonl").write_text(msgspec.json.encode(one()).decode() + "\n{}\n")
    with pytest.raises(SettingsError, match=r"broken\.jsonl:2: "):
        load(tmp_path / "broken.jsonl")


def test_requests_are_sent_as_they_were_and_compared():
    with running() as fake:
        done = replay([one(), one(id="f", output="something else")], to=fake.url, key="sk-replay")
        assert [r.body for r in fake.requests()] == [msgspec.json.decode(body())] * 2
    assert (done.sent, done.failed, done.same, done.statuses) == (2, 0, 0.5, {"200": 2})
    assert done.median_seconds is not None


def test_another_model_can_be_asked():
    with running() as fake:
        replay([one()], to=fake.url, model="other")
        assert [r.body["model"] for r in fake.requests()] == ["other"]


def test_streams_and_messages_are_compared_by_their_text():
    messages = msgspec.json.encode({"model": "c", "max_tokens": 9, "messages": MESSAGES})
    with running() as fake:
        asked = [one(request=body(stream=True), stream=True), one(surface="messages", request=messages)]
        assert replay(asked, to=fake.url).same == 1.0


def test_failures_are_counted_and_told():
    with running({"rules": [{"nth": 1, "status": 400, "message": "not like this"}]}) as fake:
        done = replay([one(), one(id="f")], to=fake.url, concurrency=1)
    assert (done.sent, done.failed, done.statuses) == (2, 1, {"400": 1, "200": 1})
    assert "not like this" in done.errors[0]
    gone = replay([one()], to=fake.url)
    assert (gone.failed, gone.statuses, gone.same) == (1, {"none": 1}, None)


def test_the_pace_of_then_is_kept_at_the_speed_that_is_wished():
    with running() as fake:
        start = time.monotonic()
        replay([one(at=100.0), one(id="f", at=102.0)], to=fake.url, speed=10.0)
        assert time.monotonic() - start >= 0.2
