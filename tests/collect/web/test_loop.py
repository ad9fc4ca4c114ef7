"""A loop in a thread of its own: results, errors and cancellation pass; it ends without leaving anything."""

import asyncio
import threading

import pytest

from openflywheel.collect._web.loop import Loop


@pytest.fixture
def loop():
    running = Loop()
    yield running
    running.close(lambda: None)


async def name() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


def test_results_come_from_its_own_thread(loop):
    assert loop.run(name()) == "web" != threading.current_thread().name


def test_no_thread_runs_before_it_is_needed():
    loop = Loop()
    assert loop._thread is None
    loop.close(lambda: pytest.fail("there is nothing to end"))


def test_errors_pass(loop):
    async def fails() -> None:
        raise KeyError("there")

    with pytest.raises(KeyError, match="there"):
        loop.run(fails())


def test_many_threads_share_it(loop):
    names = []
    threads = [threading.Thread(target=lambda: names.append(loop.run(name()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == ["web"] * 8


def test_closing_cancels_what_runs_then_calls_the_last_and_ends_the_thread():
    loop, said = Loop(), []
    begun = threading.Event()

    async def forever() -> None:
        begun.set()
        try:
            await asyncio.sleep(1_000)
        finally:
            said.append("cancelled")

    def waits() -> None:
        with pytest.raises((asyncio.CancelledError, Exception)):
            loop.run(forever())
        said.append("told")

    waiting = threading.Thread(target=waits)
    waiting.start()
    begun.wait(10)
    thread = loop._thread
    loop.close(lambda: said.append("last"))
    waiting.join(10)
    assert said.index("cancelled") < said.index("last")
    assert "told" in said
    assert not thread.is_alive()


def test_it_may_be_used_again_after_closing(loop):
    loop.run(name())
    loop.close(lambda: None)
    assert loop.run(name()) == "web"


def test_whoever_stops_waiting_cancels(loop, monkeypatch):
    cancelled = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            cancelled.set()

    def interrupted(self: object, timeout: float | None = None) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("concurrent.futures.Future.result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            loop.run(forever())
    assert loop.run(name()) == "web"
    assert cancelled.wait(10)
