"""vLLM's adapters where clients err: what is refused changes nothing, who unloads tears off no neighbour."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from openflywheel.serve._fake.adapters import ALLOWED, adapters
from openflywheel.serve._fake.server import running

LOAD, UNLOAD = "/v1/load_lora_adapter", "/v1/unload_lora_adapter"


@pytest.fixture
def vllm(monkeypatch):
    monkeypatch.setenv(ALLOWED, "1")
    with running({"prices": {"tiny": {}, "other": {}}}) as fake:
        yield fake


@pytest.fixture
def http(vllm):
    with httpx2.Client(base_url=vllm.root, timeout=30) as client:
        yield client


@pytest.fixture
def places(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "adapter_config.json").write_text("{}")
    return tmp_path


def load(http, name, path, **more):
    return http.post(LOAD, json={"lora_name": name, "lora_path": str(path), **more}).status_code


def ask(http, model):
    said = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    return http.post("/v1/chat/completions", json=said).status_code


def loaded(http):
    cards = http.get("/v1/models").json()["data"]
    return {card["id"]: card["root"] for card in cards if card["parent"]}


@pytest.mark.parametrize(
    ("said", "there"),
    [("True", True), ("true ", True), ("1", True), ("0", False), ("", False), ("yes", False)],
)
def test_the_variable_is_read_as_vllm_reads_it(monkeypatch, said, there):
    monkeypatch.setenv(ALLOWED, said)
    assert (adapters() is not None) is there


def test_a_refused_load_leaves_what_was_there(http, places):
    assert load(http, "a", places / "one") == 200
    assert load(http, "a", places / "two") == 400
    assert load(http, "a", places / "nowhere", load_inplace=True) == 404
    assert load(http, "b", places / "nowhere") == 404
    assert loaded(http) == {"a": str(places / "one")}
    assert (ask(http, "a"), ask(http, "b")) == (200, 404)
    assert load(http, "a", places / "two", load_inplace=True) == 200
    assert loaded(http) == {"a": str(places / "two")}


def test_a_name_is_free_again_once_it_is_unloaded(http, places):
    for place in ("one", "two"):
        assert load(http, "a", places / place) == 200
        assert ask(http, "a") == 200
        assert http.post(UNLOAD, json={"lora_name": "a"}).status_code == 200
        assert http.post(UNLOAD, json={"lora_name": "a"}).status_code == 404
    assert loaded(http) == {}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"lora_name": 1}', b'{"lora_name": "a", "lora_path": null}'])
@pytest.mark.parametrize("path", [LOAD, UNLOAD])
def test_what_is_no_request_is_the_clients_error(http, path, body):
    answer = http.post(path, content=body)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["message"]
    assert loaded(http) == {}


def test_every_base_is_listed_and_asked(http, places):
    load(http, "a", places / "one")
    cards = http.get("/v1/models").json()["data"]
    assert [(card["id"], card["parent"]) for card in cards] == [
        ("tiny", None),
        ("other", None),
        ("a", "tiny"),
    ]
    assert [ask(http, card["id"]) for card in cards] == [200, 200, 200]


def test_unloading_leaves_the_requests_of_others_alone(vllm, http, places):
    load(http, "a", places / "one")
    load(http, "b", places / "two")
    vllm.script({"prices": {"tiny": {}}, "rules": [{"path": "chat/completions", "latency": 0.5}]})
    before = len(vllm.requests())
    with ThreadPoolExecutor() as pool:
        asked = {model: pool.submit(ask, http, model) for model in ("a", "b", "tiny")}
        while len(vllm.requests()) < before + 3:
            time.sleep(0.01)
        assert http.post(UNLOAD, json={"lora_name": "a"}).status_code == 200
        assert {model: answer.result(20) for model, answer in asked.items()} == {
            "a": 500,
            "b": 200,
            "tiny": 200,
        }
