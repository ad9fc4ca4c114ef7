"""The gateway of this project: every exchange is on disk before its answer leaves."""

import sqlite3
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from benchmarks.gateway.upstream import Upstream

NAME = "flywheel"
INSTALL = "pip install openflywheel"
LOG = "SQLite WAL, group commit, synced before the answer"
PATH, MODEL, STREAMED = "/v1/chat/completions", "up/gpt-x", "slow/gpt-x"

SETTINGS = """
name: benchmark
store: ./wheel
tasks: {{route: {{kind: label}}}}
collect: {{files: {{path: seeds.jsonl, basis: no_personal_data}}}}
curate: [normalise, dedupe]
customize: {{head: {{}}}}
evaluate: {{accuracy: {{}}}}
serve:
  providers:
    up: {{url: "http://127.0.0.1:{answers}/v1", key: sk-upstream}}
    slow: {{url: "http://127.0.0.1:{streams}/v1", key: sk-upstream}}
  gateway: {{durability: disk}}
"""
FLYWHEEL = [sys.executable, "-m", "openflywheel"]


def installed() -> str | None:
    """Always: the benchmark is run from its checkout."""
    return version("openflywheel")


def settings(folder: Path, upstream: Upstream) -> None:
    """Write flywheel.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    text = SETTINGS.format(answers=upstream.answers, streams=upstream.streams)
    (folder / "flywheel.yaml").write_text(text, encoding="utf-8")


def command(folder: Path, upstream: Upstream, port: int, workers: int = 1) -> list[str]:
    """As many workers as asked for; without turns, whose cost is that of learning: benchmarks.flywheel."""
    settings(folder, upstream)
    serve = ["serve", "--file", "flywheel.yaml", "--no-turns", "--port", str(port), "--workers", str(workers)]
    return [*FLYWHEEL, *serve]


def headers(_: Upstream) -> dict[str, str]:
    """None: without keys, a gateway on the loopback is open."""
    return {}


def kept(folder: Path) -> set[str]:
    """Ids of the exchanges in the journal."""
    with closing(sqlite3.connect(folder / "wheel/live.db")) as journal:
        return {id for (id,) in journal.execute("SELECT id FROM journal WHERE kind = 'exchange'")}
