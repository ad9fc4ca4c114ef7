"""The gateway beside its peers.  python -m benchmarks.gateway [--json]; exits 1 when a bar is missed.

cpu      CPU of the process tree a request, closed loop at concurrency 8 and 64, and ratios within each round
latency  added p50 and p99 at 100 requests a second, open loop
memory   RSS of our worker over 200,000 requests
loss     acknowledged and lost over 20 SIGKILLs under load
label    CPU of a label task through HTTP
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.gateway import cpu, label, latency, loss, memory
from benchmarks.gateway.peers import PEERS, Peer, peer
from benchmarks.gateway.running import Bench
from benchmarks.gateway.upstream import upstream
from benchmarks.report import Row, finish, say, some_of

PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    "latency": latency.measure,
    "memory": memory.measure,
    "loss": loss.measure,
    "label": label.measure,
}


def main() -> None:
    """Measure, print, and fail when a bar is missed."""
    args = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    if shutil.which("nginx") is None:
        sys.exit("nginx stands behind every gateway and is missing: apt-get install nginx-light")
    chosen = [peer("flywheel"), *map(peer, args.peers)]
    present = [p for p in chosen if p.installed()]
    for missing in (p for p in chosen if p not in present):
        say(f"skipped: {missing.NAME} is not installed; {missing.INSTALL}")
    with tempfile.TemporaryDirectory() as name, upstream(Path(name, "upstream")) as ports:
        bench = Bench(ports, Path(name), present, args.rounds, args.requests)
        rows, more = measure(bench, args.only)
    said = {"peers": {p.NAME: _about(p) for p in chosen}, "cores": os.cpu_count(), **more}
    finish("gateway", rows, args.rounds, as_json=args.json, **said)
    sys.exit(any(row.holds is False for row in rows))


def measure(bench: Bench, parts: Sequence[str]) -> tuple[list[Row], dict[str, Any]]:
    """Rows of the parts that were asked for, and every burst of the first."""
    rows, more = list[Row](), dict[str, Any]()
    if "cpu" in parts:
        rows, bursts = cpu.measure(bench)
        more = {"bursts": msgspec.to_builtins(bursts)}
    for name in (name for name in PARTS if name in parts):
        rows += PARTS[name](bench)
    return rows, more


def _about(peer: Peer) -> dict[str, str | None]:
    version = peer.installed()
    return {"version": version, "log": peer.LOG} | ({} if version else {"skipped": peer.INSTALL})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", type=some_of(PEERS), default=list(PEERS), help=",".join(PEERS))
    parser.add_argument("--only", type=some_of(("cpu", *PARTS)), default=["cpu", *PARTS], help="parts")
    parser.add_argument("--requests", type=int, default=memory.WHOLE, help="of the part memory")
    parser.add_argument("--rounds", type=int, default=6, help="of the parts cpu and latency")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
