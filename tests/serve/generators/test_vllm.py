"""Adapters in a vLLM, which the fake provider plays."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

from openflywheel.serve._fake.server import Running, running
from openflywheel.serve._generators.champion import NotLoaded
from openflywheel.serve._generators.vllm import VLLM
from openflywheel.serve.generators import Generator


@pytest.fixture
def using(vllm: Running, tmp_path: Path) -> Callable[..., None]:
    """Run a test with vLLMs as so many processes see them."""

    def run(test: Callable[..., Awaitable[None]], processes: int = 1, **more) -> None:
        async def main() -> None:
            generator = Generator(**{"engine": "vllm", "url": vllm.url, **more})
            engines = [VLLM("gpu", generator, tmp_path / "locks", tmp_path) for _ in range(processes)]
            try:
                await test(*engines)
            finally:
                for engine in engines:
                    await engine.close()

        asyncio.run(main())

    return run


def loaded(vllm: Running) -> list[str]:
    cards = httpx2.get(f"{vllm.url}/models").json()["data"]
    return [card["id"] for card in cards if card["parent"]]


def test_a_model_is_loaded_under_its_id(using, vllm, named):
    async def test(engine: VLLM) -> None:
        target = await engine.load(named("a"))
        assert (target.upstream.name, target.model) == ("gpu", named("a").id)
        assert loaded(vllm) == [named("a").id]
        assert await engine.holds(named("a"))
        await engine.unload(named("a"))
        assert loaded(vllm) == []
        assert not await engine.holds(named("a"))

    using(test)


def test_special_tokens_are_those_of_its_base(using, named, tmp_path, write, caplog):
    tokens = [{"content": "<|end|>", "special": True}, {"content": "<think>", "special": False}]
    write(tmp_path / "base" / "tokenizer.json", {"added_tokens": tokens})

    async def test(engine: VLLM) -> None:
        target = await engine.load(named("a", base={"name": "tiny", "path": "base"}))
        assert target.special.findall("a<think><|end|>") == ["<|end|>"]
        assert not caplog.records
        target = await engine.load(named("b", base={"name": "tiny", "path": "nowhere"}))
        assert target.special is None
        assert "the tokenizer of its base tiny is not on this machine" in caplog.text

    using(test)


def test_two_processes_share_it(using, vllm, named):
    async def test(one: VLLM, other: VLLM) -> None:
        await one.load(named("a"))
        await other.load(named("a"))
        await one.unload(named("a"))
        assert loaded(vllm) == [named("a").id]
        await other.unload(named("a"))
        assert loaded(vllm) == []

    using(test, 2)


def test_the_last_of_them_may_die_and_a_new_one_take_over(using, vllm, named):
    async def test(one: VLLM, other: VLLM) -> None:
        await one.load(named("a"))
        await one.close()
        await other.load(named("a"))
        await other.unload(named("a"))
        assert loaded(vllm) == []

    using(test, 2)


def test_its_machine_may_see_models_elsewhere(using, vllm, named):
    async def test(engine: VLLM) -> None:
        with pytest.raises(NotLoaded, match="404 .*No adapter found for /mnt/models/a/adapter"):
            await engine.load(named("a"))

    using(test, folder="/mnt/models")


def test_what_it_cannot_load(using, vllm, named):
    async def test(engine: VLLM) -> None:
        with pytest.raises(NotLoaded, match="a whole checkpoint"):
            await engine.load(named("a", adapted=False))
        with pytest.raises(NotLoaded, match="an instruction of its own"):
            await engine.load(named("a", instruction="Be brief."))
        with pytest.raises(NotLoaded, match="a chat template of its own, which vllm cannot load"):
            await engine.load(named("a", template="{{ messages }}"))
        assert vllm.requests() == []

    using(test)


def test_a_load_that_fails_may_be_tried_again(using, vllm, named):
    async def test(engine: VLLM) -> None:
        rule = {"path": "load_lora_adapter", "status": 500, "message": "out of memory", "times": 1}
        vllm.script({"prices": {"tiny": {}}, "rules": [rule]})
        with pytest.raises(NotLoaded, match="'gpu' did not load .*: 500 .*out of memory"):
            await engine.load(named("a"))
        await engine.load(named("a"))
        assert engine.upstream.circuit.open is False
        assert loaded(vllm) == [named("a").id]

    using(test)


def test_a_load_again_that_fails_lets_go_of_nothing(using, vllm, named):
    """Requests may still go to the adapter: no other process may unload it, and this one must do so later."""

    async def test(one: VLLM, other: VLLM) -> None:
        await one.load(named("a"))
        httpx2.post(f"{vllm.url}/unload_lora_adapter", json={"lora_name": named("a").id})  # as by a restart
        rule = {"path": "load_lora_adapter", "status": 500, "message": "out of memory", "times": 1}
        vllm.script({"prices": {"tiny": {}}, "rules": [rule]})
        with pytest.raises(NotLoaded, match="500"):
            await one.load(named("a"))
        await other.load(named("a"))
        await other.unload(named("a"))
        assert loaded(vllm) == [named("a").id]
        await one.unload(named("a"))
        assert loaded(vllm) == []

    using(test, 2)


def test_what_it_has_not_it_unloads_without_complaint(using, vllm, named):
    async def test(engine: VLLM) -> None:
        await engine.unload(named("a"))
        assert vllm.requests() == []

    using(test)


def test_an_adapter_that_somebody_else_unloaded_is_gone_all_the_same(using, vllm, named):
    async def test(engine: VLLM) -> None:
        await engine.load(named("a"))
        httpx2.post(f"{vllm.url}/unload_lora_adapter", json={"lora_name": named("a").id})
        await engine.unload(named("a"))

    using(test)


def test_its_key(using, vllm, named):
    async def test(engine: VLLM) -> None:
        vllm.script({"keys": ["sk"], "prices": {"tiny": {}}})
        await engine.load(named("a"))
        assert await engine.holds(named("a"))

    using(test, key="sk")


def test_a_wrong_key(using, vllm, named):
    async def test(engine: VLLM) -> None:
        vllm.script({"keys": ["sk"]})
        with pytest.raises(NotLoaded, match="401"):
            await engine.load(named("a"))
        with pytest.raises(NotLoaded, match="does not list its models: 401"):
            await engine.holds(named("a"))

    using(test, key="wrong")


def test_nobody_is_there(using, named):
    async def test(engine: VLLM) -> None:
        with pytest.raises(NotLoaded, match="'gpu' does not answer"):
            await engine.load(named("a"))

    using(test, url="http://127.0.0.1:9/v1")


def test_without_the_variable_it_says_which(monkeypatch, tmp_path, named):
    monkeypatch.delenv("VLLM_ALLOW_RUNTIME_LORA_UPDATING", raising=False)

    async def main(url: str) -> None:
        engine = VLLM("gpu", Generator(engine="vllm", url=url), tmp_path, tmp_path)
        with pytest.raises(NotLoaded, match="404 .*; start vLLM with --enable-lora and VLLM_ALLOW"):
            await engine.load(named("a"))
        await engine.close()

    with running() as plain:
        asyncio.run(main(plain.url))
