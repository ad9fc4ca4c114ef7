"""SIGKILL at random points of a crawl: pages lost, and pages fetched twice, by the server's log."""

import random
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.crawl.runs import ended, started
from benchmarks.crawl.site import MadeUp, words
from benchmarks.report import Row, at_most, say
from openflywheel.collect._frontier.pace import AHEAD

KILLS, PAGES = 10, 2_000
OURS = "benchmarks.crawl.ours"


def page(path: str) -> str | None:
    """One of `PAGES` pages that are linked crosswise."""
    if path != "/" and not (path[1:].isdigit() and int(path[1:]) < PAGES):
        return None
    number = int(path[1:] or 0)
    links = {(3 * number + k) % PAGES for k in (1, 2, 3)} | {(7 * number + 11) % PAGES}
    anchors = "".join(f'<p><a href="/{n or ""}">on {words(n)}</a>' for n in sorted(links))
    text = " ".join(words(number * k % 9973) for k in range(1, 80))
    return f"<html><title>{words(number)}</title><body><p>Page {words(number)} says {text}.</p>{anchors}"


def measure(folder: Path, seed: int = 4) -> list[Row]:
    """Rows: lost, fetched twice in all and at most after one kill."""
    chance, twice = random.Random(seed), [0]
    with MadeUp(page) as site:
        for kill in range(1, KILLS + 1):
            process = started(OURS, site.url, folder / "kill", 10 * PAGES)
            point = round((kill - chance.random()) * PAGES / (KILLS + 1))
            while _asked(site) < point and process.poll() is None:
                time.sleep(0.001)
            process.kill()
            process.wait()
            twice.append(sum(site.asked[path] for path in _pages(site)) - _asked(site))
            say(f"killed at {_asked(site)} of {PAGES} pages; fetched twice so far: {twice[-1]}")
        ended(started(OURS, site.url, folder / "kill", 10 * PAGES), "openflywheel", folder / "kill")
        twice.append(sum(site.asked[path] for path in _pages(site)) - _asked(site))
    kept = {url.removeprefix(site.url) for url in (folder / "kill" / "kept").read_text().split()}
    lost = PAGES - len(kept)
    most = max(after - before for before, after in pairwise(twice))
    return [
        at_most(f"pages lost, {KILLS} SIGKILLs", lost, 0, "pages"),
        at_most("pages fetched twice, at most after one kill", most, AHEAD, "pages"),
        Row(row="pages fetched twice, in all", value=twice[-1], unit="pages"),
    ]


def _pages(site: MadeUp) -> list[str]:
    return [path for path in list(site.asked) if "." not in path]


def _asked(site: MadeUp) -> int:
    return len(_pages(site))
