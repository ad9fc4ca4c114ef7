"""A label task through HTTP with the model in process: texts that were never asked before."""

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks.gateway.asking import questions
from benchmarks.gateway.load import Load
from benchmarks.gateway.peers import flywheel
from benchmarks.gateway.running import Bench, Gateway, running
from benchmarks.report import Row, at_most, say
from openflywheel.window import demo

SHOP = Path(demo.__file__).with_name("shop") / "utterances.jsonl"
TAUGHT, ASKED, WARM = 2_000, 500, 50
CPU_MS = 6.0


def measure(bench: Bench) -> list[Row]:
    """CPU of the worker a question, asked one by one and by eight at once."""
    folder = bench.folder / "label"
    flywheel.settings(folder, bench.upstream)
    texts = teach(folder)
    with running(bench.peers[0], bench.upstream, folder) as gateway:
        _cpu_ms(gateway, islice(texts, WARM), 1)
        return [
            at_most(
                f"label task through HTTP, concurrency {c}",
                _cpu_ms(gateway, islice(texts, ASKED), c),
                CPU_MS,
                "CPU-ms",
            )
            for c in (1, 8)
        ]


def teach(folder: Path) -> Iterator[str]:
    """Turn a wheel once on the shop's messages; the texts that it was not taught."""
    say("teaching a champion")
    lines = SHOP.read_text(encoding="utf-8").splitlines()
    (folder / "seeds.jsonl").write_text("\n".join(lines[:TAUGHT]), encoding="utf-8")
    subprocess.run([*flywheel.FLYWHEEL, "turn"], cwd=folder, check=True, stdout=sys.stderr)
    return iter(dict.fromkeys(json.loads(line)["text"] for line in lines[TAUGHT:]))


def _cpu_ms(gateway: Gateway, texts: Iterator[str], connections: int) -> float:
    load = Load(gateway.port, questions(flywheel.PATH, "flywheel/route", texts))
    before = gateway.tree.cpu()
    answers = gateway.good(load, load.closed(connections))
    return (gateway.tree.cpu() - before) / len(answers) * 1_000
