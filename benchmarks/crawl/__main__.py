"""Our crawler beside others.  python -m benchmarks.crawl [--json]; exits 1 when a bar is missed.

speed    pages a CPU-second (the crawler's and its children's) and peak RSS on 2,450 real pages behind nginx:
         every link followed, robots.txt obeyed, 16 requests in flight; rounds in turn
memory   peak RSS with 100,000 URLs in the frontier
kill     10 SIGKILLs: pages lost, pages fetched twice

Ours keeps its queue in SQLite, reads each page's text, facts, links and reservations, and gives Records; with
"bytes kept" each page's bytes are written and synced as well. Scrapy keeps its queue in a JOBDIR.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.crawl import kill, memory, speed
from benchmarks.crawl.peers import PEERS, installed
from benchmarks.crawl.site import server
from benchmarks.report import Row, finish, say, some_of

PARTS = ("speed", "memory", "kill")


def main() -> None:
    """Measure, print, and fail when a bar is missed."""
    args = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    present = [peer for peer in args.peers if installed(peer)]
    for missing in (peer for peer in args.peers if peer not in present):
        say(f"skipped: {missing} is not installed; pip install {PEERS[missing]}")
    with tempfile.TemporaryDirectory() as name:
        rows, more = measure(args, Path(name), present)
    said = {"server": server(), "peers": {p: installed(p) for p in args.peers}, "cores": os.cpu_count()}
    finish("crawl", rows, args.rounds, as_json=args.json, **said, **more)
    sys.exit(any(row.holds is False for row in rows))


def measure(args: argparse.Namespace, folder: Path, peers: list[str]) -> tuple[list[Row], dict[str, Any]]:
    """Rows of the parts that were asked for, and every run of the first."""
    rows, more = list[Row](), dict[str, Any]()
    if "speed" in args.only:
        rows, runs = speed.measure(args.site, folder, peers, args.rounds)
        more = {"runs": msgspec.to_builtins(runs)}
    if "memory" in args.only:
        rows += memory.measure(folder, args.urls)
    if "kill" in args.only:
        rows += kill.measure(folder)
    return rows, more


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", type=some_of(PEERS), default=list(PEERS), help=",".join(PEERS))
    parser.add_argument("--only", type=some_of(PARTS), default=list(PARTS), help=",".join(PARTS))
    parser.add_argument("--site", type=Path, default=Path("/usr/share/doc"), help="the folder of the manuals")
    parser.add_argument("--rounds", type=int, default=3, help="of the part speed")
    parser.add_argument("--urls", type=int, default=memory.URLS, help="of the part memory")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
