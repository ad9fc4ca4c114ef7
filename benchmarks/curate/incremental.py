"""What 1 % of new documents costs, when the others were curated before.

python -m benchmarks.curate.incremental --documents 20000
"""

import argparse
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.curate.made_up import written
from benchmarks.report import Row, at_most, finish, say
from openflywheel.base import door
from openflywheel.curate import step_of
from openflywheel.curate._engine.local import Local
from openflywheel.curate._engine.reading import shards
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.stats import Stats
from openflywheel.curate._engine.step import Step

DOCUMENTS = 1_000_000
SHARE = 0.01  # of new ones
BAR = 3.0  # percent
RECIPE = ("normalise", "quality", "dedupe", "near_duplicates")


def opened() -> list[Step]:
    """The recipe's steps."""
    return [step_of(door.load("curate", name, {}, {"tasks": {}})) for name in RECIPE]


def measure(folder: Path, documents: int = DOCUMENTS) -> list[Row]:
    """A full run, then one of 1 % more; both write nothing but their state."""
    new = max(1, round(documents * SHARE))
    full, some = written(folder / "full", 0, documents), written(folder / "new", documents, new)
    first = _curated(full, folder)
    say(f"{documents:,} documents: {first:.1f} CPU-s")
    second = _curated(some, folder)
    say(f"{new:,} more: {second:.1f} CPU-s")
    return [
        Row(row=f"full run, {documents:,} documents", value=first, unit="CPU-s"),
        Row(row=f"{new:,} new ones", value=second, unit="CPU-s"),
        at_most("new ones, of the full run", 100 * second / first, BAR, "%"),
    ]


def _curated(place: Path, folder: Path) -> float:
    """CPU seconds of this process and of its workers, their start among them."""
    before, wall = _cpu(), time.perf_counter()
    state = folder / "state"
    with (
        Local() as engine,
        curate(
            shards(place), opened, recipe="incremental", engine=engine, work=folder / "work", state=state
        ) as result,
    ):
        kept = sum(table["drop"].null_count for table in result.tables())
    took = _cpu() - before
    wall = time.perf_counter() - wall
    say(f"kept {kept:,} of {result.rows:,} in {wall:.0f} s; changed {len(result.changed):,}")
    _say_steps(result.stats, took)
    return took


def _say_steps(stats: Sequence[Stats], took: float) -> None:
    for did in stats:
        say(f"  {did.step}: {did.cpu_seconds:.2f} CPU-s, dropped {did.dropped}")
    say(f"  beside the steps (read, write, start): {took - sum(did.cpu_seconds for did in stats):.2f} CPU-s")


def _cpu() -> float:
    """Of this process and of the children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        finish("curate, incremental", measure(Path(folder), options.documents), 1, as_json=options.json)


if __name__ == "__main__":
    main()
