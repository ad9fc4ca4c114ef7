"""What hostile far sides cost collect's web client.  python -m benchmarks.safety [--json]

Each attack meets a fresh process; the far side runs in one of its own. RSS growth is the process's highest
resident size less the size after one harmless fetch. Exits with 1 when a bar is missed.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urljoin, urlsplit

from msgspec import Struct

from benchmarks.hostile import REBINDS, SPAWN, hostile
from benchmarks.report import Row, at_least, finish, say
from openflywheel.base.settings import WebSettings
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.web import Web

CORPUS = Path(__file__).with_name("ssrf.txt")
MOST_MB = 20.0
PUBLIC = "93.184.215.14"
T = TypeVar("T")

ATTACKS = {
    "/bomb": "gzip bomb, 600 MB from 600 KB",
    "/body": "body of 1 GB that says so",
    "/chunks": "body of 1 GB in chunks",
    "/redirect/1": "10^6 redirects",
    "/head": "head of 1 GB",
    "/trailers": "trailers of 1 GB",
}


class Attacked(Struct):
    """What came of an attack; `reason` is empty when it was not refused."""

    reason: str
    grown: float


def fresh(function: Callable[..., T], *arguments: object) -> T:
    """Call a function in a process that has done nothing before."""
    with ProcessPoolExecutor(1, mp_context=SPAWN) as one:
        return one.submit(function, *arguments).result()


def resident(what: str) -> float:
    """MB of this process: VmRSS is now, VmHWM the most so far. Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024


def attack(url: str, path: str) -> Attacked:
    """Fetch what is hostile, after what is not."""
    web = Web(WebSettings(allow=(urlsplit(url).netloc,)))
    web.get(f"{url}/hello")
    before = resident("VmRSS")
    attacked = Attacked(reason(web, url + path), resident("VmHWM") - before)
    web.close()
    return attacked


def corpus() -> list[tuple[str, tuple[str, ...]]]:
    """URLs that must be refused, with the addresses that their names are said to have."""
    lines = [line.split(" ") for line in CORPUS.read_text().splitlines() if not line.startswith("#")]
    return [(url, tuple(addresses)) for url, *addresses in lines]


class Names:
    """A resolver for the corpus; the name that rebinds is public at first and this machine from then on."""

    def __init__(self) -> None:
        self._known = {urlsplit(url).hostname: addresses for url, addresses in corpus() if addresses}
        self._turns = iter(("2d00::1",))  # an address that nobody has

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        if host == REBINDS:
            return (next(self._turns, "127.0.0.1"),)
        return self._known.get(host, (PUBLIC,))


def refused(url: str, *, redirected: bool = False) -> tuple[int, int]:
    """How many URLs of the corpus are refused, asked for or led to by a redirect; and of how many."""
    netloc = urlsplit(url).netloc
    web = Web(WebSettings(allow=(netloc,)), resolve=Names())
    urls = [each for each, _ in corpus()]
    if redirected:  # but for those that name no host and so stay where they are
        away = [each for each in urls if "[" in each or urlsplit(urljoin(url, each)).netloc != netloc]
        urls = [f"{url}/to/{quote(each, safe='')}" for each in away]
    count = sum(reason(web, each) == "address not allowed" for each in urls)
    web.close()
    return count, len(urls)


def rebound(url: str) -> tuple[int, int]:
    """How many of 10 fetches from a name that rebinds do not reach this machine; and of how many."""
    web = Web(WebSettings(allow=(urlsplit(url).netloc,)), resolve=Names())
    for _ in range(10):
        reason(web, f"http://{REBINDS}:{urlsplit(url).port}/hello")
    reached = int(web.get(f"{url}/rebound").text)
    web.close()
    return 10 - reached, 10


def reason(web: Web, url: str) -> str:
    """Why a fetch was refused; "" when it was not."""
    try:
        web.get(url)
    except FetchFailed as failed:
        return failed.reason
    return ""


def cost(name: str, attacked: Attacked) -> Row:
    """An attack's row: it holds when the attack was refused and cost little."""
    holds = bool(attacked.reason) and attacked.grown <= MOST_MB
    said = f"{name}: {attacked.reason or 'NOT REFUSED'}"
    return Row(row=said, value=attacked.grown, unit="MB RSS", bar=f"refused, <= {MOST_MB:g}", holds=holds)


def measure(url: str) -> Iterator[Row]:
    """Every attack, each on a fresh process."""
    for path, name in ATTACKS.items():
        say(name)
        yield cost(name, fresh(attack, url, path))
    for name, counted in {
        "URLs of the corpus": fresh(refused, url),
        "redirects to them": fresh(partial(refused, redirected=True), url),
        "fetches from a name that rebinds": fresh(rebound, url),
    }.items():
        yield at_least(f"{name}: refused of {counted[1]}", 100 * counted[0] / counted[1], 100, "%")


def main() -> None:
    """Measure, print, and fail when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    with hostile() as url:
        rows = list(measure(url))
    finish("safety", rows, 0, as_json=arguments.json)
    sys.exit(any(row.holds is False for row in rows))


if __name__ == "__main__":
    main()
