"""The fake provider as a vLLM that loads adapters at run time."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import openai
import pytest

from openflywheel.serve._fake.server import Running, running

LOAD, UNLOAD = "/v1/load_lora_adapter", "/v1/unload_lora_adapter"


@pytest.fixture
def vllm(monkeypatch) -> Iterator[Running]:
    monkeypatch.setenv("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "True")
    with running({"prices": {"tiny": {}}}) as fake:
        yield fake


@pytest.fixture
def http(vllm: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=vllm.root) as client:
        yield client


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    return folder


def load(http: httpx2.Client, name: str, path: Path | str, **more: object) -> httpx2.Response:
    return http.post(LOAD, json={"lora_name": name, "lora_path": str(path), **more})


def ask(http: httpx2.Client, model: str) -> httpx2.Response:
    said = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    return http.post("/v1/chat/completions", json=said)


def message(response: httpx2.Response) -> str:
    return response.json()["error"]["message"]


def test_without_the_variable_the_endpoints_are_not_there(monkeypatch):
    monkeypatch.delenv("VLLM_ALLOW_RUNTIME_LORA_UPDATING", raising=False)
    with running() as fake, httpx2.Client(base_url=fake.root) as http:
        assert load(http, "a", "/nowhere").status_code == 404
        assert http.get("/health").status_code == 404
        assert ask(http, "any").status_code == 200


def test_it_is_healthy(http):
    answer = http.get("/health")
    assert (answer.status_code, answer.content) == (200, b"")


def test_an_adapter_is_loaded_asked_by_its_name_and_unloaded(http, adapter):
    loaded = load(http, "a1", adapter)
    assert (loaded.status_code, loaded.text) == (200, "Success: LoRA adapter 'a1' added successfully.")
    assert ask(http, "a1").json()["model"] == "a1"
    removed = http.post(UNLOAD, json={"lora_name": "a1"})
    assert (removed.status_code, removed.text) == (200, "Success: LoRA adapter 'a1' removed successfully.")
    gone = ask(http, "a1")
    assert gone.status_code == 404
    assert gone.json()["error"] == {
        "message": "The model `a1` does not exist.", "type": "NotFoundError", "param": "model", "code": 404,
    }  # fmt: skip


def test_it_is_listed_with_its_base(http, adapter):
    load(http, "a1", adapter)
    base, lora = http.get("/v1/models").json()["data"]
    assert (base["id"], base["parent"]) == ("tiny", None)
    assert (lora["id"], lora["root"], lora["parent"]) == ("a1", str(adapter), "tiny")


def test_loading_twice_is_an_error_unless_in_place(http, adapter):
    load(http, "a1", adapter)
    again = load(http, "a1", adapter)
    assert again.status_code == 400
    assert again.json()["error"]["type"] == "InvalidUserInput"
    assert "has already been loaded" in message(again)
    assert load(http, "a1", adapter, load_inplace=True).status_code == 200


def test_what_is_not_there_cannot_be_loaded_or_unloaded(http):
    nowhere = load(http, "a1", "/nowhere")
    assert nowhere.status_code == 404
    assert message(nowhere) == "Loading lora a1 failed: No adapter found for /nowhere"
    unknown = http.post(UNLOAD, json={"lora_name": "a1"})
    assert unknown.status_code == 404
    assert message(unknown) == "The lora adapter 'a1' cannot be found."


@pytest.mark.parametrize(("path", "said"), [(LOAD, {"lora_name": "a"}), (UNLOAD, {})])
def test_both_names_are_needed(http, path, said):
    wrong = http.post(path, json=said)
    assert wrong.status_code == 400
    assert "must be provided" in message(wrong) or "needs to be provided" in message(wrong)


def test_a_body_that_is_no_json(http):
    assert http.post(LOAD, content=b"{").status_code == 400


def test_a_rule_makes_loading_slow_or_fail(vllm, http, adapter):
    vllm.script({"prices": {"tiny": {}}, "rules": [{"path": "load_lora_adapter", "status": 500, "times": 1}]})
    failed = load(http, "a1", adapter)
    assert (failed.status_code, failed.json()["error"]["type"]) == (500, "InternalServerError")
    assert load(http, "a1", adapter).status_code == 200


def test_keys_are_asked_for(vllm, http, adapter):
    vllm.script({"keys": ["k"], "prices": {"tiny": {}}})
    refused = load(http, "a1", adapter)
    assert (refused.status_code, refused.json()) == (401, {"error": "Unauthorized"})
    assert http.get("/health").status_code == 200
    said = {"lora_name": "a1", "lora_path": str(adapter)}
    assert http.post(LOAD, json=said, headers={"authorization": "Bearer k"}).status_code == 200


def test_the_base_and_the_sdk(vllm):
    with openai.OpenAI(base_url=vllm.url, api_key="none", max_retries=0) as client:
        said = client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "hi"}])
        assert said.choices[0].message.content == "Echo: hi"
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="other", messages=[{"role": "user", "content": "hi"}])


def test_unloading_tears_off_what_is_running(vllm, http, adapter):
    load(http, "a1", adapter)
    vllm.script({"prices": {"tiny": {}}, "rules": [{"path": "chat/completions", "latency": 30}]})
    with ThreadPoolExecutor() as pool:
        running = pool.submit(ask, http, "a1")
        while len(vllm.requests()) < 2:
            time.sleep(0.01)
        http.post(UNLOAD, json={"lora_name": "a1"})
        assert running.result(10).status_code == 500
