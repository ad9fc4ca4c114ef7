"""Peak memory of a curation whose input is much larger.

python -m benchmarks.curate.memory --gigabytes 1 --steps length,dedupe,near_duplicates
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.curate.made_up import texts
from benchmarks.report import Row, at_most, finish, say
from openflywheel.base import door
from openflywheel.curate import step_of
from openflywheel.curate._engine.local import Local
from openflywheel.curate._engine.reading import shards
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.stats import Progress
from openflywheel.curate._engine.step import Step

GIGABYTES = 20.0
BAR = 2.0  # GB of all processes together
LENGTH = 500  # words of a document: 3.5 kB, as of the web
FILE = 50_000  # documents of a file
BLOCK = 2_000
RECIPE = ("length", "dedupe")  # a step a row at a time, and one that shuffles all of them
SETTINGS = {"length": {"most": 1_000_000}}
ROOM = 2.5  # times the input: itself, its rows again (compressed) and their sketches; 2.1 measured
OFTEN = 0.5  # seconds between two looks


def opened(recipe: Sequence[str] = RECIPE) -> list[Step]:
    """The recipe's steps."""
    return [step_of(door.load("curate", name, SETTINGS.get(name, {}), {"tasks": {}})) for name in recipe]


def measure(
    folder: Path, gigabytes: float = GIGABYTES, recipe: Sequence[str] = RECIPE, given: Path | None = None
) -> list[Row]:
    """JSON Lines of that size, curated in a process of its own; what is written is read once and not kept.

    given: a folder of JSON Lines that are there already; without one they are made.
    """
    free = shutil.disk_usage(folder).free
    if not given and free < gigabytes * 1e9 * ROOM:
        raise SystemExit(f"{folder} has {free / 1e9:.0f} GB left; {gigabytes * ROOM:.0f} GB are needed")
    place = given or folder / "input"
    if not given:
        written(place, round(gigabytes * 1e9))
    size = sum(file.stat().st_size for file in place.iterdir())
    say(f"{size / 1e9:.2f} GB")
    own = ["--curate", str(folder), "--input", str(place), "--steps", ",".join(recipe)]
    command = [sys.executable, "-m", "benchmarks.curate.memory", *own]
    started = time.monotonic()
    process = subprocess.Popen(command, start_new_session=True)
    peak = firm = 0.0
    while process.poll() is None:
        all_, anonymous = _memory(process.pid)
        peak, firm = max(peak, all_), max(firm, anonymous)
        time.sleep(OFTEN)
    if process.returncode:
        raise SystemExit(f"{command} failed: {process.returncode}")
    return [
        Row(row="input", value=size / 1e9, unit="GB"),
        at_most("peak of all processes (PSS, mapped files too)", peak / 1e9, BAR, "GB"),
        Row(row="of that, what the system cannot take back", value=firm / 1e9, unit="GB"),
        Row(row="time", value=time.monotonic() - started, unit="s"),
    ]


def written(folder: Path, size: int) -> tuple[int, int]:
    """JSON Lines of `size` bytes or a little more; returns how many, and how many documents."""
    folder.mkdir(parents=True)
    done = number = 0
    while done < size:
        with (folder / f"{number:012d}.jsonl").open("wb") as file:
            for line in _lines(number, number + FILE):
                done += file.write(line)
                number += 1
                if done >= size:
                    break
    return done, number


def _lines(start: int, end: int) -> Iterator[bytes]:
    for first in range(start, end, BLOCK):
        for number, text in enumerate(texts(first, BLOCK, LENGTH).to_pylist(), first):
            yield msgspec.json.encode({"id": f"document-{number}", "at": float(number), "text": text}) + b"\n"


def _memory(session: int) -> tuple[float, float]:
    """Bytes (PSS) of all processes of a session: all of it, and without mapped files."""
    found = [
        _shares(Path(path)) for path in os.scandir("/proc") if path.name.isdigit() and _of(path, session)
    ]
    return sum(all_ for all_, _ in found), sum(own for _, own in found)


def _of(path: "os.DirEntry[str]", session: int) -> bool:
    with suppress(ProcessLookupError):
        return os.getsid(int(path.name)) == session
    return False


def _shares(process: Path) -> tuple[float, float]:
    """A process that has just ended has none."""
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0, 0.0
    sizes = {name: float(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
    return sizes.get("Pss", 0.0), sizes.get("Pss_Anon", 0.0) + sizes.get("Pss_Shmem", 0.0)


def _curate(folder: Path, place: Path, recipe: Sequence[str]) -> None:
    with Local() as engine, curate(
        shards(place), partial(opened, recipe), recipe="memory", engine=engine, work=folder / "work",
        progress=_say,
    ) as result:  # fmt: skip
        kept = sum(table["drop"].null_count for table in result.tables())
    say(
        f"kept {kept:,} of {result.rows:,}; "
        + ", ".join(f"{s.step} {s.cpu_seconds:.0f} CPU-s" for s in result.stats)
    )


def _say(progress: Progress) -> None:
    say(f"{progress.doing}: {progress.done:,} documents, {progress.speed:,.0f}/s")


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=GIGABYTES)
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder if not given")
    parser.add_argument("--steps", type=lambda said: said.split(","), default=RECIPE, help=",".join(RECIPE))
    parser.add_argument("--input", type=Path, help="JSON Lines to curate instead of making some")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--curate", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.curate:
        _curate(options.curate, options.input, options.steps)
        return
    with TemporaryDirectory(dir=options.folder) as folder:
        rows = measure(Path(folder), options.gigabytes, options.steps, options.input)
        finish("curate, memory", rows, 1, as_json=options.json)


if __name__ == "__main__":
    main()
