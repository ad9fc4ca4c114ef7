"""What a gateway adds to the time of an answer at 100 requests a second, beside the bare upstream.

An open loop: a request is sent when its time has come, whether the ones before it are answered or not.
"""

import numpy as np

from benchmarks.gateway.asking import chats
from benchmarks.gateway.load import Load
from benchmarks.gateway.running import Bench, Gateway, all_running
from benchmarks.gateway.spread import spread
from benchmarks.report import Row, say

RATE, SECONDS, WARM = 100.0, 5.0, 200
QUANTILES = {"p50": 0.5, "p99": 0.99}


def measure(bench: Bench) -> list[Row]:
    """Added p50 and p99 of every gateway."""
    added: dict[str, list[dict[str, float]]] = {p.NAME: [] for p in bench.peers}
    with all_running(bench, "latency") as gateways:
        for gateway in gateways:
            gateway.burst(8, count=WARM)
        for number in range(bench.rounds):
            direct = quantiles(Load(bench.upstream.answers, chats("/v1/chat/completions", "gpt-x", {})))
            for gateway in gateways:
                through = _through(gateway)
                added[gateway.peer.NAME].append({q: through[q] - direct[q] for q in QUANTILES})
                say(f"round {number} {gateway.peer.NAME}: {added[gateway.peer.NAME][-1]} ms added")
    return [
        spread(f"added {q} at {RATE:.0f} requests/s, {name}", [a[q] for a in rounds], "ms")
        for name, rounds in added.items()
        for q in QUANTILES
    ]


def quantiles(load: Load) -> dict[str, float]:
    """Milliseconds until an answer is complete."""
    seconds = [a.seconds for a in load.open(RATE, seconds=SECONDS)]
    return {name: float(np.quantile(seconds, q)) * 1_000 for name, q in QUANTILES.items()}


def _through(gateway: Gateway) -> dict[str, float]:
    load = gateway.load()
    took = quantiles(load)
    gateway.good(load, load.answers)
    return took
