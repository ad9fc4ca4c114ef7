"""Pages a CPU-second and peak memory, ours and the peers' in turn, on real pages."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from benchmarks.crawl.runs import Run, run
from benchmarks.crawl.site import documentation
from benchmarks.report import Row, at_least, say

ALL = 100_000  # pages: more than there are
FEWER = {"crawl4ai": 200}  # it makes Markdown of every page, and takes minutes for them all
SPEED, TIMES = 150.0, 5.0
OURS = "benchmarks.crawl.ours"


class Crawler(Struct, frozen=True):
    """What is run under a name."""

    name: str
    module: str
    more: tuple[str, ...] = ()


OUR_OWN = (Crawler("openflywheel", OURS), Crawler("openflywheel, bytes kept", OURS, ("keep",)))


def measure(site: Path, folder: Path, peers: Sequence[str], rounds: int) -> tuple[list[Row], list[Run]]:
    """Rows, and the runs that they come from."""
    crawlers = [*OUR_OWN, *(Crawler(peer, f"benchmarks.crawl.peers.{peer}") for peer in peers)]
    runs = list[Run]()
    with documentation(site, folder / "site") as url:
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for c in crawlers:
                pages = FEWER.get(c.name, ALL)
                runs.append(run(c.name, c.module, url, folder / f"{number}-{c.name}", pages, c.more))
    return rows(runs, [c.name for c in crawlers]), runs


def rows(runs: Sequence[Run], names: Sequence[str]) -> list[Row]:
    """Medians and ranges; ours against Scrapy within each round."""
    out = []
    speeds = {name: [r.speed for r in runs if r.crawler == name] for name in names}
    for name in names:
        here = [r for r in runs if r.crawler == name]
        speed = f"pages per CPU-second, {name}"
        if name == OUR_OWN[0].name:
            out.append(at_least(speed, statistics.median(speeds[name]), SPEED, "pages", _range(speeds[name])))
        else:
            out.append(_row(speed, speeds[name], "pages"))
        out.append(_row(f"peak RSS, {name}", [r.memory for r in here], "MB"))
        out.append(_row(f"pages read, {name}", [float(r.pages) for r in here], "pages"))
    if "scrapy" in names:
        ratios = [ours / theirs for ours, theirs in zip(speeds[names[0]], speeds["scrapy"], strict=True)]
        out.append(at_least("times Scrapy's speed", statistics.median(ratios), TIMES, "x", _range(ratios)))
    return out


def _row(row: str, values: Sequence[float], unit: str) -> Row:
    return Row(row=row, value=statistics.median(values), unit=unit, interval=_range(values))


def _range(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
