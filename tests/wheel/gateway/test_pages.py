"""The gateway's pages through a real server: health, models, signals, exchanges, administration."""

import base64
import time
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import pytest

from openflywheel.base.nouns import Signal

Start = Callable[..., Any]
Until = Callable[..., Any]


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def ask(http: httpx2.Client, model: str = "flywheel/answer", **fields: Any) -> str:
    """Ask for an answer; the exchange's id."""
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], **fields}
    answered = http.post("/v1/chat/completions", json=body)
    assert answered.status_code == 200, answered.text
    return str(answered.headers["x-flywheel-exchange"])


@pytest.fixture
def http(gate: Any) -> httpx2.Client:
    client: httpx2.Client = gate.http()
    return client


def test_a_gateway_is_alive_and_ready(http: httpx2.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ok"}


def test_without_disk_it_is_alive_but_not_ready_and_hears_nothing(gateway: Start) -> None:
    http = gateway(serve={"gateway": {"spare_disk": 10**18}}).http()
    assert http.get("/healthz").status_code == 200
    refused = http.get("/readyz")
    assert refused.status_code == 503
    assert "bytes of disk are left" in refused.json()["reason"]
    assert http.post("/v1/signals", json={"exchange": "x", "rating": 1}).status_code == 503


def test_models_are_ours_and_the_providers(gate: Any) -> None:
    names = [model.id for model in gate.openai().models.list()]
    assert names[:3] == ["flywheel/route", "flywheel/answer", "flywheel/answer/small"]
    assert {"flywheel/encoder", "up/fake-small"} <= set(names)
    assert len(names) == len(set(names))
    assert gate.openai().models.retrieve("up/fake-small").owned_by == "up"


def test_the_providers_list_is_fetched_once_a_minute(gate: Any, fake: Any) -> None:
    for _ in range(3):
        gate.http().get("/v1/models")
    assert [r.path for r in fake.requests()].count("/v1/models") == 1


def test_models_in_anthropics_shape(gate: Any) -> None:
    client = gate.anthropic()
    listed = client.models.list()
    assert "flywheel/answer" in [model.id for model in listed]
    assert client.models.retrieve("flywheel/answer").display_name == "flywheel/answer"
    with pytest.raises(anthropic.NotFoundError, match="did you mean 'flywheel/answer'"):
        client.models.retrieve("flywheel/anser")


def test_a_provider_that_is_down_is_left_out(gateway: Start) -> None:
    http = gateway(serve={"providers": {"up": {"url": "http://127.0.0.1:1/v1"}}}).http()
    names = [model["id"] for model in http.get("/v1/models").json()["data"]]
    assert "flywheel/answer" in names
    assert "up/fake-small" not in names


def test_a_signal_is_kept_and_counts_once(gate: Any, http: httpx2.Client) -> None:
    exchange = ask(http)
    said = {"exchange": exchange, "rating": True, "comment": "thanks", "id": "mine"}
    first, again = (http.post("/v1/signals", json=said).json() for _ in range(2))
    assert first == again
    assert [s["kind"] for s in first["signals"]] == ["rating", "comment"]
    kept = gate.kept(Signal)
    assert [s.id for s in kept] == first["ids"]
    assert {s.exchange for s in kept} == {exchange}


def test_the_idempotency_key_is_the_signals_id(gate: Any, http: httpx2.Client) -> None:
    said, header = {"exchange": ask(http), "rating": 0.5}, {"idempotency-key": "once"}
    first = http.post("/v1/signals", json=said, headers=header).json()["ids"]
    time.sleep(0.01)
    assert http.post("/v1/signals", json=said, headers=header).json()["ids"] == first
    other = http.post("/v1/signals", json={**said, "rating": -0.5}, headers=header)
    assert other.status_code == 400
    assert "used before" in other.json()["error"]["message"]
    assert len(gate.kept(Signal)) == 1


def test_one_idempotency_key_names_all_signals_of_a_body(gate: Any, http: httpx2.Client) -> None:
    said = [{"exchange": ask(http), "rating": 1}, {"exchange": ask(http), "rating": -1}]
    ids = [
        http.post("/v1/signals", json={"signals": said}, headers={"idempotency-key": "both"}).json()["ids"]
        for _ in range(2)
    ]
    assert ids[0] == ids[1]
    assert len(gate.kept(Signal)) == 2


def test_of_several_signals_all_are_kept_or_none(gate: Any, http: httpx2.Client) -> None:
    good = {"exchange": ask(http), "rating": 1}
    refused = http.post("/v1/signals", json={"signals": [good, {"exchange": "nobody", "rating": 1}]})
    assert refused.status_code == 404
    assert "signals[1]" in refused.json()["error"]["message"]
    assert gate.kept(Signal) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"exchange": "x", "rating": "good"}', "$.rating"),
        ('{"signals": [{"ratin": 1}]}', "`ratin` - at `$.signals[0]`"),
        ('{"signals": [], "more": 1}', "more"),
        ("[]", "Expected `object`"),
        ("", "truncated"),
        ("{", "truncated"),
        ('{"rating": 1}', "needs an exchange"),
        ('{"exchange": "\\ud800", "rating": 1}', ""),
    ],
)
def test_a_wrong_signal_names_what_is_wrong(http: httpx2.Client, body: str, said: str) -> None:
    refused = http.post("/v1/signals", content=body)
    assert refused.status_code == 400
    assert said in refused.json()["error"]["message"]


def test_bytes_that_are_no_text_are_refused(http: httpx2.Client) -> None:
    assert http.post("/v1/signals", content=b'{"exchange": "\xff\xfe"}').status_code == 400


def test_a_signal_about_nothing_known_is_not_found(http: httpx2.Client) -> None:
    refused = http.post("/v1/signals", json={"exchange": "nobody", "rating": 1})
    assert refused.json()["error"]["code"] == "exchange_not_found"
    assert refused.status_code == 404


def test_a_body_above_the_limit_is_refused(gateway: Start) -> None:
    http = gateway(serve={"gateway": {"largest_request": 1000}}).http()
    assert http.post("/v1/signals", json={"exchange": "x", "comment": "a" * 2000}).status_code == 413


def test_only_who_operates_speaks_as_an_expert(gateway: Start, gate: Any) -> None:
    client, both = gate.key("infer", "signal"), gate.key("signal", "operate")
    http = gate.http()
    time.sleep(1.5)  # a running gateway knows its keys after a second
    body = {"model": "flywheel/answer", "messages": []}
    asked = http.post("/v1/chat/completions", json=body, headers=bearer(client))
    said = {"exchange": asked.headers["x-flywheel-exchange"], "source": "expert", "rating": 1}
    refused = http.post("/v1/signals", json=said, headers=bearer(client))
    assert refused.status_code == 403
    assert "operate" in refused.json()["error"]["message"]
    assert http.post("/v1/signals", json=said, headers=bearer(both)).status_code == 200
    [signal] = gate.kept(Signal)
    assert (signal.source, bool(signal.key)) == ("expert", True)


def test_an_exchange_is_shown_with_its_call_and_signals(http: httpx2.Client) -> None:
    exchange = ask(http)
    http.post("/v1/signals", json={"exchange": exchange, "rating": 1})
    shown = http.get(f"/v1/exchanges/{exchange}").json()
    assert shown["exchange"]["output"] == "Echo: hello"
    assert [s["kind"] for s in shown["signals"]] == ["rating"]
    assert (shown["call"]["request"], shown["call"]["response"]) == ("", "")
    whole = http.get(f"/v1/exchanges/{exchange}", params={"bytes": "1"}).json()
    assert b'"hello"' in base64.b64decode(whole["call"]["request"])
    by_reply = http.get(f"/v1/exchanges/{shown['call']['reply']}").json()
    assert by_reply == shown


@pytest.mark.parametrize("name", ["nobody", "%00", "a%00b", "%ff", "a" * 5000])
def test_an_unknown_exchange_is_not_found(http: httpx2.Client, name: str) -> None:
    assert http.get(f"/v1/exchanges/{name}").status_code == 404


SCOPES = {
    ("GET", "/v1/models"): "infer",
    ("POST", "/v1/signals"): "signal",
    ("GET", "/v1/exchanges/x"): "operate",
    ("GET", "/admin/providers"): "operate",
    ("GET", "/admin/status"): "operate",
    ("GET", "/admin/keys"): "admin",
    ("POST", "/admin/keys"): "admin",
    ("DELETE", "/admin/keys/x"): "admin",
}


def test_each_page_takes_its_own_scope_and_no_other(gate: Any) -> None:
    secrets = {scope: gate.key(scope) for scope in ("infer", "signal", "operate", "admin")}
    http = gate.http()
    time.sleep(1.5)
    for (method, path), wanted in SCOPES.items():
        assert http.request(method, path).status_code == 401, path
        assert http.request(method, path, headers=bearer("fw-wrong")).status_code == 401, path
        for scope, secret in secrets.items():
            refused = http.request(method, path, headers=bearer(secret)).status_code == 403
            assert refused == (scope != wanted), (path, scope)


def test_nobody_administers_keys_without_a_key(http: httpx2.Client) -> None:
    assert http.get("/admin/status").status_code == 200  # the ring is open
    for method in ("GET", "POST"):
        assert http.request(method, "/admin/keys", json={"name": "x", "scopes": ["admin"]}).status_code == 401
    assert http.delete("/admin/keys/x").status_code == 401


def test_keys_are_made_shown_and_revoked(gate: Any, until: Until) -> None:
    admin, http = bearer(gate.key("admin")), gate.http()
    until(lambda: http.get("/admin/keys", headers=admin).status_code == 200)
    made = http.post("/admin/keys", json={"name": "app", "scopes": ["infer"]}, headers=admin)
    assert made.status_code == 201
    new = made.json()
    assert new["secret"].startswith(f"fw-{new['id']}-")
    until(lambda: http.get("/v1/models", headers=bearer(new["secret"])).status_code == 200)
    listed = http.get("/admin/keys", headers=admin)
    assert new["secret"] not in listed.text
    assert "hash" not in listed.text
    assert [key["name"] for key in listed.json()] == ["test", "app"]
    revoked = http.delete(f"/admin/keys/{new['id']}", headers=admin).json()
    assert revoked["state"] == "revoked"
    until(lambda: http.get("/v1/models", headers=bearer(new["secret"])).status_code == 401)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "x", "scopes": ["infre"]}, "did you mean 'infer'"),
        ({"name": " ", "scopes": ["infer"]}, "needs a name"),
        ({"name": "x", "scopes": ["infer"], "expires": 1}, "expired"),
        ({"name": "x", "scopes": ["infer"], "rate": "much"}, "'much' is not a rate"),
        ({"name": "x", "scopes": ["infer"], "hash": "abc"}, "hash"),
        ({"name": "x"}, "scopes"),
    ],
)
def test_a_wrong_key_is_refused(gate: Any, until: Until, body: dict[str, Any], said: str) -> None:
    admin, http = bearer(gate.key("admin")), gate.http()
    until(lambda: http.get("/admin/keys", headers=admin).status_code == 200)
    refused = http.post("/admin/keys", json=body, headers=admin)
    assert refused.status_code == 400
    assert said in refused.json()["error"]["message"]
    unknown = http.delete("/admin/keys/nobody", headers=admin)
    assert unknown.json()["error"]["code"] == "key_not_found"


def test_providers_are_shown_without_their_secrets(gateway: Start, fake: Any) -> None:
    url = fake.url.replace("http://", "http://user:pass-word@") + "?token=s3cret"
    gate = gateway(serve={"providers": {"more": {"url": url, "key": "sk-upstream"}}})
    fake.script({"rules": [{"model": "bad", "status": 400}]})
    http = gate.http()
    ask(http, "up/good")
    body = {"model": "up/bad", "messages": []}
    assert http.post("/v1/chat/completions", json=body).status_code == 400
    shown = http.get("/admin/providers")
    for secret in ("sk-upstream", "pass-word", "s3cret"):
        assert secret not in shown.text
    up = next(one for one in shown.json() if one["name"] == "up")
    assert (up["circuit"], up["running"], up["attempts"], up["errors"]) == ("closed", 0, 2, 1)
    assert up["last_error"] == "status 400"


def test_the_status_counts_rows(http: httpx2.Client) -> None:
    ask(http)
    status = http.get("/admin/status").json()
    assert (status["name"], status["trouble"], status["tasks"]) == ("desk", "", ["route", "answer"])
    assert (status["rows"]["exchange"], status["rows"]["call"]) == (1, 1)
