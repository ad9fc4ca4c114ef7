"""What others push to the gateway is on disk when they are told so, and the next turn collects it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Record
from openflywheel.base.settings import read
from openflywheel.collect._push import sign
from openflywheel.store import Store
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.wheel.gateway.mailroom import Mailroom

SECRET, TOKEN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a-token-of-the-vendor"
ROWS = [{"body": "How do I reset it?", "team": "support", "by": "ann@example.com"}, {"body": ""}]
HOOK = {
    "name": "reviews", "secret": SECRET, "text": "body", "label": "team", "person": "by", "task": "route",
    "basis": "consent",
}  # fmt: skip
COLLECT = {"webhook": HOOK}


def signed(body: bytes, id: str = "msg_1", at: float | None = None) -> dict[str, str]:
    stamp = f"{time.time() if at is None else at:.0f}"
    return {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": sign(id, stamp, body, SECRET)}


def collected(gate: Any) -> tuple[Any, list[Record]]:
    with Flywheel(read(gate.file)) as wheel:
        return wheel.advance("collect"), wheel.store.all(Record)


def test_a_signed_push_becomes_records_in_the_next_turn(gateway: Callable[..., Any]) -> None:
    gate = gateway(collect=COLLECT)
    body = json.dumps(ROWS).encode()
    for _ in range(2):  # senders try again when they have not heard the answer
        reply = gate.http().post("/v1/collect/reviews", content=body, headers=signed(body))
        assert (reply.status_code, reply.json()) == (202, {"id": "msg_1"})
    step, [record] = collected(gate)
    assert (step.gave, step.dropped) == (1, {"no text": 1})
    assert (record.text, record.labels, record.basis) == (ROWS[0]["body"], {"route": "support"}, "consent")
    assert (record.source, record.uri) == ("webhook", "webhook:reviews")
    assert record.subject
    assert "ann" not in str(record)


def test_what_was_collected_is_not_collected_again(gateway: Callable[..., Any]) -> None:
    gate = gateway(collect=COLLECT)
    for n in range(2):
        body = json.dumps({"body": f"question {n}"}).encode()
        gate.http().post("/v1/collect/reviews", content=body, headers=signed(body, f"msg_{n}"))
        step, records = collected(gate)
        assert (step.gave, step.dropped, len(records)) == (1, {}, n + 1)
    assert collected(gate)[0].gave == 0
    with Flywheel(read(gate.file)) as wheel:
        assert list(wheel.store.inbox.after("reviews", 0)) == []


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (dict, "the push is not signed"),
        (lambda: {"webhook-id": "x", "webhook-signature": "v1,x"}, "webhook-timestamp is missing"),
        (lambda: {"authorization": "Bearer sk-client"}, "webhook-timestamp is missing"),
        (lambda: signed(b"other"), "no valid signature"),
        (lambda: signed(b'{"body": "x"}', at=1.0), "older than 300 s"),
    ],
)
def test_what_is_not_signed_is_refused(
    gateway: Callable[..., Any], headers: Callable[[], dict[str, str]], said: str
) -> None:
    gate = gateway(collect=COLLECT)
    reply = gate.http().post("/v1/collect/reviews", content=b'{"body": "x"}', headers=headers())
    assert reply.status_code == 401
    assert said in reply.json()["error"]["message"]
    assert collected(gate)[0].gave == 0


def test_a_token_stands_for_a_signature_where_one_is_set(gateway: Callable[..., Any]) -> None:
    gate = gateway(collect={"webhook": {**HOOK, "secret": "", "token": TOKEN}})
    reply = gate.http().post(
        "/v1/collect/reviews", content=b'{"body": "x"}', headers={"authorization": f"Bearer {TOKEN}"}
    )
    assert reply.status_code == 202
    assert collected(gate)[0].gave == 1


def test_there_is_no_webhook_that_nobody_named(gateway: Callable[..., Any]) -> None:
    gate = gateway(collect=COLLECT)
    reply = gate.http().post("/v1/collect/review", content=b"{}", headers=signed(b"{}"))
    assert reply.status_code == 404
    assert reply.json()["error"]["message"].startswith("there is no webhook 'review'")


def test_an_empty_body_and_one_that_is_too_large_are_refused(gateway: Callable[..., Any]) -> None:
    gate = gateway(collect=COLLECT, serve={"gateway": {"largest_request": 1000}})
    assert gate.http().post("/v1/collect/reviews", content=b"", headers=signed(b"")).status_code == 400
    large = b'{"body": "' + b"x" * 1000 + b'"}'
    assert gate.http().post("/v1/collect/reviews", content=large, headers=signed(large)).status_code == 413


def test_a_webhook_without_a_secret_is_no_webhook(written: Callable[..., Path]) -> None:
    settings = read(written(collect={"webhook": {"name": "open", "basis": "consent"}}))
    store = Store.of(settings)
    with pytest.raises(SettingsError, match="needs `secret` or `token`"):
        Mailroom(settings, store)
    twice = read(written(collect=[{"webhook": HOOK}, {"webhook": {**HOOK, "text": "other"}}]))
    with pytest.raises(SettingsError, match="two have the same name"):
        Mailroom(twice, store)
    store.close()
