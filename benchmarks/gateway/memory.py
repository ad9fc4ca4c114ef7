"""RSS of our worker while it answers 200,000 requests."""

from benchmarks.gateway.running import Bench, running
from benchmarks.report import Row, at_most, say

CONNECTIONS, CHUNK, WARM, WHOLE = 64, 10_000, 20_000, 200_000
MEGABYTES, GROWTH = 80, 0.05


def measure(bench: Bench) -> list[Row]:
    """The bars are judged only when at least WHOLE requests were answered."""
    sizes = []
    with running(bench.peers[0], bench.upstream, bench.folder / "memory") as gateway:
        for done in range(CHUNK, bench.requests + 1, CHUNK):
            gateway.burst(CONNECTIONS, count=CHUNK)
            sizes.append(gateway.memory()[0])
            say(f"{done} requests: {sizes[-1]:.1f} MB")
        peak = gateway.memory()[1]
    return rows(sizes, peak)


def rows(sizes: list[float], peak: float) -> list[Row]:
    """Rows of the RSS after every CHUNK requests; the first WARM of them fill caches."""
    asked, warm = len(sizes) * CHUNK, sizes[min(WARM // CHUNK, len(sizes)) - 1]
    judged = [
        at_most(f"RSS of a worker after {asked:,} requests", sizes[-1], MEGABYTES, "MB"),
        at_most(f"growth of the RSS from {WARM:,} to {asked:,} requests", sizes[-1] / warm - 1, GROWTH, ""),
    ]
    if asked < WHOLE:
        for row in judged:
            row.holds = None
    return [*judged, Row(row="RSS of a worker at its peak", value=peak, unit="MB")]
