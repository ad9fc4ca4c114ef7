"""A process of our own that serves."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from openflywheel.serve._generators import child as child_module
from openflywheel.serve._generators.champion import Champion, NotLoaded
from openflywheel.serve._generators.child import Child
from openflywheel.serve.generators import Generator

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing")
NOWHERE = {"name": "b", "path": "nowhere", "sha256": "0" * 64}
OURS = Generator(engine="llamacpp", parallel=1, context=128, threads=1)


@pytest.fixture
def using(tmp_path: Path) -> Callable[..., None]:
    def run(test: Callable[[Child], Awaitable[None]]) -> None:
        async def main() -> None:
            child = Child("own", OURS, tmp_path / "made", tmp_path)
            try:
                await test(child)
            finally:
                await child.close()

        asyncio.run(main())

    return run


def test_nothing_is_started_for_nothing(using, named):
    async def test(child: Child) -> None:
        assert not await child.holds(named("a"))
        await child.unload(named("a"))
        assert child._process is None

    using(test)


def test_an_error_is_told_in_its_words(using, named):
    async def test(child: Child) -> None:
        with pytest.raises(NotLoaded, match="the generator 'own': StoreError: there is no checkpoint"):
            await child.load(named("a", base=NOWHERE))
        assert not await child.holds(named("a"))

    using(test)


HOST = """
import json, sys, time
sys.stdin.readline()
for line in sys.stdin:
    said = json.loads(line)
    id, answer = (said.get("load") or said.get("unload"))["id"], {"number": said["number"]}
    if id == "long":
        answer["error"] = "size mismatch, " * 100_000
    elif id == "slow":
        time.sleep(0.3)
    said = json.dumps({**answer, "url": f"http://{id}/v1"})
    print("what is this" if id == "unreadable" else said, flush=True)
"""


@pytest.fixture
def odd(tmp_path: Path, monkeypatch) -> None:
    """A process that serves each model under its own name, but fails in odd ways."""
    (tmp_path / "oddhost.py").write_text(HOST)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(child_module, "HOST", "oddhost")


async def url(child: Child, id: str) -> str:
    return (await child.load(Champion(id, Path("/x"), {}, False))).upstream.provider.url


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("broken", ["long", "unreadable"])
def test_an_answer_that_cannot_be_read_is_never_taken_for_the_next(broken, using):
    async def test(child: Child) -> None:
        assert await url(child, "one") == "http://one/v1"
        for _ in range(2):
            with pytest.raises(NotLoaded, match="'own' ended with the code -9"):
                await url(child, broken)
        assert not await child.holds(Champion("one", Path("/x"), {}, False))
        assert [await url(child, id) for id in ("two", "three")] == ["http://two/v1", "http://three/v1"]

    using(test)


@pytest.mark.usefixtures("odd")
def test_nor_is_one_that_nobody_waited_for(using):
    async def test(child: Child) -> None:
        assert await url(child, "one") == "http://one/v1"
        process = child._process
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(url(child, "slow"), 0.05)
        assert await url(child, "two") == "http://two/v1"
        assert child._process is process
        assert await child.holds(Champion("one", Path("/x"), {}, False))

    using(test)


@pytest.mark.slow
def test_it_loads_and_answers_until_it_is_unloaded(using, llama):
    async def test(child: Child) -> None:
        champion = llama.champion()
        target = await child.load(champion)
        assert await child.load(champion) == target
        assert target.special.findall("a<|end|>b") == ["<|end|>"]
        assert await child.holds(champion)
        said = b'{"messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}'
        reply = await target.upstream.post("/chat/completions", said, {}, champion.id)
        assert reply.status == 200
        await reply.read()
        await child.unload(champion)
        assert not await child.holds(champion)

    using(test)


@pytest.mark.slow
def test_one_that_was_killed_is_started_again(using, llama):
    async def test(child: Child) -> None:
        champion, plain = llama.champion(), llama.champion(adapted=False)
        first = await child.load(champion)
        await child.load(plain)
        os.kill(child._process.pid, signal.SIGKILL)
        await child._process.wait()
        assert not await child.holds(champion)
        second = await child.load(champion)
        assert second.upstream.provider.url != first.upstream.provider.url
        assert not await child.holds(plain)

    using(test)


@pytest.mark.fault
def test_one_that_dies_over_a_model_says_so(using, named):
    async def test(child: Child) -> None:
        with pytest.raises(NotLoaded):
            await child.load(named("a", base=NOWHERE))
        os.kill(child._process.pid, signal.SIGSTOP)
        loading = asyncio.create_task(child.load(named("a", base=NOWHERE)))
        await asyncio.sleep(0.05)
        os.kill(child._process.pid, signal.SIGKILL)
        with pytest.raises(NotLoaded, match="'own' ended with the code -9"):
            await loading

    using(test)
