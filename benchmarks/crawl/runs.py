"""A crawler as a process: what it read, its CPU with all its children, its peak memory."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from benchmarks.report import say


class Run(Struct, frozen=True):
    """One run. `cpu` in seconds, `memory` in MB."""

    crawler: str
    pages: int
    cpu: float
    memory: float

    @property
    def speed(self) -> float:
        """Pages a CPU-second."""
        return self.pages / self.cpu


def started(module: str, url: str, folder: Path, pages: int, *more: str) -> "subprocess.Popen[bytes]":
    """Start python -m `module` URL FOLDER PAGES; what it says stands in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", module, url, str(folder), str(pages), *more]
    with (folder / "output").open("wb") as output, (folder / "errors").open("wb") as errors:
        return subprocess.Popen(command, stdout=output, stderr=errors)


def ended(process: "subprocess.Popen[bytes]", crawler: str, folder: Path) -> Run:
    """Wait for it; it has printed how many pages it read. Raises RuntimeError when it failed."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        errors = (folder / "errors").read_text()[-2_000:]
        raise RuntimeError(f"{crawler} ended with {process.returncode}:\n{errors}")
    pages = int((folder / "output").read_text().split()[-1])
    done = Run(crawler, pages, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    say(f"{crawler}: {pages} pages, {done.cpu:.1f} CPU-s, {done.speed:.0f} a CPU-s, {done.memory:.0f} MB")
    return done


def run(crawler: str, module: str, url: str, folder: Path, pages: int, more: Sequence[str] = ()) -> Run:
    """One run from start to end."""
    return ended(started(module, url, folder, pages, *more), crawler, folder)
