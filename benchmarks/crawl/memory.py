"""Peak memory of a crawl whose frontier holds many URLs."""

from pathlib import Path

from benchmarks.crawl.runs import run
from benchmarks.crawl.site import MadeUp, words
from benchmarks.report import Row, at_most

URLS, LINKS = 100_000, 200
BAR = 200.0


def measure(folder: Path, urls: int) -> list[Row]:
    """Every page links to `LINKS` new ones; the crawl ends when `urls` have been found."""

    def page(path: str) -> str | None:
        if not path[1:].isdigit() and path != "/":
            return None
        number = int(path[1:] or 0)
        links = range(number * LINKS + 1, number * LINKS + LINKS + 1)
        anchors = "".join(f'<li><a href="/{n}">chapter {words(n)}</a>' for n in links)
        return f"<html><title>{words(number)}</title><body><p>About {words(number)}.</p><ul>{anchors}</ul>"

    with MadeUp(page) as site:
        done = run("openflywheel", "benchmarks.crawl.ours", site.url, folder / "memory", urls // LINKS)
    name = f"peak RSS, {urls:,} URLs in the frontier"
    row = at_most(name, done.memory, BAR, "MB")
    return [row, Row(row=f"CPU, {urls:,} URLs found", value=done.cpu, unit="CPU-s")]
