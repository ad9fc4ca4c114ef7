"""Turns at hosts: spaced, in order, few at once, and no memory for hosts that nobody wants."""

import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest

from openflywheel.collect._web import polite
from openflywheel.collect._web.polite import Hosts


async def starts(hosts: Hosts, names: list[str], delay: float | None = None) -> list[tuple[str, float]]:
    """When each turn began, in the order of beginning."""
    now, begun = asyncio.get_running_loop().time, []

    async def one(name: str) -> None:
        async with hosts.turn(name, delay):
            begun.append((name, now()))

    await asyncio.gather(*map(one, names))
    return begun


def gaps(begun: list[tuple[str, float]]) -> list[float]:
    return [later - earlier for (_, earlier), (_, later) in pairwise(begun)]


def test_turns_at_one_host_begin_a_delay_apart():
    assert min(gaps(asyncio.run(starts(Hosts(0.05), ["a"] * 4)))) >= 0.049


def test_a_delay_of_ones_own_overrides_the_usual_one():
    assert min(gaps(asyncio.run(starts(Hosts(9.0), ["a"] * 3, 0.03)))) >= 0.029


def test_hosts_do_not_wait_for_each_other():
    begun = asyncio.run(asyncio.wait_for(starts(Hosts(60.0), ["a", "b", "c"]), 30))
    assert [name for name, _ in begun] == ["a", "b", "c"]


def test_turns_come_in_the_order_of_asking():
    order = []

    async def scene() -> None:
        hosts = Hosts(0.0, at_once=1)

        async def one(number: int) -> None:
            async with hosts.turn("a"):
                order.append(number)
                await asyncio.sleep(0)

        await asyncio.gather(*map(one, range(9)))

    asyncio.run(scene())
    assert order == list(range(9))


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_no_more_than_so_many_run_at_once(at_once):
    running, most = 0, 0

    async def scene() -> None:
        hosts = Hosts(0.0, at_once)

        async def one() -> None:
            nonlocal running, most
            async with hosts.turn("a"):
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.005)
                running -= 1

        await asyncio.gather(*(one() for _ in range(20)))

    asyncio.run(scene())
    assert most == at_once


def test_whoever_gives_up_waiting_takes_nobodys_time():
    async def scene() -> None:
        hosts = Hosts(60.0)
        async with hosts.turn("a"):
            pass
        gives_up = asyncio.create_task(starts(hosts, ["a"]))
        await asyncio.sleep(0.01)
        gives_up.cancel()
        with suppress(asyncio.CancelledError):
            await gives_up
        hosts._hosts["a"].next = 0.0
        assert len(await asyncio.wait_for(starts(hosts, ["a"], 0.0), 30)) == 1

    asyncio.run(scene())


def test_a_failure_within_a_turn_gives_the_place_back():
    async def scene() -> None:
        hosts = Hosts(0.0, at_once=1)
        for _ in range(3):
            with pytest.raises(ValueError, match="within"):
                async with hosts.turn("a"):
                    raise ValueError("within")
        assert hosts._hosts["a"].wanted == 0

    asyncio.run(scene())


def test_hosts_that_nobody_wants_are_forgotten_and_those_still_resting_are_not(monkeypatch):
    monkeypatch.setattr(polite, "FEW", 10)

    async def scene() -> None:
        hosts = Hosts(0.0)
        await starts(hosts, ["rests"], 60.0)
        for number in range(500):
            await starts(hosts, [f"h{number}"])
        assert len(hosts._hosts) <= 21
        assert "rests" in hosts._hosts

    asyncio.run(scene())
