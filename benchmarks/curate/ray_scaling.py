"""Two nodes of a Ray cluster against one, wall time, on 160,000 made-up documents of 500 words.

    python -m benchmarks.curate.ray_scaling NODES INPUT FOLDER

curates INPUT on a cluster of so many nodes with one CPU each, all of them on this machine, and prints the
seconds and the dataset's version. The cluster is there already when the clock starts, its workers are not.
The nodes share this machine's cores with what drives them: the figure says something on a quiet one alone.
"""

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.curate import corpus, ours
from benchmarks.curate.made_up import texts
from benchmarks.curate.metered import metered
from benchmarks.report import Row, at_least, say

TIMES, DOCUMENTS, WORDS, PARTS = 1.7, 160_000, 500, 80
ALONE, TOGETHER = 1, 2
SET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_agent_register_timeout_ms": "240000"}  # as engine/ray.py does


def measure(documents: dict[str, Path] | None, folder: Path, rounds: int) -> list[Row]:
    """Rows; the version is compared with that of a run without Ray."""
    place = folder / "tables"
    tables = corpus.tables(documents, place, PARTS) if documents else made_up(place, DOCUMENTS, PARTS)
    ratios, versions = list[float](), set[str]()
    for number in range(rounds):
        took = {}
        for nodes in (ALONE, TOGETHER):
            place = folder / f"{number}-{nodes}"
            said = _said(
                "benchmarks.curate.ray_scaling", str(nodes), str(tables), str(place / "out"), folder=place
            )
            say(f"round {number + 1} of {rounds}: {nodes} nodes, {said['seconds']:.1f} s")
            took[nodes] = said["seconds"]
            versions.add(said["version"])
        ratios.append(took[ALONE] / took[TOGETHER])
    local = _said(
        ours.__name__, "careful", str(tables), str(folder / "local" / "out"), folder=folder / "local"
    )
    same = float(versions == {local["version"]})
    what = f"two nodes of Ray against one, {len(documents) if documents else DOCUMENTS:,} documents"
    return [
        at_least(what, statistics.median(ratios), TIMES, "x", (min(ratios), max(ratios))),
        at_least("local and Ray: one version", same, 1, ""),
    ]


def made_up(folder: Path, documents: int, parts: int) -> Path:
    """Documents of drawn words as Parquet files of equal size."""
    folder.mkdir(parents=True)
    count = documents // parts
    for part in range(parts):
        names = pc.cast(pa.array(range(part * count, (part + 1) * count)), pa.string())
        rows = pa.table({"uri": names, "text": texts(part * count, count, WORDS)})
        pq.write_table(rows, folder / f"part-{part:03}.parquet")
    return folder


def _said(module: str, *arguments: str, folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(metered(module, *arguments, folder=folder).said)
    return said


def run(nodes: int, tables: Path, to: Path) -> dict[str, Any]:
    """Curate on a cluster that is started for it."""
    os.environ |= {"RAY_AUTH_MODE": "disabled", "PYTHONPATH": os.pathsep.join(sys.path), **SET}
    from ray.cluster_utils import Cluster  # noqa: PLC0415  it reads the environment now

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=1)
        started = time.monotonic()
        with ours.engine(f"ray:{cluster.address}") as engine:
            said = ours.run("careful", tables, to, engine)
            return {"seconds": time.monotonic() - started, **said}
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))))
