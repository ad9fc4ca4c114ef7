"""What a gateway acknowledged and no longer knows after SIGKILL under load: answers, and streams that ended.

Ours is killed 20 times on one store, in turn: one worker; two workers, all at once; one worker; two workers,
of which first one dies. It is restarted on what the kill left behind.
"""

import random
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from threading import Timer

from benchmarks.gateway.asking import Request, chats
from benchmarks.gateway.load import Answer, Load
from benchmarks.gateway.peers import Peer, flywheel
from benchmarks.gateway.running import Bench, Gateway, running
from benchmarks.report import Row, at_most, say

KILLS, KILLS_OF_PEERS = 20, 3
CONNECTIONS = 16
AFTER = (0.5, 1.5)  # seconds of load before a kill
SURVIVED = 0.5  # seconds that the other worker goes on


def measure(bench: Bench) -> list[Row]:
    """Ours, and the peers that keep a log."""
    ours = _ours(bench)
    logging = [p for p in bench.peers[1:] if p.LOG != "none"]
    return ours + [row for peer in logging for row in _peer(bench, peer)]


def _ours(bench: Bench) -> list[Row]:
    folder, acknowledged = bench.folder / "loss", list[Answer]()
    for number in range(KILLS):
        workers, one_first = 1 + number % 2, number % 4 == 3
        command = partial(flywheel.command, workers=workers)
        with running(bench.peers[0], bench.upstream, folder, command) as gateway:
            acknowledged += killed(gateway, _mixed(gateway), number, one_first=one_first)
        say(f"SIGKILL {number + 1}: {len(acknowledged)} acknowledged so far")
    return rows("flywheel", KILLS, acknowledged, flywheel.kept(folder), bar=0)


def _peer(bench: Bench, peer: Peer) -> list[Row]:
    folder, acknowledged = bench.folder / "loss" / peer.__name__, list[Answer]()
    for number in range(KILLS_OF_PEERS):
        with running(peer, bench.upstream, folder) as gateway:
            acknowledged += killed(gateway, gateway.requests(), number)
    return rows(peer.NAME, KILLS_OF_PEERS, acknowledged, peer.kept(folder))


def _mixed(gateway: Gateway) -> Iterator[Request]:
    """Every other request is a stream."""
    streams = chats(flywheel.PATH, flywheel.STREAMED, {}, stream=True)
    return chain.from_iterable(zip(gateway.requests(), streams, strict=False))


def killed(
    gateway: Gateway, requests: Iterator[Request], seed: int, *, one_first: bool = False
) -> list[Answer]:
    """Answers with status 200 that arrived before everything was killed under load."""
    after, load = random.Random(seed).uniform(*AFTER), Load(gateway.port, requests)
    timers = [Timer(after + SURVIVED * one_first, gateway.tree.kill)]
    if one_first:
        timers.append(Timer(after, lambda: gateway.tree.kill(gateway.tree.workers(gateway.port)[:1])))
    for timer in timers:
        timer.start()
    answers = load.closed(CONNECTIONS)
    for timer in timers:
        timer.join()
    return [a for a in answers if a.status == 200]


def rows(
    name: str, kills: int, answers: Sequence[Answer], kept: set[str], bar: float | None = None
) -> list[Row]:
    """How many were acknowledged, and how many of these the log does not know.

    With a bar, streams are a part of it. Raises RuntimeError when it would be judged by nothing.
    """
    streams = sum(a.streamed for a in answers)
    if not answers or (bar is not None and not 0 < streams < len(answers)):
        raise RuntimeError(f"{name} acknowledged {len(answers)} requests, of which {streams} streams")
    lost = sum(a.exchange not in kept and a.marker not in kept for a in answers)
    row = f"acknowledged and lost over {kills} SIGKILLs, {name}"
    asked = Row(row=f"acknowledged over {kills} SIGKILLs, {name}", value=len(answers), unit="")
    if bar is None:
        return [Row(row=row, value=lost, unit=""), asked]
    return [at_most(row, lost, bar, ""), asked, Row(row=f"of these streams, {name}", value=streams, unit="")]
