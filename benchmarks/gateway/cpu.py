"""CPU of the process tree a request, round by round in turn, and ratios within each round."""

from collections.abc import Sequence

from msgspec import Struct

from benchmarks.gateway.peers import PEERS, peer
from benchmarks.gateway.running import Bench, Gateway, all_running
from benchmarks.gateway.spread import not_run, spread
from benchmarks.report import Row, say

CONCURRENCY, SECONDS, WARM = (8, 64), 3.0, 2.0
BARS = {"litellm": 1 / 40, "tensorzero": 1.3, "nginx": 13.0}  # ours divided by theirs


class Burst(Struct, frozen=True):
    """What one gateway took in one round."""

    gateway: str
    concurrency: int
    cpu_ms: float


def measure(bench: Bench) -> tuple[list[Row], list[Burst]]:
    """Rows, and the bursts that they come from."""
    with all_running(bench, "cpu") as gateways:
        for gateway in gateways:
            gateway.burst(CONCURRENCY[0], seconds=WARM)
        bursts = [burst for number in range(bench.rounds) for burst in _round(number, gateways)]
        memory = [row for gateway in gateways for row in _memory(gateway)]
    names = [p.NAME for p in bench.peers]
    costs = [
        spread(f"CPU per request, {name}, concurrency {c}", _of(bursts, name, c), "CPU-ms")
        for c in CONCURRENCY
        for name in names
    ]
    return costs + ratios(bursts, names) + memory, bursts


def ratios(bursts: Sequence[Burst], names: Sequence[str]) -> list[Row]:
    """Ours, names[0], against every peer; those that did not run are named."""
    rows = []
    for file in PEERS:
        name, bar = peer(file).NAME, BARS.get(file)
        for c in CONCURRENCY:
            row = f"CPU per request against {name}, concurrency {c}"
            if name in names:
                pairs = zip(_of(bursts, names[0], c), _of(bursts, name, c), strict=True)
                rows.append(spread(row, [ours / theirs for ours, theirs in pairs], "x", bar))
            elif bar is not None:
                rows.append(not_run(row, "skipped", "x", bar))
    return rows


def _round(number: int, gateways: Sequence[Gateway]) -> list[Burst]:
    bursts = []
    for c in CONCURRENCY:
        for gateway in gateways:
            bursts.append(Burst(gateway.peer.NAME, c, gateway.burst(c, seconds=SECONDS)))
            say(f"round {number} {bursts[-1].gateway}, {c}: {bursts[-1].cpu_ms:.3f} CPU-ms")
    return bursts


def _of(bursts: Sequence[Burst], name: str, concurrency: int) -> list[float]:
    return [b.cpu_ms for b in bursts if (b.gateway, b.concurrency) == (name, concurrency)]


def _memory(gateway: Gateway) -> list[Row]:
    now, peak = gateway.memory()
    whole = sum(gateway.tree.memory([process])[0] for process in gateway.tree.processes())
    figures = {"a worker": now, "a worker at its peak": peak, "all processes": whole}
    return [
        Row(row=f"RSS of {what}, {gateway.peer.NAME}", value=value, unit="MB")
        for what, value in figures.items()
    ]
