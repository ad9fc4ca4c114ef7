"""A gateway that runs: started with its settings, asked until it answers, and measured."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from math import inf
from pathlib import Path

from msgspec import Struct

from benchmarks.gateway.asking import Request, chats
from benchmarks.gateway.load import Answer, Connection, Load
from benchmarks.gateway.peers import Peer
from benchmarks.gateway.tree import READY_WITHIN, Tree, free_port
from benchmarks.gateway.upstream import Upstream

SETTLE = 0.5  # seconds after a burst, for logs that are written after the answer
Command = Callable[[Path, Upstream, int], list[str]]


class Bench(Struct, frozen=True):
    """What every part is handed: peers[0] is ours, `requests` says how long the memory is watched."""

    upstream: Upstream
    folder: Path
    peers: Sequence[Peer]
    rounds: int
    requests: int


class Gateway(Struct, frozen=True):
    """A running gateway."""

    peer: Peer
    upstream: Upstream
    port: int
    tree: Tree

    def requests(self) -> Iterator[Request]:
        """Endless requests that it sends on to the upstream."""
        return chats(self.peer.PATH, self.peer.MODEL, self.peer.headers(self.upstream))

    def load(self) -> Load:
        """A load of these requests."""
        return Load(self.port, self.requests())

    def burst(self, connections: int, *, seconds: float = inf, count: int | None = None) -> float:
        """CPU-ms a request of a closed loop. Raises RuntimeError when a request fails."""
        load, before = self.load(), self.tree.cpu()
        answers = self.good(load, load.closed(connections, seconds=seconds, count=count))
        time.sleep(SETTLE)
        return (self.tree.cpu() - before) / len(answers) * 1_000

    def memory(self) -> tuple[float, float]:
        """RSS in MB, now and at its peak, of the worker that takes a connection."""
        with closing(Connection(self.port).socket):
            while not (workers := self.tree.workers(self.port)):
                time.sleep(0.01)  # it is being accepted
            return self.tree.memory(workers)

    def good(self, load: Load, answers: Sequence[Answer]) -> Sequence[Answer]:
        """The answers, when all is well with them."""
        failed = sum(a.status != 200 for a in answers) + load.broken
        if failed or not answers:
            raise RuntimeError(f"{self.peer.NAME}: {failed} requests failed:\n{self.tree.output()}")
        return answers


@contextmanager
def running(
    peer: Peer, upstream: Upstream, folder: Path, command: Command | None = None
) -> Iterator[Gateway]:
    """One gateway, once it has answered; `command` may start it in another way than the peer's own."""
    port = free_port()
    with Tree((command or peer.command)(folder, upstream, port), folder) as tree:
        tree.wait(port)
        gateway = Gateway(peer, upstream, port, tree)
        _first_answer(gateway)
        yield gateway


@contextmanager
def all_running(bench: Bench, part: str) -> Iterator[list[Gateway]]:
    """All the gateways at once: who is not asked costs nothing."""
    with ExitStack() as stack:
        folders = [(peer, bench.folder / part / peer.__name__) for peer in bench.peers]
        yield [stack.enter_context(running(peer, bench.upstream, folder)) for peer, folder in folders]


def _first_answer(gateway: Gateway) -> None:
    """Ask until it answers: some listen before they can."""
    until = time.monotonic() + READY_WITHIN
    while True:
        load = gateway.load()
        answers = load.closed(1, count=1)
        if [a.status for a in answers] == [200]:
            return
        if time.monotonic() > until:
            gateway.good(load, answers)
        time.sleep(0.2)
