"""A command's CPU-seconds with those of every process that it started, directly or not."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2): orphans of a command become children of this process


class Spent(Struct, frozen=True):
    """What a command took, in seconds, and the last line that it printed."""

    cpu: float
    wall: float
    said: str


def metered(module: str, *arguments: str, folder: Path) -> Spent:
    """Run python -m `module`; what it prints stands in `folder`. Raises RuntimeError when it fails."""
    if ctypes.CDLL(None, use_errno=True).prctl(SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with (folder / "output").open("wb") as output, (folder / "errors").open("wb") as errors:
        command = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(command, stdout=output, stderr=errors, start_new_session=True)
    failed = True
    try:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        failed = process.returncode != 0
    finally:
        if failed:  # or interrupted: what it started would wait for it
            with suppress(ProcessLookupError):  # it started nothing, or all of it has ended
                os.killpg(process.pid, signal.SIGKILL)
        cpu = _orphans()
    if failed:
        said = (folder / "errors").read_text()[-3_000:]
        raise RuntimeError(f"{module} ended with {process.returncode}:\n{said}")
    cpu += usage.ru_utime + usage.ru_stime
    *_, said = ["", *(folder / "output").read_text().splitlines()]
    return Spent(cpu, time.monotonic() - started, said)


def _orphans() -> float:
    """CPU-seconds of the processes that outlived the command, such as a fork server; waits for them."""
    spent = 0.0
    while True:
        try:
            _, _, usage = os.wait3(0)
        except ChildProcessError:
            return spent
        spent += usage.ru_utime + usage.ru_stime
