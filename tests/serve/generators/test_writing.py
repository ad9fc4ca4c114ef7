"""A served model in Python."""

from functools import partial
from pathlib import Path

import httpx2
import pytest

from openflywheel.base.instruments.answers import Writing
from openflywheel.serve._generators.champion import NotLoaded
from openflywheel.serve._generators.child import Child
from openflywheel.serve._generators.vllm import VLLM
from openflywheel.serve._generators.writing import served
from openflywheel.serve.generators import Generator


def chats(*texts: str):
    return [[{"role": "user", "content": text}] for text in texts]


@pytest.fixture
def gpu(vllm, tmp_path: Path):
    return partial(VLLM, "gpu", Generator(engine="vllm", url=vllm.url), tmp_path, tmp_path)


def test_it_writes_while_it_is_loaded(vllm, gpu, named):
    with served(gpu, named("a")) as writing:
        assert isinstance(writing, Writing)
        texts = [f"question {i}" for i in range(40)]
        assert writing.write(chats(*texts)) == [f"Echo: {text}" for text in texts]
        assert writing.write(chats("again"), most_tokens=1) == ["Echo"[:4]]
    asked = [r.body for r in vllm.requests() if r.path.endswith("completions")]
    assert {(body["model"], body["temperature"]) for body in asked} == {(named("a").id, 0)}
    assert [card["id"] for card in httpx2.get(f"{vllm.url}/models").json()["data"]] == ["tiny"]


def test_special_tokens_are_taken_out_as_a_gateway_does_it(vllm, gpu, named, tmp_path, write):
    write(tmp_path / "base" / "tokenizer.json", {"added_tokens": [{"content": "<|end|>", "special": True}]})
    with served(gpu, named("a", base={"name": "tiny", "path": "base"})) as writing:
        assert writing.write(chats("hi<|end|>you")) == ["Echo: hi you"]


def test_no_chats_no_answers(gpu, named):
    with served(gpu, named("a")) as writing:
        assert writing.write([]) == []


def test_an_error_of_the_server(vllm, gpu, named):
    with served(gpu, named("a")) as writing:
        vllm.script(
            {"prices": {"tiny": {}}, "rules": [{"path": "completions", "status": 400, "message": "long"}]}
        )
        with pytest.raises(NotLoaded, match="does not answer: 400 .*long"):
            writing.write(chats("a"))


def test_a_server_that_breaks_off(vllm, gpu, named):
    with served(gpu, named("a")) as writing:
        vllm.script({"prices": {"tiny": {}}, "rules": [{"path": "completions", "refuse": True}]})
        with pytest.raises(NotLoaded, match="does not answer: "):
            writing.write(chats("a"))


def test_what_cannot_be_loaded(gpu, named):
    with pytest.raises(NotLoaded, match="whole checkpoint"), served(gpu, named("a", adapted=False)):
        raise AssertionError


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing")
def test_llama_cpp_writes(llama, tmp_path):
    ours = Generator(engine="llamacpp", parallel=2, context=128, threads=1)
    with served(partial(Child, "own", ours, tmp_path, tmp_path), llama.champion()) as writing:
        [text] = writing.write([llama.chat], most_tokens=12)
    assert text.rstrip("\ufffd").strip() == llama.adapted.rstrip("\ufffd").strip()
