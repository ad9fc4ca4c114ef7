"""One wheel turns at a time: a lock on a file, which the system releases when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openflywheel.base.errors import WheelBusy


@contextmanager
def lease(path: Path, what: str) -> Iterator[None]:
    """Hold the lock while the block runs. Raises WheelBusy, with the holder's process id, when it is taken."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise WheelBusy(f"{what} is held by process {holder} ({path}); wait for it, or stop it") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
