"""One wheel turns at a time: a lock on a file, which the system releases when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openflywheel.base.errors import WheelBusy


@contextmanager
def lease(path: Path, what: str, wait: bool = False) -> Iterator[None]:
    """Hold the lock while the block runs. When it is taken: wait, or raise WheelBusy naming the holder."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise WheelBusy(f"{what} is held by process {holder} ({path}); wait for it, or stop it") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
